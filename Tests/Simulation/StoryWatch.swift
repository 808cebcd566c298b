import Model
import Ports
import Rules

/// What must hold in a fleet's story, told from what is true in the simulated world and not from what an agent says.
///
/// It knows which version bytes really are, what people have really approved, what lies in each binary's place and what
/// has started on each data directory.
final class StoryWatch {
    private(set) var violations: [String] = []
    let stages: [Stage]
    var nodes: [World] = []
    /// How many turns there were.
    var turns = 0

    /// What the story came to, so that nothing is met by doing nothing.
    private(set) var reached: Set<Reached> = []
    /// How many artifacts were put in place.
    private(set) var puts = 0

    enum Reached: CaseIterable {
        case patch, minor, putBack, minorOnServer, minorBackOnAgent, approvalForOneNode
        case approvalEnded, skipOffered
    }

    /// The version of everything that was ever released, by its bytes.
    private(set) var releases: [Digest: Version] = [:]
    /// The bytes of each rollout.
    private(set) var rollouts: [String: Digest] = [:]
    /// What people have approved.
    private(set) var approved: [Approval] = []
    /// Stages that were met once, by bytes and track: what a restored store forgets stays true.
    private var met: [String: Set<String>] = [:]
    /// What is known of each node.
    private var known: [String: Known] = [:]

    private struct Known {
        /// Approvals under which bytes have started here.
        var used: Set<String> = []
        /// Under which what lies in place was put there.
        var putUnder: Set<String> = []
        /// What has started here, and since when what lies in place has.
        var started: Set<Digest> = []
        var hasStarted = true
        /// The highest version that has started on the data.
        var highest: Version?
        /// Bytes that a person or their own failing lets it go back from.
        var mayLeave: Set<Digest> = []
    }

    init(stages: [Stage]) { self.stages = stages }

    // MARK: What people do

    func release(_ version: Version, _ digest: Digest) { releases[digest] = version }

    func begin(_ rollout: String, of digest: Digest) { rollouts[rollout] = digest }

    func approve(_ approval: Approval) { approved.append(approval) }

    /// Bytes fail there, or a person there does not want them.
    func mayLeave(_ digest: Digest, on node: World) {
        known[node.name, default: Known()].mayLeave.insert(digest)
    }

    // MARK: What happens

    /// Has every event of a node looked at.
    func watch(_ node: World) {
        nodes.append(node)
        known[node.name] = Known()
        node.onPut = { [unowned self, unowned node] from, to in puts(node, from, to) }
        node.onStart = { [unowned self, unowned node] artifact in starts(node, artifact) }
        node.guards.onPerform = { [unowned self, unowned node] effect in performs(node, effect) }
        if let running = node.installation.running?.startedFrom { starts(node, running) }
    }

    func wrote(_ document: RolloutDocument) {
        guard let digest = rollouts[document.id] else {
            return violate("4: somebody wrote a rollout that nobody began: \(document.id)")
        }
        for track in document.tracks {
            for stage in track.stages where stage.met {
                met["\(digest.hex) \(track.cluster) \(track.kind.rawValue)", default: []].insert(stage.name)
            }
            let inStep = track.stages.reduce(0) { $0 + $1.granted.count }
            if track.kind == .controlPlane, inStep > 1 {
                violate("4: \(inStep) control-plane nodes of \(track.cluster) hold a grant at once")
            }
            for stage in track.stages where stage.granted.count > stage.max {
                violate("4: \(stage.granted.count) nodes hold a grant of stage \(stage.name)")
            }
        }
    }

    /// An effect is about to be performed: its intent is in the ledger, for whoever comes after a crash.
    private func performs(_ node: World, _ effect: Effect) {
        var ended: Set<String> = []
        for entry in node.committed.reversed() {
            switch entry.event {
            case .intended(let intent) where intent.effect == effect && !ended.contains(intent.id): return
            case .effected(let end) where end.outcome.isOver: ended.insert(end.intent)
            default: break
            }
        }
        violate("7: \(node.name) performs what it never meant to: \(effect.summary)")
    }

