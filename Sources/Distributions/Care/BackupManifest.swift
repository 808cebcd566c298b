import FoundationEssentials
import Host
import Model

/// What a backup says of itself, in a file beside what it holds.
enum BackupManifest {
    static let name = "manifest.json"
    /// Twenty thousand files with long names.
    private static let longest = 8 << 20

    static func write(_ backup: KeptBackup, to directory: String) throws(HostError) {
        let text: String
        do { text = try CanonicalJSON.text(of: backup) } catch {
            throw HostError(description: "\(directory): the backup's manifest cannot be written: \(error)")
        }
        try writeFileAtomically("\(directory)/\(name)", Array(text.utf8), mode: 0o600)
    }

    /// Reads a manifest; nil where there is none.
    ///
    /// - Throws: `HostError` for one that is no manifest.
    static func read(_ directory: String) throws(HostError) -> KeptBackup? {
        guard let bytes = try readFileIfPresent("\(directory)/\(name)", limit: longest) else { return nil }
        guard let backup = try? JSONDecoder().decode(KeptBackup.self, from: Data(bytes)) else {
            throw HostError(
                description: "\(directory)/\(name): no manifest of a backup; take the directory away by hand")
        }
        return backup
    }
}
