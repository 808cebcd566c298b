import FoundationEssentials
import Model
import PolicyFile
import Rules
import Testing

private func incident(_ text: String) -> ParsedFile<Incident> {
    parseIncident(Array(text.utf8), file: "incident.yaml")
}

private let head = """
    apiVersion: holdfast/v1
    title: it went back
    happened: >-
      One line
      and another.
    sources: [k3s-io/k3s#14530]
    policy: homelab.yaml
    defaults:
      installation: {distribution: k3s, role: server}

    """

private let back = """
      - name: back
        now: 2026-08-17T13:46:47Z
        change: {from: v1.36.3+k3s1, to: v1.26.3+k3s1, trigger: suc-plan, phase: offered}
        expect: {verdict: deny, by: downgrade}

    """

private let wanted = """
      - name: wanted
        now: 2026-08-25T13:46:47Z
        change: {from: v1.36.3+k3s1, to: v1.36.4+k3s1, trigger: rollout, phase: offered}
        expect: {verdict: allow}

    """

@Suite("incidents")
struct IncidentTests {
    @Test("one is read as it is told")
    func told() throws {
        let one = try incident(head + "steps:\n" + back + wanted).value
        #expect(one.title == "it went back" && one.happened == "One line and another.")
        #expect(one.sources == ["k3s-io/k3s#14530"] && one.policy == "homelab.yaml")
        #expect(one.steps.map(\.name) == ["back", "wanted"])
        #expect(one.steps[0].expected.by == .downgrade && one.steps[1].expected.by == nil)
        #expect(one.steps[0].subject.change.trigger == .sucPlan)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var says: String
    }

    static let wrong: [Wrong] = [
        Wrong(testDescription: "empty", text: "", says: "the file is empty"),
        Wrong(
            testDescription: "only what went wrong", text: head + "steps:\n" + back,
            says: "nothing in it is let through"),
        Wrong(
            testDescription: "only what was wanted", text: head + "steps:\n" + wanted,
            says: "nothing in it is stopped"),
        Wrong(
            testDescription: "not in order", text: head + "steps:\n" + wanted + back,
            says: "is earlier than the step before"),
        Wrong(
            testDescription: "a node that is elsewhere",
            text: head + "steps:\n" + back + wanted.replacing("from: v1.36.3", with: "from: v1.26.3"),
            says: "begins elsewhere: node stands at v1.36.3+k3s1"),
        Wrong(
            testDescription: "no rule",
            text: head + "steps:\n" + back.replacing(", by: downgrade", with: "") + wanted,
            says: "not said by what"),
        Wrong(
            testDescription: "a rule for what is allowed",
            text: head + "steps:\n" + back + wanted.replacing("allow}", with: "allow, by: ceiling}"),
            says: "take it out"),
        Wrong(
            testDescription: "a source that is none",
            text: head.replacing("k3s-io/k3s#14530", with: "https://example.com") + "steps:\n" + back
                + wanted,
            says: "is no thread"),
        Wrong(
            testDescription: "a policy elsewhere",
            text: head.replacing("homelab.yaml", with: "../homelab.yaml") + "steps:\n" + back + wanted,
            says: "is a path"),
        Wrong(
            testDescription: "two of a name",
            text: head + "steps:\n" + back + wanted.replacing("wanted", with: "back"),
            says: "a second case is named"),
    ]

    @Test("one that is told wrong is refused, with the line", arguments: wrong)
    func refused(_ wrong: Wrong) {
        let faults = incident(wrong.text).faults
        #expect(faults.contains { $0.message.contains(wrong.says) }, "\(faults)")
    }

    @Test("every prefix of one, cut anywhere, gives an incident or faults")
    func prefixes() {
        let whole = Array((head + "steps:\n" + back + wanted).utf8)
        for length in 0..<whole.count {
            switch parseIncident(Array(whole[..<length]), file: "i") {
            case .valid: break
            case .invalid(let faults): #expect(!faults.isEmpty)
            }
        }
    }
}

@Suite("the shipped incidents")
struct ShippedIncidents {
    struct Told: Sendable, CustomTestStringConvertible {
        var name: String
        var incident: Incident
        var testDescription: String { name }
    }

    static let names: [String] = {
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: Shipped.directory + "/incidents")) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    static let told: [Told] = names.compactMap { name in
        (try? incident(name)).map { Told(name: name, incident: $0) }
    }

    static func incident(_ name: String) throws -> Incident {
        try parseIncident(try Shipped.bytes(of: "incidents/\(name).yaml"), file: name).value
    }

    @Test("at least fifteen are there, among them those that everybody has heard of")
    func present() {
        #expect(Self.names.count >= 15)
        for name in [
            "k3s-latest-went-back-to-1.26", "k3s-stable-flapped", "microk8s-minor-at-reboot",
            "microk8s-patch-killed-dqlite", "microk8s-skipped-a-minor", "k0s-etcd-3.5-to-3.7",
        ] {
            #expect(Self.names.contains(name))
        }
    }

    @Test("each is valid", arguments: names)
    func valid(_ name: String) throws { _ = try Self.incident(name) }

    @Test(
        "each is stopped by its team's shipped policy, by the rule that is told, and what was wanted goes in",
        arguments: told)
    func stopped(_ row: Told) throws {
        let loaded = try Shipped.policy(row.incident.policy).value
        for step in row.incident.steps {
            #expect(step.differences(from: decision(step, loaded)) == [], "\(row.name).yaml:\(step.line)")
        }
    }

    @Test("a policy that lets minors in by themselves lets an incident through, so that the check can fail")
    func weak() throws {
        let weak = try keys("unattended: minor\n").value
        let told = try Self.incident("k3s-stable-moved-a-minor")
        let first = try #require(told.steps.first)
        let decided = decision(first, weak)
        #expect(decided.verdict == .allow)
        #expect(!first.differences(from: decided).isEmpty)
    }

    private func decision(_ one: PolicyCase, _ loaded: LoadedPolicy) -> Decision {
        var subject = one.subject
        let resolved = resolve(
            loaded, isCurrent: true, node: subject.node, distribution: subject.installation.id.distribution,
            role: subject.installation.role)
        subject.zone = Shipped.zone(resolved.policy.timezone)
        return evaluate(
            policy: resolved, subject: subject, fleet: one.fleet, approvals: one.approvals, denials: [],
            now: one.now)
    }
}
