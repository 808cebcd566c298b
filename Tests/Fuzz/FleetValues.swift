@testable import Fleet
import FoundationEssentials
import Model
import Ports
import Rollout

/// What a fleet's store holds, whoever wrote it.
let fleetValues = [
    Target(name: "fleet", look: lookAtFleet),
    Target(name: "kept", look: lookAtKept),
    Target(name: "store", look: lookAtStore),
]

/// A store in which one text stands under every key.
private final class OneText: FleetStore {
    let text: String
    let names: [String]
    let seesOthers = true

    init(_ text: String, names: [String]) {
        self.text = text
        self.names = names
    }

    private var value: FleetValue { FleetValue(text: text, revision: FleetRevision("1")) }

    func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? { value }
    func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        names.map { FleetEntry(key: FleetKey(kind, $0), value: value) }
    }
    func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        throw FleetFailure(.conflict, "taken")
    }
    func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision { FleetRevision("2") }
    func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {}
}

private func lookAtFleet(_ bytes: [UInt8]) {
    let text = bytes.text
    let book = FleetBook(OneText(text, names: ["node-1", "revision:7731", "a/b"]))
    for distribution in Distribution.allCases {
        guard let found = attempt({ () throws(FleetFailure) in try book.rollout(of: distribution) }) else {
            continue
        }
        let document = found.value
        for stage in document.tracks.flatMap(\.stages) {
            _ = (stage.provenCount, stage.effectiveNeed, stage.isFulfilled)
        }
        expectReadsBack(document, found.text)
        _ = attempt { () throws(FleetFailure) in try book.put(document, over: found) }
        for kind in Track.Kind.allCases { lookAtTransitions(of: document, kind) }
    }
    if let nodes = attempt({ () throws(FleetFailure) in try book.nodes() }) {
        for problem in nodes.problems { expectShowable(problem.text) }
        for record in nodes.records { expectReadsBack(record, text) }
    }
    _ = attempt { () throws(FleetFailure) in try book.checkpoint(of: "node-1") }
    if let entries = attempt({ () throws(FleetFailure) in try book.quarantine() }) {
        for entry in entries {
            _ = attempt { () throws(FleetFailure) in try book.quarantine(entry, isNew: true) }
        }
    }
    _ = attempt { () throws(FleetFailure) in try book.approvals() }
}

/// Whatever document was read can be gone on with: each transition is one generation, and can be refused in words.
private func lookAtTransitions(of document: RolloutDocument, _ kind: Track.Kind) {
    let now = Instant(seconds: 1_800_000_100)
    let node = Participant(id: "a", cluster: "one", kind: kind, stage: "canary", architecture: "amd64")
    let grant = document.grant(of: node) ?? Grant(node: "a", id: "g1")
    func take(_ transition: () throws(Refusal) -> RolloutDocument) {
        do throws(Refusal) {
            let next = try transition()
            expect(
                next.generation == document.generation + 1, "\(next.generation) after \(document.generation)")
        } catch { expect(!error.text.isEmpty, "a refusal without a word") }
    }
    take { () throws(Refusal) in
        try document.granting(grant, to: node, policy: document.policy, now: now)
    }
    take { () throws(Refusal) in try document.proving(grant, by: node) }
    take { () throws(Refusal) in try document.failing(grant, of: node, reason: "it broke") }
    take { () throws(Refusal) in try document.resuming(highest: document.generation, now: now) }
    take { () throws(Refusal) in try document.evicting(node) }
    if let paused = try? document.pausingOverdue(now: now) { take { () throws(Refusal) in paused } }
    let situation = SeatSituation(
        document: document, storeAnswers: true, node: node, policy: document.policy, obstacle: nil,
        isQuarantined: false, step: .notBegun, freshGrant: "g9", now: now)
    _ = nextMove(Seat(), situation)
}

/// The value; an error must be one that can be shown.
private func attempt<Value>(_ body: () throws(FleetFailure) -> Value?) -> Value? {
    do throws(FleetFailure) { return try body() } catch {
        expectShowable(error.description)
        return nil
    }
}

/// Written over what it was read from it says the same, and keeps what only that text has.
private func expectReadsBack<Value: Codable & Hashable & Sendable>(_ value: Value, _ text: String) {
    // Foundation reads over a number such as 12-2.5 where nobody asks for it, and it cannot be written back.
    guard (try? KeptJSON(text: text)) != nil else { return }
    let key = FleetKey(.node, "node-1")
    let stored = Stored(value: value, revision: FleetRevision("1"), text: text)
    do throws(FleetFailure) {
        let written = try FleetText.write(value, over: stored, at: key)
        let again = try FleetText.read(Value.self, written, at: key)
        expect(again == value, "\(value) reads back as \(again)")
        expectSettled(written)
    } catch { fatalError("what was read cannot be written: \(error)") }
}

/// A text of JSON stays the same from its second writing on; at the first a fraction can become a whole number.
private func expectSettled(_ text: String) {
    var texts = [text]
    for _ in 1...2 {
        guard let read = try? KeptJSON(text: texts[texts.count - 1]) else {
            fatalError("no JSON any longer: \(texts)")
        }
        texts.append(read.text)
    }
    expect(areSame(texts[1], texts[2]), "JSON that does not settle: \(texts)")
}

private func lookAtKept(_ bytes: [UInt8]) {
    let parts = bytes.lines(atMost: 3).map(\.text)
    let read = parts.compactMap { try? KeptJSON(text: $0) }
    for one in read { expectSettled(one.text) }
    guard read.count == 3 else { return }
    let merged = read[0].keeping(read[1], beside: read[2])
    // What is kept is kept at the next write too.
    expect(
        merged.keeping(merged, beside: read[0]).text == merged.keeping(merged, beside: merged).text,
        "kept twice is not kept once")
}

private func lookAtStore(_ bytes: [UInt8]) {
    let data = Data(bytes)
    if let map = try? JSONDecoder().decode(FoundConfigMap.self, from: data) {
        for kind in FleetKey.Kind.allCases {
            guard let entry = attempt({ () throws(FleetFailure) in try map.entry(of: kind) }) else {
                continue
            }
            expect(entry.key.kind == kind && entry.key.isWellFormed, "a key of another kind")
        }
    }
    if let answer = try? JSONDecoder().decode(EtcdMessages.RangeAnswer.self, from: data) {
        for pair in answer.kvs ?? [] {
            guard let entry = attempt({ () throws(FleetFailure) in try pair.entry() }) else { continue }
            expect(entry.key.isWellFormed, "a key that is none")
        }
    }
    _ = try? JSONDecoder().decode(EtcdMessages.TransactionAnswer.self, from: data)
    let text = bytes.text
    if let key = FleetKey(stored: text) {
        expect(
            areSame(key.description, text) && ConfigMapEntry.name(of: key).utf8.count <= 253,
            "\(key) is no key")
    }
    let part = KeyPart.text(text)
    expect(FleetKey(.node, part).isWellFormed, "\(part) is no part of a key")
}
