import FoundationEssentials
import Model
import Reports
import Testing

@Suite("What a report says of guards and of a step")
struct GuardListTests {
    private let snap = InstallationID(distribution: .microk8s, name: "microk8s")
    private let now = Instant(seconds: 0)

    private func report(_ state: NodeState) -> NodeReport {
        let node = NodeFacts(name: "edge-1", cluster: "default", labels: [:], architecture: .amd64)
        let installation = Installation(
            id: snap, role: .node, units: [UnitObservation(name: "snap.microk8s.daemon-kubelite.service")],
            installed: nil, running: nil)
        return NodeReport(
            observation: Observation(
                node: node,
                clock: ClockReading(now: now, monotonic: 0, bootID: "b", synchronised: true),
                installations: [installation], problems: []),
            state: state, decisions: [], policy: nil, policyPath: "p", policyIsValid: false)
    }

    @Test("a snap's veto stands beside no unit of its own name, and its holds are no files: both are listed")
    func snapGuards() {
        let veto = "/etc/systemd/system/snap.microk8s.daemon-.service.d/zz-holdfast.conf"
        var records = GuardRecords()
        records.dropIns[veto] = PlacedDropIn(path: veto, text: "t", madeDirectory: true)
        let other = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"
        records.dropIns[other] = PlacedDropIn(path: other, text: "t", madeDirectory: true)
        records.settings = [
            PlacedSetting(setting: Setting(.snapHold, "microk8s"), value: "forever"),
            PlacedSetting(setting: Setting(.snapHold, "firefox"), value: "forever"),
            PlacedSetting(setting: Setting(.snapRetain, "system"), value: "3"),
        ]
        var state = NodeState()
        state.guards = records
        #expect(
            report(state).installations.first?.guards == [
                veto, "how many revisions snapd keeps", "snapd's hold of microk8s",
            ])
    }

    @Test("a change that is being carried out is told with how far it is")
    func openStep() throws {
        var state = NodeState()
        let change = Change(
            id: "c1", installation: snap, trigger: .rollout, phase: .offered,
            from: Artifact(version: Version("v1.33.4"), revision: "101"),
            to: Artifact(version: Version("v1.33.5"), revision: "103"), origin: .verified)
        state.step = Step(
            id: "s1", change: change, decision: "d1", approvals: [], source: "snapd",
            binary: "/snap/microk8s/101",
            since: ClockReading(now: now, monotonic: 0, bootID: "b", synchronised: true))
        struct Answer: Decodable {
            struct Part: Decodable { var id, change, phase, name: String }
            var step: Part?
        }
        let text = try CanonicalJSON.text(of: report(state))
        let step = try JSONDecoder().decode(Answer.self, from: Data(text.utf8)).step
        #expect(step?.id == "s1" && step?.change == "c1" && step?.phase == "storing")
        #expect(step?.name == "microk8s")
    }
}
