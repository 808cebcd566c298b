import FoundationEssentials
@testable import Ledger
import Model

/// Bodies of a ledger's entries: the kind in the first line, the text in the rest.
let ledgers = [Target(name: "ledger", look: lookAtEntry)]

private func lookAtEntry(_ bytes: [UInt8]) {
    let lines = bytes.lines(atMost: 2).map(\.text)
    guard lines.count == 2 else { return }
    do {
        guard let event = try EntryBody.event(kind: lines[0], text: lines[1]) else { return }
        guard let text = try? EntryBody.text(of: event) else { fatalError("what was read cannot be written") }
        guard let again = try? EntryBody.event(kind: lines[0], text: text) else {
            fatalError("no event any longer: \(text)")
        }
        expect(again == event, "an event that reads back as another one")
        expect(
            (try? EntryBody.text(of: again)).map { areSame($0, text) } == true, "an event that has two forms")
    } catch {}
    if let seed = Ledger.seed(from: lines[1]), let text = try? CanonicalJSON.text(of: seed) {
        expect(Ledger.seed(from: text) == seed, "a seed that reads back as another one")
    }
    let data = Data(lines[1].utf8)
    if let backup = try? JSONDecoder().decode(KeptBackup.self, from: data),
        let text = try? CanonicalJSON.text(of: backup)
    {
        expect(
            (try? JSONDecoder().decode(KeptBackup.self, from: Data(text.utf8))) == backup, "another backup")
    }
}
