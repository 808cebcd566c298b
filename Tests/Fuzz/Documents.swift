import Crypto
import FoundationEssentials
import Model
@testable import PolicyFile
import Rules

/// What people write: policies, cases, incidents, node.yaml.
let documents = [
    Target(name: "policy", look: lookAtPolicy, words: { wordsOf(Schema.policy) }),
    Target(name: "cases", look: lookAtCases),
    Target(name: "incident") { _ = checked(parseIncident($0, file: "incident.yaml"), of: $0) },
    Target(
        name: "node",
        look: { bytes in
            guard let node = checked(parseNodeFile(bytes, file: "node.yaml"), of: bytes) else { return }
            expect(node.stateDirectory.hasPrefix("/"), "a state directory that is not absolute")
        }, words: { wordsOf(Schema.node) }),
]

/// All keys, and the words that may stand behind them.
private func wordsOf(_ keys: [SchemaKey]) -> Set<String> {
    keys.reduce(into: []) { words, key in
        words.insert("\(key.name): ")
        words.formUnion(key.form.split(separator: " | ").map { "\($0)" })
        words.formUnion(wordsOf(key.keys))
    }
}

private let file = "policy.yaml"
private func hash(_ bytes: [UInt8]) -> Digest { Digest(bytes: sha256(bytes)) ?? .none }
private func isZone(_ name: String) -> Bool { name == "UTC" || name.hasPrefix("Europe/") }

private func lookAtPolicy(_ bytes: [UInt8]) {
    guard let policy = checked(parsePolicy(bytes, file: file, isZone: isZone, hash: hash), of: bytes) else {
        return
    }
    // A decision is made again from what the ledger keeps of its policy (invariant 5).
    guard let text = try? CanonicalJSON.text(of: policy.document),
        let read = try? JSONDecoder().decode(PolicyDocument.self, from: Data(text.utf8))
    else { fatalError("a policy that is valid and cannot be kept") }
    expect(read == policy.document, "a policy that reads back as another one")
    expect(
        (try? CanonicalJSON.text(of: read)).map { areSame($0, text) } == true, "a policy that has two forms")
    // With the hash from a look before, and in every run, the same is read.
    switch parsePolicy(bytes, file: file, isZone: isZone, known: policy.sha256, hash: hash) {
    case .valid(let again, _): expect(again == policy, "the same bytes give another policy")
    case .invalid: fatalError("the same bytes are invalid at the second look")
    }
    for one in someCases { judge(one, by: policy) }
}

private func lookAtCases(_ bytes: [UInt8]) {
    guard let cases = checked(parsePolicyCases(bytes, file: "cases.yaml"), of: bytes) else { return }
    let policy = LoadedPolicy(
        document: PolicyDocument(), sources: PolicySources(file: file, lines: [:]), sha256: .none)
    for one in cases.cases { judge(one, by: policy) }
}

/// Changes that any policy that is valid must have a word about.
private let someCases: [PolicyCase] = {
    let changes = [
        ("k3s", "server", "v1.31.4+k3s1", "v1.31.5+k3s1"),
        ("k3s", "agent", "v1.31.4+k3s1", "v1.33.0-rc1+k3s2"),
        ("k0s", "worker", "v1.31.4+k0s.0", "v1.30.9+k0s.1"), ("microk8s", "node", "v1.31.4", "v1.32.0"),
    ]
    let cases = changes.map { distribution, role, from, to in
        "- {name: \(distribution) \(role), installation: {distribution: \(distribution), role: \(role)}, "
            + "node: {name: edge-1, labels: {tier: canary}}, change: {from: \(from), to: \(to)}, "
            + "now: 2026-11-27T23:30:00Z, expect: {verdict: allow}}\n"
    }
    let text = "apiVersion: holdfast/v1\ncases:\n" + cases.joined()
    guard case .valid(let read, _) = parsePolicyCases(Array(text.utf8), file: "cases") else {
        fatalError(
            "the cases of the fuzzer are not valid: \(parsePolicyCases(Array(text.utf8), file: "cases"))")
    }
    return read.cases
}()

private func judge(_ one: PolicyCase, by policy: LoadedPolicy) {
    let subject = one.subject
    let resolved = resolve(
        policy, isCurrent: true, node: subject.node, distribution: subject.installation.id.distribution,
        role: subject.installation.role)
    func decided() -> DecisionRecord {
        decide(
            policy: resolved, subject: subject, fleet: one.fleet, approvals: one.approvals, denials: [],
            now: one.now,
            zoneData: "fuzz", label: { "\($0.utf8.count)" })
    }
    let record = decided()
    expect(record == decided(), "two decisions about the same")
    guard let text = try? CanonicalJSON.text(of: record),
        let read = try? JSONDecoder().decode(DecisionRecord.self, from: Data(text.utf8))
    else { fatalError("a decision that cannot be kept") }
    expect(read == record, "a decision that reads back as another one")
    for reason in record.decision.reasons { expectShowable(reason.text) }
}

/// The value, where there is one; what is wrong is sorted, bounded, showable, and stands in the file.
private func checked<Value>(_ parsed: ParsedFile<Value>, of bytes: [UInt8]) -> Value? {
    let value: Value?
    let faults: [FileFault]
    switch parsed {
    case .valid(let found, let warnings): (value, faults) = (found, warnings)
    case .invalid(let found):
        (value, faults) = (nil, found)
        expect(!found.isEmpty, "invalid, and nothing is wrong with it")
    }
    expect(faults.count <= Reader.mostFaults + 1, "\(faults.count) faults")
    // YAML 1.1 has line breaks of up to three bytes, and none of less than one.
    let lines = bytes.count + 1
    for fault in faults {
        expectShowable(fault.description)
        expect(
            (1...lines).contains(fault.line) && (1...lines).contains(fault.column),
            "\(fault) is nowhere in the file")
    }
    for (first, second) in zip(faults, faults.dropFirst()) {
        expect((first.line, first.column) <= (second.line, second.column), "faults out of order")
    }
    return value
}
