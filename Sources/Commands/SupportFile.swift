import Host
import Model

/// The table of supported minors: the shipped one, or a newer one that somebody imported.
extension Place {
    private var supportPath: String { "\(stateDirectory)/support.tsv" }

    /// The table that counts here, and what is wrong with an imported one.
    func supportTable() -> (table: SupportTable, problem: Problem?) {
        let imported: SupportTable
        do {
            guard let bytes = try readFileIfPresent(supportPath, limit: 1 << 16) else {
                return (.shipped, nil)
            }
            imported = try SupportTable(text: String(decoding: bytes, as: UTF8.self))
        } catch {
            return (
                .shipped,
                Problem(
                    code: "support-unreadable",
                    text:
                        "\(supportPath): \((error as? HostError)?.description ?? "\(error)"), so the shipped table "
                        + "counts; import it again with 'holdfast catalog import'")
            )
        }
        // A newer program may know more than what was imported for an older one.
        return (imported.asOf < SupportTable.shipped.asOf ? .shipped : imported, nil)
    }

    /// Puts an imported table in the place of the one that counts.
    func keep(_ table: SupportTable) throws(Failure) {
        do throws(HostError) {
            try writeFileAtomically(supportPath, Array(table.text.utf8), mode: 0o600)
        } catch {
            throw Failure(code: .failed, message: error.description)
        }
    }
}
