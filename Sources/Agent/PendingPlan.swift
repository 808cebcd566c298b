import Model
import Ports

/// How much of what was turned away is kept.
enum PendingBounds {
    /// Artifacts beside one binary: the newest is what somebody wants in, the one before it is what they tried first.
    static let most = 3
    /// Bytes beside one binary: three of the largest that the distributions ship, and room to spare.
    static let bytes: Int64 = 2 << 30
    /// Per cent of the file system that stay free: the kubelet evicts pods below this (`nodefs.available`), and a node
    /// must not lose its pods because of what it did not install.
    static let freePercent: Int64 = 10
}

/// Which of the artifacts that were turned away are let go.
struct PendingPlan {
    /// Of installations that are guarded no longer: nothing of ours stays.
    var ofReleased: [Effect] = []
    /// Beyond the bounds, and what is in by now.
    var beyondBounds: [Effect] = []

    init(_ situation: GuardSituation, _ presence: GuardPresence) {
        let gates = situation.wantedGates
        for binary in situation.releasedBinaries.sorted() {
            ofReleased += (presence.pending[binary]?.files ?? []).map { .removePending($0) }
        }
        // Two units can run one binary: what is kept beside it is kept for both.
        for binary in Set(gates.filter(\.isSeen).map(\.binary)).sorted() {
            // What could not be read may be what a person has approved.
            let isUnread = situation.observation.problems.contains {
                $0.code == Problem.pendingUnreadable && $0.about == binary
            }
            guard !isUnread, let kept = presence.pending[binary] else { continue }
            let own = gates.filter { $0.binary == binary }
            beyondBounds += Self.removals(
                kept, inside: own.flatMap { situation.inByNow($0, presence) },
                wanted: own.flatMap(situation.stillWanted)
            ).map { .removePending($0) }
        }
    }

    /// Those to be let go, the oldest first.
    private static func removals(
        _ kept: KeptAside, inside: [String], wanted: [String]
    ) -> [PendingFile] {
        var removals = kept.files.filter { inside.contains($0.path) }
        var rest = kept.files.filter { !inside.contains($0.path) }
            .sorted { ($0.identity.changed, $0.path) < ($1.identity.changed, $1.path) }
        var free = kept.space.map { $0.free + removals.reduce(0) { $0 + $1.identity.size } }
        func isBeyond() -> Bool {
            if rest.count > PendingBounds.most { return true }
            if rest.reduce(0, { $0 + $1.identity.size }) > PendingBounds.bytes { return true }
            guard let free, let total = kept.space?.total else { return false }
            return free < total / 100 * PendingBounds.freePercent
        }
        // What somebody has approved waits for its turn, whatever room it takes.
        while isBeyond(), let index = rest.firstIndex(where: { !wanted.contains($0.path) }) {
            let oldest = rest.remove(at: index)
            removals.append(oldest)
            free = free.map { $0 + oldest.identity.size }
        }
        return removals
    }
}

extension GuardSituation {
    /// Binaries beside which a spare of ours lies though no gate is wanted there any longer.
    var releasedBinaries: Set<String> {
        let wanted = Set(wantedGates.map(\.binary))
        return Set(records.spares.keys.compactMap { site.binary(ofSpare: $0) }).subtracting(wanted)
    }

    /// What this node is meant to run by now, and the vault has.
    fileprivate func inByNow(_ gate: WantedGate, _ presence: GuardPresence) -> [String] {
        guard presence.identities[site.vaultPath(of: gate.digest)] != nil else { return [] }
        return gate.installation.offers.filter { $0.artifact.sha256 == gate.digest }.compactMap(\.path)
    }

    /// What a person has approved, or the policy allows, and is not yet in.
    fileprivate func stillWanted(_ gate: WantedGate) -> [String] {
        let now = observation.clock.now
        let approved = state.approvals(inForceOn: observation.node.name, at: now)
            .filter { $0.distribution == gate.installation.id.distribution }
            .flatMap(\.digests.values)
        let allowed = gate.known.changes.filter { $0.verdict == .allow }.compactMap(\.change.to.sha256)
        return gate.installation.offers.filter { offer in
            offer.artifact.sha256.map { approved.contains($0) || allowed.contains($0) } ?? false
        }.compactMap(\.path)
    }
}