    /// An artifact takes the place of another on the disk.
    private func puts(_ node: World, _ from: Artifact?, _ to: Artifact) {
        guard let digest = to.sha256, let new = releases[digest], let before = from?.sha256,
            before != digest, let old = releases[before]
        else { return }
        defer { known[node.name]?.hasStarted = false }
        let step = node.state.step
        let approvals = step?.approvals ?? []
        let isBack = new < old || step?.phase.isBack == true
        known[node.name]?.putUnder = isBack ? [] : Set(approvals)
        puts += 1
        if isBack { return checkBack(node, from: before, old, to: digest, new) }
        if new.major != old.major || new.minor > old.minor + 1 {
            violate("9: \(node.name) goes from \(old) to \(new)")
        }
        for id in approvals {
            let given = approved.filter { $0.id == id }
            let refusals = given.compactMap { refusal(of: $0, digest, node, step?.rollout) }
            if given.isEmpty || refusals.count == given.count {
                violate(
                    "6: \(node.name) puts \(new) in place by approval \(id), which "
                        + (refusals.first ?? "nobody gave"))
            }
        }
        let isMinor = (new.major, new.minor) != (old.major, old.minor)
        reached.insert(isMinor ? .minor : .patch)
        if isMinor, node.isServer { reached.insert(.minorOnServer) }
        if approved.contains(where: { approvals.contains($0.id) && $0.scope == .node(node.name) }) {
            reached.insert(.approvalForOneNode)
        }
        if isMinor, !approved.contains(where: { refusal(of: $0, digest, node, step?.rollout) == nil }) {
            violate("1: \(node.name) puts \(new) in place, a minor that nobody approved for it")
        }
        checkOrder(node, digest)
    }

    /// Why an approval does not let these bytes in here now, as people meant it; nil where it does.
    private func refusal(
        of approval: Approval, _ digest: Digest, _ node: World, _ rollout: String?
    ) -> String? {
        guard approval.digests["amd64"] == digest else { return "is of other bytes" }
        switch approval.scope {
        case .node(let name) where name != node.name: return "is for node \(name)"
        case .stage(let name) where name != stage(of: node)?.name: return "is for stage \(name)"
        case .rollout(let id) where id != rollout || rollouts[id] != digest: return "is for rollout \(id)"
        case .node, .stage, .rollout: break
        }
        if node.clock.now >= approval.expires { return "has ended" }
        return known[node.name]?.used.contains(approval.id) == true ? "is used up there" : nil
    }

    private func stage(of node: World) -> Stage? { stages.first { $0.matches(node.facts) } }

    /// Only what failed, what a person takes back and what never started is gone back from, and never over its data.
    private func checkBack(_ node: World, from: Digest, _ old: Version, to: Digest, _ new: Version) {
        guard let known = known[node.name] else { return }
        if known.hasStarted { reached.insert(.putBack) }
        if !node.isServer, new.minor < old.minor, known.hasStarted { reached.insert(.minorBackOnAgent) }
        if known.hasStarted, !known.mayLeave.contains(from) {
            violate("9: \(node.name) goes back from \(old) to \(new), and nothing is wrong with it")
        }
        if !known.started.contains(to) {
            violate("9: \(node.name) goes back to \(new), which never ran there")
        }
        if node.isServer, let highest = known.highest, highest.minor > new.minor {
            violate("12: \(node.name) puts \(new) in place over data of \(highest)")
        }
    }

    /// Every earlier stage, over all tracks of its kind, was met for these bytes before this node puts them in place.
    private func checkOrder(_ node: World, _ digest: Digest) {
        guard let own = stages.firstIndex(where: { $0.matches(node.facts) }) else { return }
        for other in nodes where other.isServer == node.isServer {
            guard let position = stages.firstIndex(where: { $0.matches(other.facts) }), position < own else {
                continue
            }
            let track =
                "\(digest.hex) \(other.clusterName) \(node.isServer ? "control-plane" : "workers")"
            if met[track]?.contains(stages[position].name) != true {
                violate(
                    "4: \(node.name) of stage \(stages[own].name) takes \(digest.short) before stage "
                        + "\(stages[position].name) of \(other.clusterName) was met")
            }
        }
    }

