import CommandLine
import Crypto
import Host
import Ledger
import Model
import Ports
import Rules

/// `holdfast replay`: makes past decisions again from what is stored with them (invariant 5).
func replay(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    var filter = DecisionFilter()
    let now = place.clock.read().now
    filter.id = invocation.value("decision")
    filter.since = try time("since", of: invocation, now: now)
    filter.until = try time("until", of: invocation, now: now)
    guard (filter.id?.isEmpty == false) != invocation.has("all") else {
        throw Failure(
            code: .usage, message: "say which: a decision's id ('holdfast history' lists them), or --all")
    }
    do {
        let ledger = try place.readLedger()
        // What is recorded from here on is of no concern to the others either.
        filter.through = try number("through", of: invocation, in: 1...Int64.max) ?? ledger.head().sequence
        if invocation.has("digest") {
            screen.out(try made(again: filter, ledger).result.hex + "\n")
            return .done
        }
        let count = try number("processes", of: invocation, in: 0...9) ?? (filter.id == nil ? 1 : 3)
        let progress = ProgressText("made again", of: .entries, on: screen)
        defer { progress.end() }
        let (proof, others) = try compared(filter, ledger, processes: count, progress.show) {
            try digestOfAnotherProcess(invocation, filter, state: place.stateDirectory)
        }
        if let id = filter.id, proof.isEmpty {
            throw Failure(
                code: .failed,
                message:
                    "\(ledger.file): there is no decision \(id.printable); 'holdfast history --output json' gives "
                    + "each one's id as its decision, and what is older than ledger.keep may have been dropped"
            )
        }
        let report = proof.report(file: ledger.file, digest: proof.result, others: others)
        if invocation.value("output") == "json" {
            try screen.json(report)
        } else {
            screen.out(ReplayText(report: report, style: screen.style, width: screen.width).text())
        }
        return report.isProven ? .done : .failed
    } catch let failure as LedgerFailure {
        throw Failure(ledger: failure)
    } catch let failure as Failure {
        throw failure
    } catch {
        throw Failure(code: .failed, message: "\(error)")
    }
}

/// Makes decisions again here, and has other processes do so.
///
/// Each reads the ledger by itself. Where retention drops bodies meanwhile they had not the same before them, which says
/// nothing of the decisions: then all of it is done again.
func compared(
    _ filter: DecisionFilter, _ ledger: Ledger, processes: Int64,
    _ progress: (Int64, Int64) -> Void = { _, _ in }, digest: () throws -> String
) throws -> (proof: Proof, others: [String]) {
    // It drops once a day.
    for _ in 0..<5 {
        let retention = try ledger.newestRetention()
        let proof = try made(again: filter, ledger, progress)
        // Nobody is asked of nothing.
        let others = proof.isEmpty && filter.id != nil ? [] : try (0..<processes).map { _ in try digest() }
        if try ledger.newestRetention() == retention { return (proof, others) }
    }
    throw Failure(
        code: .failed,
        message:
            "\(ledger.file): retention (ledger.keep) drops bodies again and again meanwhile; try again later")
}

/// Makes decisions again, one after the other.
private func made(
    again filter: DecisionFilter, _ ledger: Ledger, _ progress: (Int64, Int64) -> Void = { _, _ in }
) throws -> Proof {
    var proof = Proof(rules: rulesVersion, keepsAll: filter.id != nil)
    // One by its id is found at once.
    let last = filter.id == nil ? filter.through ?? 0 : 0
    try ledger.decisions(filter) {
        try proof.add($0)
        progress($0.sequence, last)
    }
    progress(last, last)
    return proof
}

/// A whole number from the command line.
private func number(
    _ option: String, of invocation: Invocation, in range: ClosedRange<Int64>
) throws(Failure) -> Int64? {
    guard let text = invocation.value(option) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
        let limit =
            range.upperBound == .max
            ? "from \(range.lowerBound) on" : "\(range.lowerBound) to \(range.upperBound)"
        throw Failure(code: .usage, message: "--\(option) \(text.printable) is no number \(limit)")
    }
    return number
}

