import Model

/// When ticks are known to have run, and the gaps between.
///
/// Within a boot the monotonic clock tells how long nobody looked, whatever the wall clock was set to. Wall clock and
/// monotonic clock that part ways mean that the clock was set.
///
/// Across a restart only the wall clock tells, so that it has to have been right on both sides. Where it was, and the
/// ticks lie no further apart than they may within a boot, the restart is no gap: the drop-in is read at every boot, the
/// gate flushes what it tells before it lets anything start, and the next tick takes that, whatever boot it was told in;
/// a start that went by the gate is seen as one within a boot is, by systemd's name of it. Where they lie further apart
/// it stays one: nothing says when within that time the node stopped, or whether it ran with nobody to look.
struct TickEvidence {
    /// Twice the timer's five minutes: a tick that is late is no gap.
    static let patience: Int64 = 600
    /// A clock that is steered gains or loses a little; one that is set, more.
    private static let steering: Int64 = 5
    private static let mostProofs = 500

    private(set) var last: Coverage?
    /// The newest tick before the newest stretch.
    private var beforeLast: Instant?
    private(set) var gaps = Bounded<Gap>(1000)
    /// Entries of the present boot that only a tick or a step writes, since the newest stretch.
    private var proofs: [Instant] = []
    private var proofBoot = ""
    private var dropped: (first: Instant, count: Int)?
    private var unsynchronised: Instant?
    /// What the entries of the present boot and the one before said of the clock.
    private var clocks: [BootClock] = []

    private struct BootClock {
        var bootID: String
        /// Whether it was right at the boot's first entry, and at its newest.
        var first: Bool
        var newest: Bool
    }
    private var lastEntry: Instant?

    /// Before which instant nothing was watched; nil while nothing is known.
    private(set) var first: Instant?

    /// Takes in that an entry was written.
    mutating func take(_ entry: LedgerEntry) {
        switch entry.content {
        case .dropped:
            dropped = (dropped?.first ?? entry.at, (dropped?.count ?? 0) + 1)
        case .unreadable(let reason):
            gaps.append(
                Gap(
                    entry.at, entry.at, .lost,
                    "entry \(entry.sequence) (\(entry.kind)) cannot be read: \(reason)"))
        case .beginning, .event: break
        }
        if entry.clockSynchronised == false {
            unsynchronised = unsynchronised ?? lastEntry ?? entry.at
        } else if entry.clockSynchronised == true, let since = unsynchronised {
            gaps.append(
                Gap(
                    since, entry.at, .clock,
                    "the clock was not synchronised: what happened may have happened at another time"))
            unsynchronised = nil
        }
        lastEntry = entry.at
        let isRight = entry.clockSynchronised == true
        if clocks.last?.bootID == entry.bootID {
            clocks[clocks.count - 1].newest = isRight
        } else {
            clocks = clocks.suffix(1) + [BootClock(bootID: entry.bootID, first: isRight, newest: isRight)]
        }
        if Self.provesTick(entry.kind) {
            if proofBoot != entry.bootID { proofs = [] }
            proofBoot = entry.bootID
            proofs.append(entry.at)
            if proofs.count > Self.mostProofs { proofs.removeFirst(Self.mostProofs / 2) }
        }
    }

    /// Takes a stretch of ticks in.
    mutating func take(_ next: Coverage) {
        defer {
            last = next
            proofs = []
            dropped = nil
        }
        if first == nil { first = next.first }
        if let last {
            if last.last < next.first { beforeLast = last.last }
            between(last, next)
        }
        let length = Self.seconds(next.firstMonotonic, next.lastMonotonic)
        checkClock(next.first, next.last, elapsed: length)
        let longest = next.longestGap / 1_000_000_000
        if longest > Self.patience {
            gaps.append(
                Gap(
                    next.first, next.last, .unwatched,
                    "up to \(Self.text(longest)) passed between two ticks somewhere in this stretch of "
                        + "\(next.ticks)"))
        }
    }

