public import Model

/// What snapd said of its changes.
public enum SnapdAnswer: Hashable, Sendable {
    case notAsked
    /// The body of `GET /v2/changes?select=in-progress`, not looked into yet.
    case body([UInt8])
    /// It is silent, slow, or did not understand.
    case failed(String)
}

/// Takes snapd's answer to `GET /v2/changes` out of its HTTP/1.0 message, which ends with the connection.
public func changesAnswer(_ message: [UInt8]) -> SnapdAnswer {
    var end = 0
    while end + 4 <= message.count, !message[end..<(end + 4)].elementsEqual("\r\n\r\n".utf8) { end += 1 }
    let head = String(decoding: message[..<min(end, 32)], as: UTF8.self).split(separator: " ")
    guard end + 4 <= message.count, head.count >= 2, head[0].hasPrefix("HTTP/1."), head[1].hasPrefix("200")
    else { return .failed("its answer was not 200") }
    return .body(Array(message[(end + 4)...]))
}

/// What the gate saw before a service of a snap starts.
public struct VetoObservation: Hashable, Sendable {
    /// The revision that is about to start; nil where it could not be read.
    public var revision: String?
    /// The revision that this unit last started in this boot and whose mount is still there; nil where none is known.
    public var ranBefore: String?
    /// What snapd says it is at.
    public var answer: SnapdAnswer
    /// What has run on the data directory.
    public var lastRan: LastRanFinding

    /// Makes an observation.
    public init(
        revision: String?, ranBefore: String?, answer: SnapdAnswer = .notAsked,
        lastRan: LastRanFinding = .missing
    ) {
        self.revision = revision
        self.ranBefore = ranBefore
        self.answer = answer
        self.lastRan = lastRan
    }
}

/// What the gate does about one start of a snap's service.
public enum VetoDecision: Hashable, Sendable {
    /// It starts; artifact and text as in `GateDecision.allow`.
    case allow(GateReason, starting: Artifact?, text: String)
    /// snapd's changes are needed to decide.
    case ask
    /// It does not start, and snapd undoes the refresh by itself.
    case refuse(text: String)
}

/// Decides one start of a service of a snap.
///
/// Refusing both revisions of a refresh leaves every service stopped (`facts/snapd.md`), so it refuses only what it
/// positively knows: a refresh is starting its own target revision right now, that is not approved, and the revision
/// that snapd will go back to has run here since the boot. In every other case, and on any doubt, the unit starts.
public func decideVeto(
    _ guarded: GuardedInstallation, pausedUntil: Instant?, seen: VetoObservation, now: Instant
) -> VetoDecision {
    let snap = guarded.id.name
    if guarded.mode == .off { return .allow(.off, starting: nil, text: "the veto is off") }
    guard let revision = seen.revision else {
        return .allow(
            .vetoDoubt, starting: nil,
            text: "which revision of \(snap) starts cannot be read: it is let through")
    }
    if let approved = guarded.approved.first(where: { $0.artifact.revision == revision }) {
        return .allow(.approved, starting: approved.artifact, text: "approved")
    }
    let starting = Artifact(version: nil, revision: revision)
    func letThrough(_ reason: GateReason, _ text: String) -> VetoDecision {
        .allow(reason, starting: starting, text: "\(snap) revision \(revision) is not approved: \(text)")
    }
    if let good = guarded.lastGood?.artifact, good.revision == revision,
        seen.lastRan.isMinor(of: good.version)
    {
        return .allow(.lastGood, starting: good, text: "\(snap) revision \(revision) is last good: it starts")
    }
    if let pausedUntil, now < pausedUntil {
        return letThrough(.paused, "the guards are paused; 'holdfast resume' ends that")
    }
    if guarded.mode == .warn { return letThrough(.warned, "the policy says warn; see 'holdfast explain'") }
    guard guarded.approved.contains(where: { $0.artifact.revision != nil }) else {
        return letThrough(.vetoDoubt, "no revision is, so nothing is refused; run 'holdfast adopt'")
    }
    guard let before = seen.ranBefore, before != revision else {
        return letThrough(
            .vetoDoubt, "nothing shows that another revision ran before, so it starts; see 'holdfast explain'"
        )
    }
    switch seen.answer {
    case .notAsked: return .ask
    case .failed(let reason):
        return letThrough(.vetoDoubt, "snapd could not be asked (\(reason)), so it starts")
    case .body(let body):
        switch refreshTarget(of: snap, in: body) {
        case .failure(let doubt): return letThrough(.vetoDoubt, "\(doubt.text), so it starts")
        case .success(let target):
            guard target == revision else {
                return letThrough(
                    .noRefresh, "no refresh is starting it, so it starts; see 'holdfast explain'")
            }
            return .refuse(
                text:
                    "\(snap) revision \(revision) is not approved: refused, snapd goes back to revision \(before); "
                    + "'holdfast approve' approves it, and 'holdfast pause --for 2h --reason …' lifts all guards "
                    + "for a while")
        }
    }
}

struct VetoDoubt: Error, Hashable {
    var text: String
}

/// The revision whose services a refresh of this snap is starting right now; nil where no refresh is at that.
///
/// Tasks are matched by kind, never by position. The revision stands nowhere but in the task's summary
/// (`Start snap "microk8s" (12) services`); one that reads otherwise is a doubt.
func refreshTarget(of snap: String, in body: [UInt8]) -> Result<String?, VetoDoubt> {
    guard let answer = ReadJSON.value(of: body), answer["type"]?.string == "sync",
        case .array(let changes)? = answer["result"]
    else { return .failure(VetoDoubt(text: "snapd's answer is no list of changes")) }
    var targets: [String] = []
    for change in changes where ["auto-refresh", "refresh-snap"].contains(change["kind"]?.string) {
        for task in change["tasks"]?.elements ?? [] where task["kind"]?.string == "start-snap-services" {
            guard let summary = task["summary"]?.string, let named = snapAndRevision(in: summary) else {
                return .failure(VetoDoubt(text: "a task of snapd is described in an unknown way"))
            }
            guard named.snap == snap else { continue }
            switch task["status"]?.string {
            case "Doing": targets.append(named.revision)
            // Going back, or about to: whatever starts now is what it goes back to.
            case "Undo", "Undoing", "Undone", "Error", "Abort", "Hold":
                return .failure(VetoDoubt(text: "snapd is going back already"))
            default: break
            }
        }
    }
    guard targets.count <= 1 else { return .failure(VetoDoubt(text: "two refreshes are under way")) }
    return .success(targets.first)
}

private func snapAndRevision(in summary: String) -> (snap: String, revision: String)? {
    let quotes = summary.split(separator: "\"", omittingEmptySubsequences: false)
    guard quotes.count == 3, quotes[0] == "Start snap ", quotes[2].hasPrefix(" ("),
        quotes[2].hasSuffix(") services")
    else { return nil }
    let revision = quotes[2].dropFirst(2).dropLast(") services".count)
    let isRevision =
        !revision.isEmpty && revision.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "x") }
    return isRevision ? (String(quotes[1]), String(revision)) : nil
}
