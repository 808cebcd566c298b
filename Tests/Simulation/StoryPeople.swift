import Agent
import Model
import Ports
import Rollout

/// What people do in a fleet's story: they release, roll out, approve, deny, go back, and mend what stands.
extension FleetStory {
    func peopleAct() {
        if dice.chance(40) { actOnOneNode() }
        guard let stored = store.rollouts[.k3s], !stored.value.state.hasEnded else {
            if let state = store.rollouts[.k3s]?.value.state { ended[state, default: 0] += 1 }
            return begin()
        }
        let document = stored.value
        idle = document.generation == seen ? idle + 1 : 0
        seen = document.generation
        switch document.state {
        // It does not move, and somebody loses patience.
        case .running where idle > 5 && dice.chance(60):
            put(try? document.aborting(reason: "it does not move"), over: stored)
        case .halted where dice.chance(40): put(try? document.aborting(reason: "it failed"), over: stored)
        case .paused: put(resuming(document), over: stored)
        case .running where highest > document.generation: put(resuming(document), over: stored)
        case .running where dice.chance(3): put(try? document.pausing(reason: "a person"), over: stored)
        case .running where dice.chance(1): put(try? document.aborting(reason: "a person"), over: stored)
        default: break
        }
    }

    private var person: SimulatedFleetPort {
        let port = SimulatedFleetPort(store)
        port.client.beforeOperation = {}
        return port
    }

    private var highest: Int64 { nodes.map { $0.state.seat(of: .k3s).highest }.max() ?? 0 }

    private var now: Instant { nodes.map(\.clock.now).max() ?? Instant(seconds: 0) }

    private func resuming(_ document: RolloutDocument) -> RolloutDocument? {
        try? document.resuming(highest: highest, now: nodes[0].clock.now)
    }

    private func put(_ document: RolloutDocument?, over stored: Stored<RolloutDocument>?) {
        if let document { _ = try? person.put(document, over: stored) }
    }

    // MARK: Rollouts

    private func begin() {
        guard let artifact = dice.chance(25) ? again() : release(), let version = artifact.version,
            let digest = artifact.sha256
        else { return }
        let records = store.records.values.map(\.value).sorted { $0.id < $1.id }
        let id = "r\(begun)"
        let planned = try? RolloutDocument.plan(
            id: id, distribution: .k3s,
            artifact: RolloutArtifact(version: version, bytes: ["amd64": digest.hex]), policy: .none,
            stages: stages,
            nodes: records.map { record in
                PlannedNode(
                    name: record.name,
                    participant: Participant(
                        id: record.id, cluster: record.cluster,
                        kind: record.parts.first?.role?.isControlPlane == false ? .workers : .controlPlane,
                        stage: record.stage ?? "", architecture: record.architecture))
            })
        let existing = store.rollouts[.k3s]
        guard let planned,
            let document = try? RolloutDocument.create(planned, over: existing?.value, highest: highest)
        else { return }
        begun += 1
        watch.begin(id, of: digest)
        put(document, over: existing)
        // Everybody could need one; what is no minor passes without.
        guard version.minor > 31 else { return }
        let who = dice.next() % 100
        if who < 40 { approve(artifact, scope: .rollout(id)) }
        if who >= 30, who < 70 { for stage in stages { approve(artifact, scope: .stage(stage.name)) } }
        for _ in 0..<6 where dice.chance(40) { approve(artifact, scope: .node(dice.pick(nodes).name)) }
    }

    /// A new release: mostly a patch, now and then a minor, or one that skips a minor.
    private func release() -> Artifact? {
        let newest = patches.keys.max() ?? 31
        let minor = newest + (dice.chance(50) ? 0 : dice.chance(80) ? 1 : 2)
        let patch = (patches[minor] ?? -1) + 1
        patches[minor] = patch
        let told = bug == .misreadsSkips && minor > newest + 1 ? newest + 1 : minor
        let digits = String(10_000 + releases.count)
        guard let version = Version("v1.\(minor).\(patch)+k3s1"),
            let read = Version("v1.\(told).\(patch)+k3s1"),
            let digest = Digest(String(repeating: "0", count: 64 - digits.count) + digits)
        else { return nil }
        watch.release(version, digest)
        let artifact = Artifact(version: read, sha256: digest)
        releases.append(artifact)
        let isBroken = dice.chance(35)
        for node in nodes {
            if isBroken, dice.chance(40) { shatter(artifact, on: node) }
            offer(artifact, to: node)
        }
        return artifact
    }

