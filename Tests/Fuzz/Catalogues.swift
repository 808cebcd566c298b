@testable import Artifacts
import Model

/// Files that people import: checksums, tables of support, what endoflife.date says.
let catalogues = [Target(name: "catalogue", look: lookAtCatalogue)]

private func lookAtCatalogue(_ bytes: [UInt8]) {
    let version = Version("v1.31.4+k3s1")
    for (distribution, version) in [(nil, nil), (Distribution.k3s, version), (.k0s, nil)]
        as [(Distribution?, Version?)]
    {
        do throws(ChecksumFileError) {
            let entries = try readChecksumFile(
                bytes, file: "sums.txt", distribution: distribution, version: version,
                importedAt: Instant(seconds: 0))
            expect((1...20).contains(entries.count), "\(entries.count) entries of one release")
            for entry in entries {
                expect(entry.version.distribution == entry.distribution, "a version of another distribution")
                expect(version == nil || entry.version == version, "another version")
            }
        } catch { expectShowable(error.description) }
    }
    do throws(SupportTableError) { expectReadsBack(try SupportTable(text: bytes.text)) } catch {
        expectShowable(error.description)
    }
    guard let today = CivilDate("2026-11-28") else { return }
    do throws(SupportTableError) {
        guard let table = try readEndOfLifeDocument(bytes, file: "kubernetes.json", today: today) else {
            return
        }
        expect(table.asOf <= today, "a table of the future")
        expectReadsBack(table)
    } catch { expectShowable(error.description) }
}

private func expectReadsBack(_ table: SupportTable) {
    expect(table.rows.count <= SupportTable.mostRows, "\(table.rows.count) rows")
    guard let again = try? SupportTable(text: table.text) else {
        fatalError("no table any longer: \(table.text)")
    }
    expect(again.rows == table.rows && again.asOf == table.asOf, "a table that reads back as another one")
    expect(areSame(again.text, table.text), "a table that has two forms")
}
