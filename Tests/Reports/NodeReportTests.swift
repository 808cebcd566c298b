import FoundationEssentials
import Model
import Reports
import Testing

private let digest = Digest(String(repeating: "a", count: 64))

private func report(decided: Bool) -> NodeReport {
    let id = InstallationID(distribution: .k3s, name: "k3s-edge")
    let approved = Artifact(version: Version("v1.31.4+k3s1"), sha256: digest)
    let installation = Installation(
        id: id, role: .server, units: [UnitObservation(name: "k3s-edge.service")],
        installed: Installed(
            artifact: Artifact(version: nil), path: "/opt/bin/k3s", evidence: .unreadable, origin: .unknown,
            unreadable: "not an ELF file"),
        running: Running(
            version: approved.version, sources: [.init(source: .api, version: approved.version)],
            restartPending: nil))
    var state = NodeState()
    var first = installation
    first.installed?.artifact = approved
    state.apply(.installationFound(first), at: Instant(seconds: 0))
    let change = Change(
        id: "c1", installation: id, trigger: .fileReplaced, phase: .onDisk, from: approved,
        to: Artifact(version: nil),
        origin: .unknown)
    let node = NodeFacts(name: "edge-1", cluster: "default", labels: [:], architecture: .amd64)
    let record = DecisionRecord(
        id: "d1",
        decision: Decision(reasons: [
            Reason(
                rule: .ceiling, result: .unknown, text: "no version", source: "policy.yaml:3", lever: "look")
        ]),
        subject: Subject(
            node: node, installation: installation, change: change, clockSynchronised: true, zone: .utc),
        policy: ResolvedPolicy(
            policy: Policy(), sources: [:], stages: [], stage: nil, sha256: .none, isCurrent: true),
        fleet: .alone, approvals: [], now: Instant(seconds: 0), dataVersions: [:])
    return NodeReport(
        observation: Observation(
            node: node,
            clock: ClockReading(now: Instant(seconds: 0), monotonic: 0, bootID: "b", synchronised: true),
            installations: [installation], problems: [Problem(code: "policy-absent", text: "no policy")]),
        state: state, decisions: decided ? [record] : [], policy: nil,
        policyPath: "/etc/holdfast/policy.yaml",
        policyIsValid: false)
}

@Suite("A node's report as JSON")
struct NodeReportTests {
    @Test("has every key that scripts rely on, null where something is not known")
    func shape() throws {
        let text = try CanonicalJSON.text(of: report(decided: true))
        let expected = """
            {"approvals":[],"checkpointKey":null,"denials":[],"installations":[{"adopted":false,"approved":{"confirmed":false,"revision":null,"sha256":"\(digest?.hex ?? "")",\
            "version":"v1.31.4+k3s1"},"changes":[{"decision":{"earliest":null,"id":"d1","reasons":[\
            {"lever":"look","result":"unknown","rule":"ceiling","source":"policy.yaml:3","text":"no version"}],\
            "verdict":"hold"},"from":"v1.31.4+k3s1","id":"c1","phase":"on-disk","skipsMinor":false,\
            "target":{"channel":null,"origin":"unknown","path":null,"revision":null,"sha256":null},"to":null,\
            "trigger":"file-replaced","updateType":"unknown"}],"dataDirectory":null,"dataStore":"unknown","debt":null,\
            "distribution":"k3s","gate":[],"guards":[],"installed":{"channel":null,"evidence":"unreadable","origin":"unknown",\
            "path":"/opt/bin/k3s","revision":null,"sha256":null,"unreadable":"not an ELF file","version":null},\
            "lastGood":null,"name":"k3s-edge","pending":[],"role":"server","running":{"restartPending":null,"sources":[\
            {"source":"api","version":"v1.31.4+k3s1"}],"version":"v1.31.4+k3s1"},"units":["k3s-edge.service"]}],\
            "node":"edge-1","paused":null,"policy":{"path":"/etc/holdfast/policy.yaml","sha256":null,"valid":false},\
            "problems":[{"code":"policy-absent","text":"no policy"}],"step":null,\
            "waits":[]}
            """
        #expect(text == expected)
    }

    @Test("says of an allowed change that cannot begin what it waits for")
    func waits() throws {
        var report = report(decided: true)
        let change = try #require(report.installations.first?.decisions.first?.subject.change)
        report.waits = [WaitingStep(change: change, reason: "its bytes are not here")]
        let text = try CanonicalJSON.text(of: report)
        let expected = """
            "waits":[{"change":"c1","distribution":"k3s","name":"k3s-edge","reason":"its bytes are not here","version":null}]}
            """
        #expect(text.hasSuffix(expected))
    }

    @Test("is JSON that others can read")
    func parses() throws {
        struct Outline: Decodable { let node: String }
        let text = try CanonicalJSON.text(of: report(decided: false))
        #expect(try JSONDecoder().decode(Outline.self, from: Data(text.utf8)).node == "edge-1")
    }
}