    private func starts(_ node: World, _ artifact: Artifact?) {
        guard let digest = artifact?.sha256, let version = releases[digest] else { return }
        var known = known[node.name] ?? Known()
        let before = known.highest ?? version
        known.started.insert(digest)
        if !known.hasStarted { known.used.formUnion(known.putUnder) }
        known.hasStarted = true
        known.highest = max(before, version)
        self.known[node.name] = known
        if node.isServer, version.minor < before.minor {
            violate("12: \(node.name) starts \(version) over data of \(before)")
        }
        checkSkew(around: node, version)
    }

    /// No two API servers of a cluster are more than one minor apart, and no kubelet is newer than the oldest of them.
    private func checkSkew(around node: World, _ version: Version) {
        var servers: [Int] = []
        var workers: [Int] = []
        for other in nodes where other.clusterName == node.clusterName {
            let running =
                other === node
                ? version : other.installation.running?.startedFrom?.sha256.flatMap { releases[$0] }
            guard let minor = running?.minor else { continue }
            if other.isServer { servers.append(minor) } else { workers.append(minor) }
        }
        guard let oldest = servers.min(), let newest = servers.max() else { return }
        if newest - oldest > 1 {
            violate("9: API servers of \(node.clusterName) are \(oldest) and \(newest)")
        }
        if let kubelet = workers.max(), kubelet > oldest {
            violate("9: a kubelet of \(node.clusterName) is \(kubelet), its oldest API server \(oldest)")
        }
        if let kubelet = workers.min(), newest - kubelet > 3 {
            violate("9: a kubelet of \(node.clusterName) is \(kubelet), its newest API server \(newest)")
        }
    }

    /// What is offered to a node and does not get in, since an approval does not let it in any longer.
    func offers(_ digest: Digest, to node: World) {
        guard let new = releases[digest], let old = node.onDisk.flatMap({ releases[$0] }), new > old else {
            return
        }
        if new.minor > old.minor + 1 { reached.insert(.skipOffered) }
        guard new.minor > old.minor else { return }
        for approval in approved where approval.digests["amd64"] == digest {
            if node.clock.now >= approval.expires { reached.insert(.approvalEnded) }
        }
    }

    // MARK: After each turn

    /// - Parameter isWhole: whether the process lived to its end and met no trouble of ours.
    func look(at node: World, isWhole: Bool) {
        checkControlPlane(of: node)
        if node.installation.installed?.artifact.sha256 == nil {
            violate("7: \(node.name) has no artifact that could be started")
        }
        guard isWhole else { return }
        if let intent = node.state.guards?.intents.first {
            violate("7: \(node.name) leaves unfinished what was begun: \(intent.effect.summary)")
        }
        if let half = node.guards.files.keys.first(where: {
            $0.hasSuffix(".draft") || $0.hasSuffix(".staged")
        }) {
            violate("7: \(node.name) leaves \(half) behind")
        }
    }

    /// One control-plane node of a cluster at a time is away.
    private func checkControlPlane(of node: World) {
        guard node.isServer else { return }
        let away = nodes.filter { other in
            guard other.clusterName == node.clusterName, other.isServer, let step = other.state.step,
                step.rollout != nil
            else { return false }
            return [.replacing, .restarting, .probing].contains(step.phase) && !step.isProofOnly
        }
        if away.count > 1 {
            violate("4: \(away.map(\.name)) of one control plane are in their steps at once")
        }
    }

    func violate(_ text: String) { violations.append("after \(turns) turns: \(text)") }
}

extension World {
    var facts: NodeFacts { NodeFacts(name: name, cluster: clusterName, labels: [:], architecture: .amd64) }
    var isServer: Bool { installation.role?.isControlPlane == true }
}

extension EffectEnd.Outcome {
    /// Whether nothing more is done of it.
    fileprivate var isOver: Bool {
        switch self {
        case .failed, .unknown: false
        default: true
        }
    }
}
