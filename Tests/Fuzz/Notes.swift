import Crypto
import FoundationEssentials
@testable import Ledger
import Model

/// Signed notes, checkpoints and the keys that sign them.
let notes = [Target(name: "note", look: lookAtNote, seeds: madeNotes)]

/// A key that everybody may know.
private let signer: NoteSigner? = {
    guard let key = try? SigningKey(seed: Array(1...32)) else { return nil }
    let verifier = NoteVerifier(name: "fuzz", publicKey: key.publicKey)
    let seed = Data([1] + Array(1...32)).base64EncodedString()
    let id = verifier.description.split(separator: "+")[1]
    return try? NoteSigner(secretText: "PRIVATE+KEY+fuzz+\(id)+\(seed)\n")
}()

private let checkpoint = Checkpoint(
    origin: "0123456789abcdef0123456789abcdef", sequence: 42, hash: .none, at: Instant(seconds: 1_795_000_000)
)

private func madeNotes() -> [[UInt8]] {
    guard let signer, let note = try? SignedNote(checkpoint.text, by: signer) else { return [] }
    let text = note.description
    return [text, "\(text)\n\(text)", signer.verifier.description, checkpoint.text].map { Array($0.utf8) }
}

private func lookAtNote(_ bytes: [UInt8]) {
    let text = bytes.text
    do throws(NoteFailure) { expectSound(try SignedNote(text)) } catch { expectShowable(error.description) }
    let found = CheckpointNotes(bytes, file: "checkpoints")
    expect(found.faults.count <= 10, "\(found.faults.count) faults")
    for fault in found.faults { expectShowable(fault) }
    for one in found.notes {
        expect(areSame(one.checkpoint.text, one.note.text), "a checkpoint that is not what was signed")
        expectSound(one.note)
    }
    do throws(NoteFailure) {
        let key = try NoteVerifier(text)
        expect((try? NoteVerifier(key.description)) == key, "a key that reads back as another one")
    } catch { expectShowable(error.description) }
    if let read = Checkpoint(text: text) {
        expect(areSame(read.text, text), "a checkpoint that has two forms")
    }
    _ = try? NoteSigner(secretText: text)
}

private func expectSound(_ note: SignedNote) {
    let text = note.description
    guard let again = try? SignedNote(text) else {
        fatalError("no note any longer: \(text.debugDescription)")
    }
    expect(again == note && areSame(again.description, text), "a note that reads back as another one")
    expect((1...16).contains(note.signatures.count), "\(note.signatures.count) signatures")
    // Nobody can sign anything else in this key's name.
    guard let signer, let by = try? note.signer(among: [signer.verifier]) else { return }
    expect(by == signer.verifier && areSame(note.text, checkpoint.text), "a forged note")
}
