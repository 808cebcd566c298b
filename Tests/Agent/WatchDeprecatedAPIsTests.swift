import Model
import Ports
import Testing

@testable import Agent

/// API servers that answer as they are told to.
private final class ScriptedServers: StepClusterPort {
    var samples: [APIServerSample] = [
        APIServerSample(address: "a", said: .init(start: Instant(seconds: 0), used: []))
    ]
    var failure: ClusterFailure?
    private(set) var asked = 0

    func deprecatedAPIs(through access: ClusterAccess) throws(ClusterFailure) -> [APIServerSample] {
        asked += 1
        if let failure { throw failure }
        return samples
    }

    func nodeName(through access: ClusterAccess) throws(ClusterFailure) -> String? { nil }
    func drainOnce(through access: ClusterAccess) throws(ClusterFailure) -> DrainProgress {
        DrainProgress(left: 0)
    }
    func controlPlane(
        of installation: Installation, through access: ClusterAccess
    ) throws(ClusterFailure) -> ControlPlane { ControlPlane(members: []) }
}

@Suite("Watching API servers for a gate")
struct WatchDeprecatedAPIsTests {
    private func observation(_ minute: Int64, role: Role = .server) -> Observation {
        var observation = Observation(
            node: NodeFacts(name: "n", cluster: "c", labels: [:], architecture: .amd64),
            clock: ClockReading(
                now: Instant(seconds: minute * 60), monotonic: 0, bootID: "b", synchronised: true),
            installations: [
                Installation(
                    id: InstallationID(distribution: .k3s, name: "k3s"), role: role, units: [],
                    installed: nil,
                    running: nil)
            ], problems: [])
        observation.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
        return observation
    }

    private func policy(_ change: (inout Policy) -> Void = { _ in }) -> LoadedPolicy {
        var base = Policy()
        change(&base)
        return LoadedPolicy(
            document: PolicyDocument(base: base), sources: PolicySources(file: "p", lines: [:]), sha256: .none
        )
    }

    @Test("they are asked every ten minutes, and what they said is remembered")
    func interval() {
        let servers = ScriptedServers()
        var memory = ObserverMemory()
        let watch = WatchDeprecatedAPIs(port: servers)
        for minute in Int64(0)...25 { watch.look(observation(minute), policy: policy(), memory: &memory) }
        #expect(servers.asked == 3)
        #expect(memory.deprecatedAPIs?.coverage(at: Instant(seconds: 20 * 60)) == .minutes(20))
    }

    @Test("a list that cannot be had makes nothing clear (invariant 2)")
    func silence() throws {
        let servers = ScriptedServers()
        var memory = ObserverMemory()
        let watch = WatchDeprecatedAPIs(port: servers)
        watch.look(observation(0), policy: policy(), memory: &memory)
        servers.failure = ClusterFailure("no answer")
        for minute in Int64(10)...60 { watch.look(observation(minute), policy: policy(), memory: &memory) }
        let target = try #require(Version("v1.32.0+k3s1"))
        let verdict = deprecatedAPIs(
            goingTo: target, coverage: .zero, known: memory.deprecatedAPIs, at: Instant(seconds: 3600))
        guard case .unknown = verdict else {
            Issue.record("\(verdict)")
            return
        }
        guard
            case .unknown = deprecatedAPIs(
                goingTo: target, coverage: .zero, known: nil, at: Instant(seconds: 0))
        else {
            Issue.record("nobody was asked")
            return
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var role = Role.server
        var change: @Sendable (inout Policy) -> Void = { _ in }
        var isSilent = false
    }

    static let rows = [
        Row(testDescription: "an agent", role: .agent),
        Row(testDescription: "no gate asks", change: { $0.gates = [] }),
        Row(
            testDescription: "another gate asks",
            change: { $0.gates = [.command(["/bin/true"], timeout: .zero)] }),
        Row(testDescription: "no minor can come", change: { $0.approvable = .patch }),
        Row(testDescription: "the cluster does not answer", isSilent: true),
    ]

    @Test("they are left alone where", arguments: rows)
    func quiet(row: Row) {
        let servers = ScriptedServers()
        var memory = ObserverMemory()
        if row.isSilent {
            memory.cluster = KnownCluster(askedAt: Instant(seconds: 0))
            memory.cluster?.failure = "no answer"
        }
        WatchDeprecatedAPIs(port: servers).look(
            observation(0, role: row.role), policy: policy(row.change), memory: &memory)
        #expect(servers.asked == 0)
    }
}

@Suite("A cordon of a step")
struct CordonPlanTests {
    private func effects(isOpen: Bool, isAdopted: Bool = true, reading: SettingReading?) -> [Effect] {
        let setting = Setting(.cordon, "edge-1")
        let now = Instant(seconds: 1000)
        var state = NodeState()
        let set = Intent(id: "i", effect: .set(setting, to: "true"), before: .setting(nil))
        state.apply(.intended(set), at: now)
        state.apply(.effected(EffectEnd(of: set, outcome: .reads("true"))), at: now)
        let clock = ClockReading(now: now, monotonic: 0, bootID: "b", synchronised: true)
        if isOpen {
            let id = InstallationID(distribution: .k3s, name: "k3s")
            state.apply(
                .installationFound(
                    Installation(id: id, role: .server, units: [], installed: nil, running: nil)), at: now)
            if isAdopted {
                state.apply(
                    .adopted(Adoption(installation: id, artifact: Artifact(version: nil), at: now)), at: now)
            }
            let change = Change(
                id: "c", installation: id, trigger: .unknown, phase: .offered, from: Artifact(version: nil),
                to: Artifact(version: nil), origin: .unknown)
            let step = Step(
                id: "s", change: change, decision: "d", approvals: [], source: "/a", binary: "/b",
                since: clock)
            state.apply(.stepBegan(step), at: now)
            state.apply(
                .stepMoved(StepMove(of: step, to: .draining, since: clock, invocation: nil)), at: now)
        }
        var observation = Observation(
            node: NodeFacts(name: "n", cluster: "c", labels: [:], architecture: .amd64), clock: clock,
            installations: [], problems: [])
        observation.settings[setting] = reading
        let situation = GuardSituation(
            state: state, observation: observation, policy: nil, site: GuardSite(gate: "/g", state: "/s"))
        return SettingPlan(situation, GuardPresence()).restores
    }

    @Test("stays while the step is open, and is taken away where a step has left it (invariant 10)")
    func kept() {
        #expect(effects(isOpen: true, reading: nil).isEmpty)
        #expect(effects(isOpen: false, reading: nil).count == 1)
        // No step goes on there, so nobody else would take it away.
        #expect(effects(isOpen: true, isAdopted: false, reading: nil).count == 1)
    }

    @Test("is left alone while the cluster cannot be asked")
    func unknown() { #expect(effects(isOpen: false, reading: .unknown).isEmpty) }
}
