import FoundationEssentials
import Model
import Ports
import Testing

@testable import Ledger

@Suite("The key and the file of checkpoints")
struct CheckpointFilesTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var files: CheckpointFiles { CheckpointFiles(stateDirectory: directory.path) }

    private func checkpoint(_ sequence: Int64) -> Checkpoint {
        Checkpoint(
            origin: String(repeating: "0", count: 32), sequence: sequence, hash: .none,
            at: Instant(seconds: 1_764_000_000 + sequence))
    }

    @Test("the key is made once, for its owner alone, and is the same for every process (invariant 13)")
    func key() throws {
        let key = try files.key()
        #expect(try NoteVerifier(key).description == key)
        #expect(try files.key() == key)
        #expect(directory.names == ["checkpoint.key"])
        #expect(directory.mode("checkpoint.key") == 0o600)
    }

    @Test("checkpoints are signed by it, and kept one after another for its owner alone")
    func sign() throws {
        let one = try files.sign(checkpoint(1))
        let two = try files.sign(checkpoint(2))
        #expect(String(decoding: directory.bytes("checkpoints"), as: UTF8.self) == one + "\n" + two)
        #expect(directory.mode("checkpoints") == 0o600)
        let read = CheckpointNotes(directory.bytes("checkpoints"), file: "f")
        let key = try NoteVerifier(files.key())
        #expect(try read.notes.map { try $0.note.signer(among: [key]) } == [key, key])
        // Nothing of the secret is beside the public half.
        let secret = String(decoding: directory.bytes("checkpoint.key"), as: UTF8.self)
            .split(separator: "+", maxSplits: 4).last.map { String($0.dropLast()) }
        #expect(!(one + two).contains(try #require(secret)))
    }

    @Test("the file stays bounded, and loses the oldest")
    func bounded() throws {
        let note = try files.sign(checkpoint(1))
        var bytes: [UInt8] = []
        for _ in 0..<5000 {
            bytes = CheckpointFiles.appending(note, to: bytes)
            #expect(bytes.count <= CheckpointFiles.longest)
        }
        let read = CheckpointNotes(bytes, file: "f")
        #expect(read.faults.isEmpty && read.notes.count > 500)
        // What is no checkpoint is not kept for ever either.
        let junk = CheckpointFiles.appending(note, to: Array(repeating: 97, count: 600_000))
        #expect(junk == Array(note.utf8))
    }

    @Test("a key that others may read is not used, and one that is damaged is not replaced")
    func unusable() throws {
        _ = try files.key()
        let path = directory.file("checkpoint.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = #expect(throws: CheckpointFailure.self) { try files.sign(checkpoint(1)) }
        #expect(open?.description.contains("chmod 600") == true)
        let text = String(decoding: directory.bytes("checkpoint.key"), as: UTF8.self)
        let damaged = text.replacing("+", with: "-")
        directory.write(Array(damaged.utf8), to: "checkpoint.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let failure = #expect(throws: CheckpointFailure.self) { try files.key() }
        let secret = try #require(text.split(separator: "+", maxSplits: 4).last).dropLast()
        #expect(failure?.description.contains("move it away") == true)
        #expect(failure?.description.contains(secret) == false)
        #expect(directory.bytes("checkpoint.key") == Array(damaged.utf8))
        #expect(!directory.exists("checkpoints"))
    }
}
