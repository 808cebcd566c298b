import Model
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("Verification by checkpoints (invariant 8)")
struct CheckpointCheckTests {
    let directory: TemporaryDirectory
    let files: CheckpointFiles
    let signer: NoteSigner

    /// Twenty entries, of which the second names the key; checkpoints of entries 5, 10 and 15.
    init() throws {
        directory = try TemporaryDirectory()
        files = CheckpointFiles(stateDirectory: directory.path)
        let key = try files.key()
        signer = try NoteSigner(
            secretText: String(decoding: directory.bytes("checkpoint.key"), as: UTF8.self))
        for second in 1...19 as ClosedRange<Int64> {
            try append(
                second == 1
                    ? .checkpointKey(CheckpointKey(verifier: key, replaces: nil))
                    : .problemBegan(Problem(code: "p\(second % 3)", text: "text \(second)")), second)
            if second % 5 == 4 { try sign(second) }
        }
    }

    func append(_ event: Event, _ second: Int64, in path: String? = nil) throws {
        let ledger = try Ledger.open(stateDirectory: path ?? directory.path, reading: reading(second))
        let state = try ledger.load().state.after([event], at: reading(second).now)
        try ledger.append([event], reading: reading(second), state: state)
    }

    @discardableResult
    func sign(_ second: Int64) throws -> Checkpoint {
        let ledger = try Ledger.openForReading(stateDirectory: directory.path)
        let head = try ledger.head()
        let checkpoint = Checkpoint(
            origin: ledger.originName, sequence: head.sequence, hash: head.hash, at: reading(second).now)
        _ = try files.sign(checkpoint)
        return checkpoint
    }

    func verify(_ notes: CheckpointNotes? = nil, by keys: [NoteVerifier]? = nil) throws -> VerifyReport {
        let own = CheckpointNotes(directory.bytes("checkpoints"), file: "checkpoints")
        return try Ledger.openForReading(stateDirectory: directory.path).verify(
            against: notes ?? own, by: keys)
    }

    /// Deletes entries after a number, with all that follows from them, as somebody would who knows the schema.
    func cut(after sequence: Int64) throws {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        var guards: [(name: String, sql: String)] = []
        try database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .forEach { guards.append(($0.text(0) ?? "", $0.text(1) ?? "")) }
        for guardian in guards { try database.execute("DROP TRIGGER \(guardian.name)") }
        try database.execute(
            script: """
                DELETE FROM body WHERE seq > \(sequence); UPDATE snapshot SET seq = 1;
                DELETE FROM entry WHERE seq > \(sequence)
                """)
        for guardian in guards { try database.execute(guardian.sql) }
        try Ledger.open(stateDirectory: directory.path, reading: reading(60)).rebuild()
    }

    @Test("says what the newest one covers, and what lies after it")
    func whole() throws {
        let report = try verify()
        #expect(report.findings == [])
        #expect(report.checkpoints.compared == 4 && report.checkpoints.newest?.sequence == 20)
        #expect(report.checkpoints.signedBy == signer.verifier.description)
        #expect(report.checkpointKeys == [signer.verifier.description])
        #expect(report.checkpoints.uncovered == 0)
        // The ledger's own key proves nothing to whoever distrusts root; one that was brought along does.
        #expect(report.blindSpot.contains("root"))
        #expect(try verify(by: [signer.verifier]).blindSpot == "nothing")
        try append(.problemBegan(Problem(code: "later", text: "")), 30)
        let later = try verify(by: [signer.verifier])
        #expect(later.findings == [] && later.checkpoints.uncovered == 1)
        #expect(later.blindSpot.contains("after entry 20"))
    }

    @Test("finds a tail that was cut with all that follows from it", arguments: [4, 12, 19] as [Int64])
    func cutTail(after sequence: Int64) throws {
        try cut(after: sequence)
        let report = try verify()
        #expect(report.findings.map(\.kind) == [.cutTail])
        #expect(report.findings.first?.seq == sequence + 1)
        #expect(report.findings.first?.text.contains("entry 20") == true)
        // Without a checkpoint nobody could tell, as it says.
        #expect(try verify(CheckpointNotes()).isIntact)
    }

