public import Model

/// Whether a ledger shows that no unapproved artifact was started between two instants.
///
/// It holds only where the whole span is covered: the gate stood before every start and told of each that it did not
/// recognise, ticks ran and took what it told, and every start that a look found was of approved bytes. What is not
/// covered is named, each with why. A restart that is over within the time between two ticks is covered as that time is;
/// a longer one is not, see `TickEvidence`.
public struct Absence: Hashable, Sendable {
    /// Of which installation.
    public var installation: InstallationID
    /// Inclusive.
    public var from: Instant
    /// Inclusive.
    public var to: Instant
    /// Starts on something that was not approved, or not known to be.
    public var violations: [Note] = []
    /// What is not covered; empty where the whole span is.
    public var gaps: [Gap] = []
    /// Starts that were seen in the span and were of approved bytes.
    public var approvedStarts = 0

    /// What comes of it.
    public enum Answer: String, Hashable, Sendable {
        case holds
        case violated
        case notProven = "not-proven"
    }

    /// Violated where there is one violation, proven where there is no gap.
    public var answer: Answer { !violations.isEmpty ? .violated : gaps.isEmpty ? .holds : .notProven }

    /// The answer in a sentence.
    public var sentence: String {
        let span = "between \(from) and \(to)"
        return switch answer {
        case .holds: "no start of \(installation.name) on an unapproved artifact \(span)"
        case .violated:
            "\(installation.name) was started on what was not approved, or not known to be, \(span): "
                + "\(violations.count) time\(violations.count == 1 ? "" : "s")"
        case .notProven:
            "no start of \(installation.name) on an unapproved artifact is recorded \(span), but that none happened is "
                + "not proven: \(gaps.count) gap\(gaps.count == 1 ? "" : "s")"
        }
    }
}

extension Chronicle {
    /// Asks it of one installation.
    ///
    /// - Parameter story: one of `installations`.
    public func absence(of story: InstallationStory, from: Instant, to: Instant) -> Absence {
        var answer = Absence(installation: story.id, from: from, to: to)
        for act in story.acts.items { answer.take(act) }
        for start in story.starts.items { answer.take(start) }
        answer.gaps += gaps.items.filter { $0.overlaps(from, to) }
        answer.gaps += story.doubts.items.filter { $0.overlaps(from, to) }
        answer.gaps += pauses.items.filter { $0.overlaps(from, to) }.map {
            Gap($0.start, $0.end ?? end, .paused, "the guards were paused \($0.text): \($0.detail)")
        }
        answer.gaps += story.stretches(.unasked).filter { $0.overlaps(from, to) }.map {
            Gap(
                $0.start, $0.end ?? end, .unknownStart,
                "systemd was not asked, so a start that went by the gate would not have been seen")
        }
        answer.gaps += uncovered(by: story.stretches(.gate), from, to)
        if let last = lastTick, last < to {
            answer.gaps.append(
                Gap(
                    last, to, .unwatched,
                    "no tick has run since, so what the gate may have told is not taken yet"))
        } else if lastTick == nil {
            answer.gaps.append(Gap(from, to, .unwatched, "no tick is proven to have run at all"))
        }
        if let first = firstTick, from < first {
            answer.gaps.append(Gap(from, first, .notBegun, "before the first tick that this ledger proves"))
        }
        answer.noteForgotten(self, story)
        // What one and the same thing says twice is told once, and each in the part that the span has of it.
        var seen: Set<Gap> = []
        answer.gaps = answer.gaps.map { Gap(max($0.start, from), min($0.end, to), $0.kind, $0.text) }
            .filter { seen.insert($0).inserted }
            .sorted { ($0.start, $0.end, $0.text) < ($1.start, $1.end, $1.text) }
        answer.violations.sort { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
        return answer
    }

    /// The parts of a span in which no gate stood.
    private func uncovered(by gates: [Stretch], _ from: Instant, _ to: Instant) -> [Gap] {
        var gaps: [Gap] = []
        var covered = from
        let text =
            "no gate stood before the unit's starts: it was not adopted, the gate was off, or not yet in place"
        for gate in gates where gate.overlaps(from, to) {
            if covered < gate.start { gaps.append(Gap(covered, gate.start, .unguarded, text)) }
            covered = max(covered, gate.end ?? max(to, gate.start))
        }
        let isOpen = gates.last.map { $0.end == nil && $0.start <= to } ?? false
        if !isOpen, covered < to || (gates.isEmpty && covered <= to) {
            gaps.append(Gap(covered, to, .unguarded, text))
        }
        return gaps
    }
}

extension Absence {
    fileprivate mutating func take(_ taken: TakenAct) {
        // The gate's clock need not have been right: it happened between what it says and when it was taken.
        let (early, late) = (min(taken.act.at, taken.takenAt), max(taken.act.at, taken.takenAt))
        let isAtIts = from <= taken.act.at && taken.act.at <= to
        guard early <= to, from <= late else { return }
        let act = taken.act
        switch Self.meaning(of: act) {
        case .nothing: break
        case .unapproved:
            guard isAtIts else {
                gaps.append(
                    Gap(
                        early, late, .unknownStart,
                        "a start that the gate let through may fall into it: \(act.text)"))
                return
            }
            violations.append(
                Note(
                    taken.sequence, act.at, act.reason, about: act.invocationID ?? act.unit, act.text))
        case .unknown:
            gaps.append(Gap(early, late, .unknownStart, act.text))
        }
    }