    private mutating func between(_ last: Coverage, _ next: Coverage) {
        if let dropped {
            gaps.append(
                Gap(
                    last.last, next.first, .lost,
                    "what \(dropped.count) entries from \(dropped.first) on said was dropped by retention"))
            return
        }
        guard last.bootID == next.bootID, next.firstMonotonic >= last.lastMonotonic else {
            if let reason = doubt(ofRestart: last, next) {
                gaps.append(Gap(last.last, next.first, .restart, "the node was restarted, and \(reason)"))
            }
            return
        }
        let elapsed = Self.seconds(last.lastMonotonic, next.firstMonotonic)
        checkClock(last.last, next.first, elapsed: elapsed)
        guard elapsed > Self.patience else { return }
        // What a tick or a step wrote meanwhile shows that one ran.
        let known = proofBoot == next.bootID ? proofs.filter { last.last < $0 && $0 < next.first } : []
        var before = last.last
        for at in known.sorted() + [next.first] {
            if (at - before).seconds > Self.patience {
                gaps.append(
                    Gap(before, at, .unwatched, "no tick ran for \(Self.text((at - before).seconds))"))
            }
            before = at
        }
        if next.first <= last.last {
            gaps.append(
                Gap(
                    next.first, last.last, .unwatched,
                    "no tick ran for \(Self.text(elapsed)) by the monotonic clock"))
        }
    }

    /// Why nobody can say that a tick looked often enough over a restart; nil where one did.
    private func doubt(ofRestart last: Coverage, _ next: Coverage) -> String? {
        let isRight = { (clock: BootClock?, boot: String, at: KeyPath<BootClock, Bool>) in
            clock?.bootID == boot && clock?[keyPath: at] == true
        }
        guard last.bootID != next.bootID, clocks.count == 2,
            isRight(clocks.first, last.bootID, \.newest), isRight(clocks.last, next.bootID, \.first)
        else { return "no clock that was right on both sides tells how long nobody looked" }
        let apart = (next.first - last.last).seconds
        guard apart >= 0 else { return "its clock went back" }
        guard apart > Self.patience else { return nil }
        return
            "\(Self.text(apart)) lie between the last tick before and the first one after: when it stopped in that time, "
            + "and whether it ran unwatched, nothing says"
    }

    private mutating func checkClock(_ first: Instant, _ last: Instant, elapsed: Int64) {
        let wall = (last - first).seconds
        let (apart, overflow) = wall.subtractingReportingOverflow(elapsed)
        guard overflow || apart.magnitude > UInt64(Self.steering + elapsed / 1000) else { return }
        gaps.append(
            Gap(
                first, last, .clock,
                "the clock was set \(apart < 0 ? "back" : "forward") by \(Self.text(Int64(clamping: apart.magnitude))): "
                    + "times around it cannot be relied on"))
    }

    /// Gaps after the newest stretch, when nothing more comes.
    mutating func finish(at now: Instant) {
        if let since = unsynchronised {
            gaps.append(
                Gap(
                    since, now, .clock,
                    "the clock is not synchronised: what happened may have happened at another time"))
        }
        if let last, (now - last.last).seconds > Self.patience {
            gaps.append(
                Gap(last.last, now, .unwatched, "no tick has run for \(Self.text((now - last.last).seconds))")
            )
        }
        gaps.trim()
    }

    mutating func lost(_ from: Instant, _ to: Instant, _ text: String) {
        gaps.append(Gap(from, to, .lost, text))
    }

    /// The newest instant before another one at which a tick is known to have run; nil where none is.
    func tick(before instant: Instant) -> Instant? {
        [last?.last, last?.first, beforeLast].compactMap(\.self).first { $0 < instant }
    }

    private static func seconds(_ from: Int64, _ to: Int64) -> Int64 {
        let (difference, overflow) = to.subtractingReportingOverflow(from)
        return overflow ? .max / 4_000_000_000 : difference / 1_000_000_000
    }

    /// `2 h 5 min`, for a person.
    static func text(_ seconds: Int64) -> String {
        let units: [(String, Int64)] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        var rest = seconds
        var parts: [String] = []
        for (name, length) in units where rest >= length && parts.count < 2 {
            parts.append("\(rest / length) \(name)")
            rest %= length
        }
        return parts.isEmpty ? "0 s" : parts.joined(separator: " ")
    }

    /// Whether only a tick or a step writes entries of a kind; a person's command may look too, and then it is one.
    private static func provesTick(_ kind: String) -> Bool {
        switch kind {
        case "installation-found", "installation-gone", "installation-observed", "decided", "change-ended",
            "problem-began", "problem-ended", "policy-loaded", "policy-rejected", "guard-broken",
            "gate-acted",
            "seat-taken", "step-began", "step-moved", "step-ended":
            true
        default: false
        }
    }
}
