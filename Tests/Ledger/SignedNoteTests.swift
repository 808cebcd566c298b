import FoundationEssentials
import Model
import Testing

@testable import Ledger

@Suite("Signed notes (C2SP signed-note)")
struct SignedNoteTests {
    /// The specification's example of a verifier key's note, as Go's golang.org/x/mod/sumdb/note has it in its documentation.
    static let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let published = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    @Test("reads a published note, and finds it signed by its published key")
    func example() throws {
        let key = try NoteVerifier(Self.verifier)
        #expect(key.description == Self.verifier)
        let note = try SignedNote(Self.published)
        #expect(note.text.hasPrefix("If you think") && note.text.hasSuffix("problem is.\n"))
        #expect(try note.signer(among: [key]) == key)
        #expect(note.description == Self.published)
    }

    @Test("signs what it then finds signed, and no other key and no other text is taken for it")
    func roundTrip() throws {
        let (signer, other) = (try NoteSigner.make(), try NoteSigner.make())
        let note = try SignedNote("one\ntwo\n", by: signer)
        let read = try SignedNote(note.description)
        #expect(read == note)
        #expect(try read.signer(among: [other.verifier, signer.verifier]) == signer.verifier)
        #expect(try read.signer(among: [other.verifier]) == nil)
        #expect(try read.signer(among: []) == nil)
        var changed = read
        changed.text = "one\nzwo\n"
        #expect(throws: NoteFailure.self) { try changed.signer(among: [signer.verifier]) }
        // A key of the same name and id, but other bytes, is no stranger whose signature is passed over.
        let back = try NoteSigner(secretText: signer.secretText)
        #expect(back.verifier == signer.verifier)
    }

    static let noNotes: [(what: String, text: String)] = [
        ("nothing", ""), ("one line", "a\n"), ("no signature", "a\n\n"),
        ("no text", "\n\u{2014} a AAAAAAA=\n"),
        ("no line feed at its end", "a\n\n\u{2014} a AAAAAAA="),
        ("no empty line", "a\n\u{2014} a AAAAAAA=\n"),
        ("a carriage return", "a\r\n\n\u{2014} a AAAAAAA=\n"),
        ("an escape", "a\u{1b}\n\n\u{2014} a AAAAAAA=\n"),
        ("a hyphen", "a\n\n- a AAAAAAA=\n"), ("no name", "a\n\n\u{2014}  AAAAAAA=\n"),
        ("a plus sign in the name", "a\n\n\u{2014} a+b AAAAAAA=\n"),
        ("three words", "a\n\n\u{2014} a b AAAAAAA=\n"), ("no Base64", "a\n\n\u{2014} a ????\n"),
        ("an id alone", "a\n\n\u{2014} a AAAAAA==\n"), ("text after it", "a\n\n\u{2014} a AAAAAAA=\nb\n"),
        ("too long", String(repeating: "a", count: 20_000) + "\n\n\u{2014} a AAAAAAA=\n"),
        ("too many signatures", "a\n\n" + String(repeating: "\u{2014} a AAAAAAA=\n", count: 17)),
    ]

    @Test("takes nothing else for a note", arguments: noNotes)
    func refused(what: String, text: String) {
        #expect(throws: NoteFailure.self) { try SignedNote(text) }
    }

    static let noKeys = [
        "", "a", "a+b", "a+c74f20a3+", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        // Another algorithm, and a key that is too short.
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2Qc=",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", String(repeating: "a", count: 5000),
    ]

    @Test("takes nothing else for a verifier key", arguments: noKeys)
    func noKey(text: String) { #expect(throws: NoteFailure.self) { try NoteVerifier(text) } }

    @Test(
        "says nothing of a private key, neither where it is printed nor where it cannot be read (invariant 13)"
    )
    func secret() throws {
        let signer = try NoteSigner.make()
        let secret = try #require(signer.secretText.split(separator: "+", maxSplits: 4).last).dropLast()
        var dumped = ""
        dump(signer, to: &dumped)
        for text in ["\(signer)", String(reflecting: signer), dumped] { #expect(!text.contains(secret)) }
        let damaged = signer.secretText.replacing("PRIVATE", with: "PRIVAT")
        let failure = #expect(throws: NoteFailure.self) { try NoteSigner(secretText: damaged) }
        #expect(failure?.description.contains(secret) == false)
    }

    // MARK: Checkpoints in a file

    private func checkpoint(_ sequence: Int64) -> Checkpoint {
        Checkpoint(
            origin: String(repeating: "ab", count: 16), sequence: sequence,
            hash: Digest(String(repeating: "c", count: 64)) ?? .none,
            at: Instant(seconds: 1_764_000_000 + sequence))
    }

    @Test("a checkpoint's text reads back, and nothing near it does")
    func text() throws {
        let text = checkpoint(7).text
        #expect(Checkpoint(text: text) == checkpoint(7))
        for other in [
            "", text + "\n", String(text.dropLast()), text.replacing("checkpoint 1", with: "checkpoint 2"),
            text.replacing("\n7\n", with: "\n07\n"), text.replacing("\n7\n", with: "\n+7\n"),
            text.replacing("\n7\n", with: "\n0\n"), text.replacing("abab", with: "abAB"),
            text.replacing("cccc", with: "cCcc"), text.replacing("\n7\n", with: "\n99999999999999999999\n"),
        ] {
            #expect(Checkpoint(text: other) == nil, "\(other)")
        }
    }

    @Test("a file gives its notes back, and says where something else is")
    func file() throws {
        let signer = try NoteSigner.make()
        let notes = try (1...3).map { try SignedNote(checkpoint($0).text, by: signer).description }
        let read = CheckpointNotes(Array(notes.joined(separator: "\n").utf8), file: "f")
        #expect(read.notes.map(\.checkpoint.sequence) == [1, 2, 3] && read.faults.isEmpty)
        // Without the line between, and with more than one.
        let close = CheckpointNotes(Array((notes.joined() + "\n\n\n").utf8), file: "f")
        #expect(close.notes.count == 3 && close.faults.isEmpty)
        let torn = CheckpointNotes(Array((notes[0] + "\n" + notes[1].prefix(60)).utf8), file: "f")
        #expect(torn.notes.count == 1)
        #expect(torn.faults.count == 1 && torn.faults[0].hasPrefix("f:9: "))
        #expect(CheckpointNotes([], file: "f").notes.isEmpty)
    }

    @Test("bytes of any kind are read without harm, and what is wrong is listed in bounded number")
    func hostile() {
        var dice = Dice(seed: 4)
        for _ in 0..<200 {
            let bytes = (0..<dice.next() % 2000).map { _ in
                dice.pick([10, 10, 0xe2, 0x80, 0x94, 32, 65, UInt8(truncatingIfNeeded: dice.next())])
            }
            #expect(CheckpointNotes(bytes, file: "f").faults.count <= 10)
        }
        let many = CheckpointNotes(
            Array(String(repeating: "a\n\n\u{2014} a AAAAAAA=\n\n", count: 50_000).utf8), file: "f")
        #expect(many.notes.isEmpty && many.faults.count == 10)
    }
}