    private enum Meaning {
        case nothing
        case unapproved
        case unknown
    }

    /// What a token of the gate says of what started (`GateReason`, in the module Gate).
    ///
    /// A token that is not known says nothing that could be relied on.
    private static func meaning(of act: GateAct) -> Meaning {
        switch act.kind {
        // Nothing starts, or what is approved.
        case .putBack, .refused: return .nothing
        case .unrecorded, .overflow, .unreadable: return .unknown
        case .letThrough: break
        }
        switch act.reason {
        case "approved": return .nothing
        // There is nothing that could start.
        case "binary-missing": return .nothing
        case "last-good", "paused", "warned", "no-proof", "no-replacement", "no-refresh": return .unapproved
        default: return .unknown
        }
    }

    fileprivate mutating func take(_ start: SeenStart) {
        // It happened after the tick before; where none is known, some time before it was seen.
        let earliest = start.after ?? Instant(seconds: .min)
        guard earliest <= to, from <= start.seenAt else { return }
        switch start.isApproved {
        case true: approvedStarts += 1
        case false:
            let isInside = from <= earliest && start.seenAt <= to
            guard isInside else {
                gaps.append(
                    Gap(
                        max(earliest, from), start.seenAt, .unknownStart,
                        "\(start.artifact) runs, which was not approved; it may have been started in the span "
                            + "(\(start.invocationID))"))
                return
            }
            violations.append(
                Note(
                    0, start.seenAt, "runs unapproved", about: start.invocationID,
                    "\(start.artifact) was found running, which was not approved"))
        case nil:
            gaps.append(
                Gap(
                    max(earliest, from), start.seenAt, .unknownStart,
                    "\(start.artifact) was started, and whether its bytes are the approved ones is not known "
                        + "(\(start.invocationID))"))
        }
    }

    /// Older parts than are kept in memory cannot be answered for.
    fileprivate mutating func noteForgotten(_ chronicle: Chronicle, _ story: InstallationStory) {
        var oldest: [Instant] = []
        if story.acts.dropped > 0, let first = story.acts.items.first { oldest.append(first.takenAt) }
        if story.starts.dropped > 0, let first = story.starts.items.first { oldest.append(first.seenAt) }
        if story.doubts.dropped > 0, let first = story.doubts.items.first { oldest.append(first.end) }
        if chronicle.gaps.dropped > 0, let first = chronicle.gaps.items.first { oldest.append(first.end) }
        if chronicle.pauses.dropped > 0, let first = chronicle.pauses.items.first {
            oldest.append(first.start)
        }
        if let before = oldest.max(), from < before {
            gaps.append(
                Gap(
                    from, before, .lost,
                    "there is more before than is kept in memory: ask of shorter spans, or of a later --since"
                ))
        }
    }
}
