public import Model

/// What the gate found at the path of a binary.
public enum FileFinding: Hashable, Sendable {
    case missing
    /// It is there and cannot be examined, or is no file that could be executed.
    case unusable(String)
    case file(FileIdentity)

    /// Its identity, where it is a file.
    public var identity: FileIdentity? {
        if case .file(let identity) = self { identity } else { nil }
    }
}

/// What became of hashing the binary.
public enum HashFinding: Hashable, Sendable {
    case notTaken
    case taken(Digest)
    /// It could not be read, changed meanwhile, or took too long.
    case failed(String)
}

/// What the gate saw before it decided.
public struct GateObservation: Hashable, Sendable {
    /// The binary.
    public var binary: FileFinding
    /// The digest that the gate itself has cached for exactly that identity.
    public var cached: Digest?
    /// The digest, where it was asked for in this start.
    public var hash: HashFinding
    /// The spare.
    public var spare: FileFinding
    /// Whether the vault has the bytes of the artifact that is meant to run.
    public var inVault: Bool
    /// What has run on the data directory.
    public var lastRan: LastRanFinding

    /// Makes an observation.
    public init(
        binary: FileFinding, cached: Digest? = nil, hash: HashFinding = .notTaken,
        spare: FileFinding = .missing,
        inVault: Bool = false, lastRan: LastRanFinding = .missing
    ) {
        self.binary = binary
        self.cached = cached
        self.hash = hash
        self.spare = spare
        self.inVault = inVault
        self.lastRan = lastRan
    }
}

/// Why a start is let through, put right or refused; a token that never changes its meaning.
public enum GateReason: String, CaseIterable, Hashable, Sendable {
    case approved
    case off
    case lastGood = "last-good"
    case paused
    case warned
    /// Putting the approved artifact back might go back over written data (invariant 12).
    case noProof = "no-proof"
    /// There is no spare, and the vault does not help.
    case noReplacement = "no-replacement"
    case binaryMissing = "binary-missing"
    case binaryUnusable = "binary-unusable"
    case notHashed = "not-hashed"
    case locked
    case restoreFailed = "restore-failed"
    case guardMissing = "guard-missing"
    case guardUnreadable = "guard-unreadable"
    case notGuarded = "not-guarded"
    case recordFailed = "record-failed"
    case usage
    case restored
    case refused
    case vetoed
    case vetoDoubt = "veto-doubt"
    /// Somebody starts an unapproved revision, and no refresh does.
    case noRefresh = "no-refresh"

    /// Whether the next tick is to hear of it.
    public var isTold: Bool { self != .approved && self != .off }
}

/// What the gate does about one start.
public enum GateDecision: Hashable, Sendable {
    /// The unit starts with what is there.
    ///
    /// The artifact is what is about to start, nil where its bytes were not recognised; the text is for a person.
    case allow(GateReason, starting: Artifact?, text: String)
    /// The binary's digest is needed to decide.
    case hash
    /// The spare, or where there is none the vault's copy, takes the binary's place; then the unit starts.
    case restore(Artifact, from: RestoreSource)
    /// The unit does not start; the text says why, and how a person gets past it.
    case refuse(text: String)
}

/// Where the approved artifact is put back from.
public enum RestoreSource: Hashable, Sendable {
    /// A rename.
    case spare(path: String, identity: FileIdentity)
    /// A copy, checked against the digest.
    case vault(path: String, digest: Digest)
}

/// Decides one start of a unit with a binary of its own (K3s, k0s).
///
/// The service comes first (invariant 3): in doubt it starts. A refusal needs bytes that are known not to be
/// approved; putting an artifact back needs, where there is a data store, proof that no newer minor has started on
/// it (invariant 12).
public func decideStart(
    _ guarded: GuardedInstallation, pausedUntil: Instant?, seen: GateObservation, now: Instant
) -> GateDecision {
    let start = Start(guarded: guarded, seen: seen)
    if let approved = start.approved { return .allow(.approved, starting: approved, text: "approved") }
    if guarded.mode == .off { return .allow(.off, starting: nil, text: "the gate is off") }
    if let good = start.lastGood {
        return .allow(.lastGood, starting: good, text: start.text("is last good", "it starts as it is"))
    }
    if let pausedUntil, now < pausedUntil {
        return start.letThrough(
            .paused, "is not approved", "the guards are paused; 'holdfast resume' ends that")
    }
    switch guarded.mode {
    case .off, .warn:
        return start.letThrough(.warned, "is not approved", "the policy says warn; see 'holdfast explain'")
    case .refuse: return start.refusal
    case .restore: return start.restoration
    }
}

/// One start while it is decided.
private struct Start {
    let guarded: GuardedInstallation
    let seen: GateObservation

    /// The digest of the binary where it is known without doubt.
    var digest: Digest? {
        if case .taken(let digest) = seen.hash { digest } else { seen.cached }
    }

    /// The approved artifact that the binary is.
    var approved: Artifact? { guarded.approved.first(where: isBinary)?.artifact }

