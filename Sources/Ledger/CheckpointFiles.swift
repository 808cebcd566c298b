import Crypto
import Host
public import Model
public import Ports

/// The key of a node's checkpoints and the file that they are kept in, both in the state directory.
///
/// The key is readable by its owner alone; it never leaves the file (invariant 13).
public final class CheckpointFiles: CheckpointPort {
    /// The file of checkpoints.
    public let file: String
    private let keyFile: String
    private var signer: NoteSigner?

    /// Where to begin again: the file is cut to the newer half of this many bytes when it has grown beyond.
    static let longest = 512 << 10

    /// Names the files of a state directory; nothing is read or made yet.
    public init(stateDirectory: String) {
        file = Self.file(in: stateDirectory)
        keyFile = "\(stateDirectory)/checkpoint.key"
    }

    /// The file of checkpoints beside a ledger.
    public static func file(in stateDirectory: String) -> String { "\(stateDirectory)/checkpoints" }

    public func key() throws(CheckpointFailure) -> String { try loaded().verifier.description }

    public func sign(_ checkpoint: Checkpoint) throws(CheckpointFailure) -> String {
        let signer = try loaded()
        let note: String
        do throws(CryptoFailure) {
            note = try SignedNote(checkpoint.text, by: signer).description
        } catch { throw CheckpointFailure(error.description) }
        do throws(HostError) {
            let kept = try readFileIfPresent(file, limit: CheckpointNotes.longestFile) ?? []
            try writeFileAtomically(file, Self.appending(note, to: kept), mode: 0o600)
        } catch { throw CheckpointFailure(error.description) }
        return note
    }

    /// The file's bytes with one more note, without the oldest where it would be too long.
    static func appending(_ note: String, to kept: [UInt8]) -> [UInt8] {
        var kept = kept[...]
        if kept.count + note.utf8.count >= longest {
            let newer = kept.suffix(longest / 2)
            // Where a note begins: at its first line, after the empty one.
            let start = newer.firstRange(of: Array("\n\n\(Checkpoint.header)\n".utf8))?.lowerBound
            kept = start.map { newer[($0 + 2)...] } ?? []
        }
        return Array(kept) + (kept.isEmpty ? [] : [10]) + Array(note.utf8)
    }

    private func loaded() throws(CheckpointFailure) -> NoteSigner {
        if let signer { return signer }
        do throws(HostError) {
            var bytes = try secret()
            if bytes == nil { bytes = try madeSecret() }
            let loaded = try read(bytes ?? [])
            signer = loaded
            return loaded
        } catch { throw CheckpointFailure(error.description) }
    }

    private func secret() throws(HostError) -> [UInt8]? {
        do throws(HostError) { return try readSecretFile(keyFile, limit: 1024) } catch {
            guard error.isAbsence else { throw error }
            return nil
        }
    }

    /// What lies there afterwards: of two processes that make one at once, one is the last.
    private func madeSecret() throws(HostError) -> [UInt8] {
        try make()
        return try readSecretFile(keyFile, limit: 1024)
    }

    private func make() throws(HostError) {
        do {
            try writeFileAtomically(keyFile, Array(NoteSigner.make().secretText.utf8), mode: 0o600)
        } catch let error as CryptoFailure {
            throw HostError(description: error.description)
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(description: "\(keyFile): could not be made")
        }
    }

    private func read(_ bytes: [UInt8]) throws(HostError) -> NoteSigner {
        do {
            return try NoteSigner(secretText: String(decoding: bytes, as: UTF8.self))
        } catch let error as CryptoFailure {
            throw HostError(description: error.description)
        } catch {
            throw HostError(
                description:
                    "\(keyFile): \((error as? NoteFailure)?.description ?? "cannot be read"); restore it from a "
                    + "backup, or move it away, and a new one is made and recorded as its successor")
        }
    }
}
