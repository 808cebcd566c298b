import Agent
import Artifacts
import CommandLine
import Host
import Ledger
import Model
import Ports

/// `holdfast catalog import FILE`: ties the digests of a release's checksum file to its version.
func catalogImport(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let path = invocation.value("file") ?? ""
    let bytes = try place.bytes(of: path)
    if let table = try supportTable(in: bytes, file: path, at: place) {
        return try support(table, digest(bytes), from: path, at: place, invocation, on: screen)
    }
    var version: Version?
    if let text = invocation.value("version") {
        guard let known = Version(text) else {
            throw Failure(
                code: .usage, message: "--version \(text.printable) is no version: write v1.31.4+k3s1")
        }
        version = known
    }
    let reading = place.clock.read()
    let entries: [CatalogEntry]
    do throws(ChecksumFileError) {
        entries = try readChecksumFile(
            bytes, file: path,
            distribution: invocation.value("distribution").flatMap { Distribution(rawValue: $0) },
            version: version, importedAt: reading.now)
    } catch {
        throw Failure(code: .badConfiguration, message: "\(path.printable): \(error.description)")
    }
    let event = Event.catalogImported(CatalogImport(file: path, sha256: digest(bytes), entries: entries))
    try place.record(event, reading: reading)
    if invocation.value("output") == "json" {
        try screen.json(entries)
    } else {
        screen.out(catalogText(entries, screen.style, screen.width))
        screen.out(
            "\nImported \(entries.count) checksum\(entries.count == 1 ? "" : "s") from \(path.printable).\n")
    }
    return .done
}

/// The table of support that a file holds; nil where it is none.
private func supportTable(
    in bytes: [UInt8], file: String, at place: Place
) throws(Failure) -> SupportTable? {
    let today = CivilDate(daysSinceEpoch: place.clock.read().now.seconds / 86_400)
    do throws(SupportTableError) {
        return try readEndOfLifeDocument(bytes, file: file, today: today)
    } catch {
        throw Failure(code: .badConfiguration, message: "\(file.printable): \(error.description)")
    }
}

/// Puts a table of support in the place of the one that counts.
private func support(
    _ table: SupportTable, _ digest: Digest, from path: String, at place: Place, _ invocation: Invocation,
    on screen: Screen
) throws(Failure) -> ExitCode {
    let present = place.supportTable().table
    guard table.asOf >= present.asOf else {
        throw Failure(
            code: .failed,
            message:
                "\(path.printable): its newest release is of \(table.asOf), and the table that counts is of "
                + "\(present.asOf); fetch https://endoflife.date/api/kubernetes.json anew")
    }
    // Without entries: that it was imported is recorded, and with which digest.
    let imported = CatalogImport(file: path, sha256: digest, entries: [])
    try place.record(.catalogImported(imported), reading: place.clock.read())
    try place.keep(table)
    if invocation.value("output") == "json" {
        try screen.json(SupportReport(asOf: table.asOf, origin: table.origin, minors: table.rows.count))
    } else {
        screen.out(
            "Imported the support of \(table.rows.count) minors from \(path.printable), as of \(table.asOf).\n"
        )
    }
    return .done
}

private struct SupportReport: Encodable {
    let asOf: CivilDate
    let origin: String
    let minors: Int
}

/// `holdfast catalog list`: the digests that are known.
func catalogList(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    var entries: [CatalogEntry] = []
    do {
        try place.readLedger().catalog { entries.append($0) }
    } catch let failure as LedgerFailure {
        guard failure.code == .missing else { throw Failure(ledger: failure) }
    } catch {
        throw Failure(code: .failed, message: "\(error)")
    }
    if invocation.value("output") == "json" {
        try screen.json(entries)
    } else if entries.isEmpty {
        screen.out(
            wrapped(
                "No checksums are known. Import a release's with 'holdfast catalog import FILE'.\n",
                width: screen.width))
    } else {
        screen.out(catalogText(entries, screen.style, screen.width))
    }
    if invocation.value("output") != "json" {
        let table = place.supportTable().table
        screen.out(
            wrapped(
                "The table of supported minors is of \(table.asOf) (\(table.origin.printable)).\n",
                width: screen.width))
    }
    return .done
}

private func catalogText(_ entries: [CatalogEntry], _ style: Style, _ width: Int?) -> String {
    aligned(
        entries.map { entry in
            [
                (entry.distribution.displayName, nil), (entry.version.description, nil),
                (entry.architecture.rawValue, nil), ("sha256:\(entry.sha256.hex)", nil),
                (entry.file.printable, .faint),
            ]
        }, indent: 0, style: style, width: width)
}