    /// The last good artifact, where the binary is it and it stays within the minor of what last ran.
    var lastGood: Artifact? {
        guard let good = guarded.lastGood, isBinary(good) else { return nil }
        let version = good.artifact.version
        // Without a data store there may be no record; then the artifact that is meant to run stands for it.
        if guarded.keepsNoData, case .missing = seen.lastRan,
            let meant = guarded.approved.first?.artifact.version
        {
            return version.map { ($0.major, $0.minor) == (meant.major, meant.minor) } == true
                ? good.artifact : nil
        }
        return seen.lastRan.isMinor(of: version) ? good.artifact : nil
    }

    /// In steady state nothing is hashed: the file's identity is enough.
    private func isBinary(_ known: GuardedArtifact) -> Bool {
        if let identity = seen.binary.identity, known.identities.contains(identity) { return true }
        guard let digest, let wanted = known.artifact.sha256 else { return false }
        return digest == wanted
    }

    /// Refuses only what is positively known not to be approved.
    var refusal: GateDecision {
        switch (seen.binary, seen.hash, digest) {
        case (.missing, _, _): return letThrough(.binaryMissing, "is not there", "nothing can be refused")
        case (.unusable(let reason), _, _):
            return letThrough(.binaryUnusable, "cannot be examined (\(reason))", "it starts as it is")
        case (.file, .failed(let reason), _):
            return letThrough(.notHashed, "could not be hashed (\(reason))", "it starts as it is")
        case (.file, .notTaken, nil): return .hash
        case (.file, _, let digest):
            // Without a single digest to compare with, nothing is known.
            guard let digest, guarded.approved.contains(where: { $0.artifact.sha256 != nil }) else {
                return letThrough(.notHashed, "has nothing to be compared with", "run 'holdfast adopt'")
            }
            return .refuse(
                text: text(
                    "is not approved (sha256 \(digest.short))",
                    "refused; 'holdfast explain' says why, 'holdfast approve' approves it, and "
                        + "'holdfast pause --for 2h --reason …' lifts all guards for a while"))
        }
    }

    /// Puts the approved artifact back at once where the spare is there, after hashing where it is not.
    var restoration: GateDecision {
        if case .unusable(let reason) = seen.binary {
            return letThrough(.binaryUnusable, "cannot be examined (\(reason))", "it starts as it is")
        }
        // While one artifact is being replaced by another the file may be either: only its digest tells.
        let isKnown = digest != nil || seen.binary.identity == nil
        if let spare = guarded.spare, isSpare(spare), isKnown || guarded.approved.count == 1 {
            // Where no file is known to be the approved one, since what was adopted or put in place is younger than
            // the kernel's times can tell, this may be it. What cannot be hashed is swapped all the same.
            let mayBeApproved = guarded.approved.contains { $0.identities.isEmpty }
            if !isKnown, mayBeApproved, case .notTaken = seen.hash { return .hash }
            if let refused = objection(to: spare.artifact) {
                // It may be the approved artifact after all: worth a hash before it starts as an unknown one.
                if case .notTaken = seen.hash, !isKnown { return .hash }
                return refused
            }
            return .restore(spare.artifact, from: .spare(path: spare.path, identity: spare.identity))
        }
        // A spare that was renamed in a moment ago has another ctime: its digest tells it apart from a stranger.
        if !isKnown {
            if case .failed(let reason) = seen.hash {
                return letThrough(.notHashed, "could not be hashed (\(reason))", "it starts as it is")
            }
            return .hash
        }
        guard let meant = guarded.approved.first?.artifact, let wanted = meant.sha256, seen.inVault,
            let path = guarded.vaultPath(of: wanted)
        else {
            return letThrough(
                seen.binary == .missing ? .binaryMissing : .noReplacement,
                seen.binary == .missing ? "is not there" : "is not approved",
                "there is neither a spare nor a copy in the vault; it starts as it is; 'holdfast doctor' tells more"
            )
        }
        if let refused = objection(to: meant) { return refused }
        return .restore(meant, from: .vault(path: path, digest: wanted))
    }

    /// Only the very file that was staged and hashed, and only while its artifact is approved.
    private func isSpare(_ spare: Spare) -> Bool {
        guard seen.spare == .file(spare.identity), let digest = spare.artifact.sha256 else { return false }
        return guarded.approved.contains { $0.artifact.sha256 == digest }
    }

    /// Invariant 12; nil where the artifact may be started on the data.
    private func objection(to artifact: Artifact) -> GateDecision? {
        if guarded.keepsNoData { return nil }
        guard let reason = seen.lastRan.objection(toStarting: artifact.version) else { return nil }
        return letThrough(
            .noProof, seen.binary == .missing ? "is not there" : "is not approved",
            "\(artifact.summary) is not put back, since that might go back over written data: \(reason); "
                + "it starts as it is; 'holdfast explain' has the exact advice")
    }

    func letThrough(_ reason: GateReason, _ what: String, _ then: String) -> GateDecision {
        .allow(reason, starting: nil, text: text(what, then))
    }

    func text(_ what: String, _ then: String) -> String {
        "\(guarded.binary ?? "the binary") \(what): \(then)"
    }
}

extension GuardedInstallation {
    /// Whether it surely keeps no cluster state: an agent or a worker; an unknown role is treated like a server.
    var keepsNoData: Bool { role.map { !$0.isControlPlane } ?? false }
}