/// What another process of this program gives for the same decisions; it opens and reads the ledger itself.
private func digestOfAnotherProcess(
    _ invocation: Invocation, _ filter: DecisionFilter, state: String
) throws(Failure) -> String {
    var words = ["/proc/self/exe", "replay", "--digest", "--state", state]
    if let root = invocation.value("root") { words += ["--root", root] }
    if let through = filter.through { words += ["--through", "\(through)"] }
    // As they are understood here: what is so long ago is another instant by the time that it is read there.
    if let since = filter.since { words += ["--since", "\(since)"] }
    if let until = filter.until { words += ["--until", "\(until)"] }
    words += filter.id.map { ["--", $0] } ?? ["--all"]
    let outcome: ProcessOutcome
    do throws(HostError) {
        outcome = try runProcess(words, timeout: patienceMilliseconds, outputLimit: 4096)
    } catch {
        throw Failure(code: .failed, message: "another process could not be started: \(error.description)")
    }
    let digest = String(decoding: outcome.output, as: UTF8.self).filter { !$0.isNewline }
    guard outcome.succeeded, Digest(digest) != nil else {
        let said = String(decoding: outcome.errors, as: UTF8.self).filter { !$0.isNewline }
        throw Failure(
            code: .failed,
            message: "another process gave no digest (\(outcome.end)): \(said.printable)")
    }
    return digest
}

/// A million decisions take some minutes; what takes an hour will not come.
private let patienceMilliseconds = 3_600_000

/// What comes out while decisions are made again, one after the other.
struct Proof {
    let rules: String
    /// Whether what was proven is listed one by one, rather than what was not.
    let keepsAll: Bool
    private(set) var counts: [String: Int] = [:]
    private(set) var decisions: [ReplayReport.Decision] = []
    private(set) var hasMore = false
    /// Over the one before and what came out next, so that no more than one record is in memory.
    private var digest = sha256([])

    init(rules: String, keepsAll: Bool) {
        self.rules = rules
        self.keepsAll = keepsAll
    }

    var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ stored: StoredDecision) throws {
        var decision = ReplayReport.Decision(seq: stored.sequence, at: stored.at, outcome: "")
        switch stored.content {
        case .record(let record, let text):
            let replayed = try Rules.replay(record, text: text, label: label)
            digest = sha256(digest + Array("\(stored.sequence)\n\(replayed.made)".utf8))
            decision.id = record.id
            decision.outcome = replayed.outcome.rawValue
            decision.rules = replayed.storedRules
            decision.isSameEngine = replayed.isSameEngine
            decision.differences = replayed.differences
            decision.verdict = record.decision.verdict
        case .dropped:
            decision.outcome = "dropped"
        case .unreadable(let reason):
            decision.outcome = "unreadable"
            decision.reason = reason
        }
        counts[decision.outcome, default: 0] += 1
        if decision.outcome == "different", decision.isSameEngine == true {
            counts["broken", default: 0] += 1
        }
        let isNews = ["different", "unreadable"].contains(decision.outcome)
        guard keepsAll || isNews else { return }
        if decisions.count < ReplayReport.limit { decisions.append(decision) } else { hasMore = true }
    }

    /// The digest of all that came out.
    var result: Digest { Digest(bytes: digest) ?? .none }

    func report(file: String, digest: Digest, others: [String]) -> ReplayReport {
        func count(_ outcome: String) -> Int { counts[outcome] ?? 0 }
        return ReplayReport(
            file: file, rules: rules, sameBytes: count("same-bytes"), sameResults: count("same-results"),
            different: count("different"), broken: count("broken"), dropped: count("dropped"),
            unreadable: count("unreadable"), decisions: decisions, hasMore: hasMore, digest: digest.hex,
            processes: others)
    }
}