    @Test("finds a chain that was rewritten from some entry on, and names the first checkpoint that says so")
    func rewritten() throws {
        try cut(after: 12)
        for second in 40...50 as ClosedRange<Int64> {
            try append(.problemBegan(Problem(code: "x", text: "another story \(second)")), second)
        }
        #expect(try verify(CheckpointNotes()).isIntact)
        let report = try verify()
        #expect(report.findings.map(\.kind) == [.rewrittenChain])
        #expect(report.findings.first?.seq == 15)
        #expect(report.checkpoints.newest?.sequence == 10)
    }

    @Test("finds that the ledger is another one than was signed")
    func otherLedger() throws {
        let other = try TemporaryDirectory()
        try append(
            .checkpointKey(CheckpointKey(verifier: signer.verifier.description, replaces: nil)), 50,
            in: other.path)
        let notes = CheckpointNotes(directory.bytes("checkpoints"), file: "checkpoints")
        let report = try Ledger.openForReading(stateDirectory: other.path).verify(against: notes)
        #expect(report.findings.map(\.kind) == [.otherLedger])
        #expect(report.checkpoints.newest == nil)
    }

    @Test("is content with checkpoints of a damaged ledger that this one says it took the place of")
    func damagedBefore() throws {
        directory.write(Array("no database".utf8), to: "ledger.db")
        let ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(60))
        #expect(ledger.begun?.replaces != nil)
        try append(.checkpointKey(CheckpointKey(verifier: signer.verifier.description, replaces: nil)), 61)
        #expect(try verify().findings == [])
        // One that was signed after it began is not of the damaged one.
        let late = Checkpoint(
            origin: String(repeating: "1", count: 32), sequence: 9, hash: .none, at: reading(70).now)
        _ = try files.sign(late)
        #expect(try verify().findings.map(\.kind) == [.otherLedger])
    }

    @Test("takes no checkpoint that was forged, and none by a key that does not count")
    func forged() throws {
        let stranger = try NoteSigner.make()
        #expect(try verify(by: [stranger.verifier]).findings.allSatisfy { $0.kind == .badCheckpoint })
        #expect(try verify(by: [stranger.verifier]).findings.count == 4)
        let ledger = try Ledger.openForReading(stateDirectory: directory.path)
        // Of the very head, but by nobody that the ledger names.
        let head = try ledger.head()
        let claim = Checkpoint(
            origin: ledger.originName, sequence: head.sequence, hash: head.hash, at: reading(60).now)
        let note = try SignedNote(claim.text, by: stranger).description
        let read = CheckpointNotes(Array(note.utf8), file: "f")
        let report = try verify(read)
        #expect(report.findings.map(\.kind) == [.badCheckpoint] && report.checkpoints.newest == nil)
        // Another entry's number under a genuine signature.
        let text = String(decoding: directory.bytes("checkpoints"), as: UTF8.self)
        let moved = CheckpointNotes(Array(text.replacing("\n20\n", with: "\n25\n").utf8), file: "f")
        #expect(try verify(moved).findings.map(\.kind) == [.badCheckpoint])
        let torn = CheckpointNotes(Array(text.dropLast(30).utf8), file: "f")
        #expect(try verify(torn).findings.map(\.kind) == [.badCheckpoint])
    }

    @Test("sees a key that was replaced, and still takes what the first one signed")
    func replacedKey() throws {
        let second = try NoteSigner.make()
        try append(
            .checkpointKey(
                CheckpointKey(
                    verifier: second.verifier.description, replaces: signer.verifier.description)), 30)
        let report = try verify()
        #expect(report.findings == [])
        #expect(report.checkpointKeys == [signer.verifier.description, second.verifier.description])
    }

    @Test("goes on proving what it did after retention dropped bodies")
    func afterRetention() throws {
        let ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(60))
        #expect(try ledger.dropBodies(keep: TimeSpan(seconds: 5), reading: reading(60)) != nil)
        let report = try verify()
        #expect(report.findings == [] && report.droppedBodies > 0)
        #expect(report.checkpoints.newest?.sequence == 20)
        #expect(report.checkpointKeys == [signer.verifier.description])
    }
}