    /// What failed or was given up is tried once more, or what is older than what runs.
    private func again() -> Artifact? {
        // Mostly a minor, for which an approval may still be there.
        let minors = releases.filter { $0.version?.patch == 0 }
        let pool = dice.chance(60) && !minors.isEmpty ? minors.suffix(2) : releases.suffix(6)
        guard let artifact = pool.randomElement(using: &dice), let digest = artifact.sha256
        else { return nil }
        let isMended = dice.chance(60)
        if dice.chance(80), let entry = store.quarantined.first(where: { $0.bytes == digest.hex }) {
            _ = try? person.clear(entry, .init(at: now, claimedBy: "a person", reason: ""))
        }
        for node in nodes {
            if isMended { node.broken.remove(digest) }
            if dice.chance(80) { clear(artifact, on: node) }
            offer(artifact, to: node)
        }
        return artifact
    }

    private func shatter(_ artifact: Artifact, on node: World) {
        guard let digest = artifact.sha256 else { return }
        node.broken.insert(digest)
        watch.mayLeave(digest, on: node)
    }

    /// It was turned away there, and is kept; of what is kept the newest few.
    private func offer(_ artifact: Artifact, to node: World) {
        if let digest = artifact.sha256 { watch.offers(digest, to: node) }
        let id = node.installation.id
        node.keep(
            artifact, at: "/usr/local/bin/.holdfast-pending/k3s.\(artifact.sha256?.hex.suffix(6) ?? "")",
            of: id)
        let surplus = node.installations[0].offers.count - 2
        if surplus > 0 { node.installations[0].offers.removeFirst(surplus) }
    }

    // MARK: One node

    private func approve(_ artifact: Artifact, scope: Approval.Scope, on node: World? = nil) {
        guard let digest = artifact.sha256 else { return }
        let now = node?.clock.now ?? now
        let approval = Approval(
            id: "a\(watch.approved.count)", distribution: .k3s, version: artifact.version,
            digests: ["amd64": digest], revision: nil, from: [], scope: scope, approvedAt: now,
            expires: now + dice.pick([.hours(5), .hours(20), .days(20), .days(900)]), waives: [],
            reason: "", claimedBy: "a person", spentBy: [])
        watch.approve(approval)
        if let node { node.record(.approved(approval)) } else { try? person.share(approval) }
    }

    private func clear(_ artifact: Artifact, on node: World) {
        node.record(
            .rolloutSaid(
                RolloutWord(
                    distribution: .k3s, rollout: nil, version: artifact.version,
                    word: .clear(bytes: artifact.bytes ?? ""), reason: "", claimedBy: "a person")))
    }

    private func actOnOneNode() {
        let node = dice.pick(nodes)
        guard let artifact = releases.suffix(3).randomElement(using: &dice) else { return }
        switch dice.next() % 4 {
        case 0: approve(artifact, scope: .node(node.name), on: node)
        case 1: goBack(node)
        case 2:
            if let digest = artifact.sha256 { watch.mayLeave(digest, on: node) }
            node.record(
                .denied(
                    Denial(
                        id: "d\(watch.turns)", distribution: .k3s, target: artifact,
                        deniedAt: node.clock.now, reason: "no", claimedBy: "a person")))
        default:
            for denial in node.state.denials {
                node.record(.revoked(Revocation(revoked: .denial(denial), claimedBy: "a person")))
            }
        }
    }

    /// As the command does it.
    private func goBack(_ node: World) {
        let outcome = node.tick(dryRun: true)
        guard
            let asked = try? rollback(
                of: node.installation.id, reason: "a person", outcome.judgement, port: node.guards,
                site: World.site, label: fingerprint)
        else { return }
        if let digest = node.onDisk { watch.mayLeave(digest, on: node) }
        for event in asked.events { node.record(event) }
    }
}
