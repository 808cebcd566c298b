import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports
import Rules

/// `holdfast simulate`: another policy on past decisions, or an incident that happened to others.
func simulate(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    if let name = invocation.value("incident") {
        return try simulateIncident(name, invocation, on: screen)
    }
    guard let path = invocation.value("policy") else {
        throw Failure(
            code: .usage, message: "say what to try: --policy FILE on past decisions, or --incident NAME")
    }
    let place = try Place(invocation)
    let now = place.clock.read().now
    var filter = DecisionFilter()
    filter.since = try time("since", of: invocation, now: now)
    filter.until = try time("until", of: invocation, now: now)
    let loaded = try place.validPolicy()
    let writer = FlipWriter(isJSON: invocation.value("output") == "json", path: path, screen: screen)
    var zones: [String: Zone] = [:]
    func zone(_ name: String) -> Zone? {
        if let zone = zones[name] { return zone }
        zones[name] = place.zones.zone(named: name)?.zone
        return zones[name]
    }
    var summary = FlipSummary(
        policy: path, sha256: loaded.sha256, judged: 0, flips: [:], dropped: 0, unreadable: 0)
    do {
        try place.readLedger().decisions(filter) { stored in
            switch stored.content {
            case .dropped: summary.dropped += 1
            case .unreadable: summary.unreadable += 1
            case .record(let record, _):
                summary.judged += 1
                let decision = judgeAgain(record, under: loaded, zone: zone)
                guard
                    let flip = Flip(
                        sequence: stored.sequence, at: stored.at, record: record, decision: decision)
                else { return }
                summary.flips[flip.kind, default: 0] += 1
                try writer.write(flip)
            }
        }
        try writer.finish(summary)
    } catch let failure as LedgerFailure {
        throw Failure(ledger: failure)
    } catch let failure as Failure {
        throw failure
    } catch {
        throw Failure(code: .failed, message: "\(error)")
    }
    return .done
}

extension Place {
    /// The policy that a verb was given to try.
    func validPolicy() throws(Failure) -> LoadedPolicy {
        guard case .valid(let loaded, _) = parse(try policyBytes()) else {
            throw Failure(
                code: .badConfiguration,
                message: "\(policyPath.printable) is not valid; 'holdfast policy lint' shows every error")
        }
        return loaded
    }
}

extension Flip {
    /// `hold → allow`.
    fileprivate var kind: String { "\(record.decision.verdict.rawValue) → \(decision.verdict.rawValue)" }
}

/// How the decisions came out, in numbers.
private struct FlipSummary: Encodable {
    var policy: String
    var sha256: Digest
    var judged: Int
    /// By the two verdicts.
    var flips: [String: Int]
    var dropped: Int
    var unreadable: Int
    /// What nobody should read into it.
    let limits = flipLimits

    private enum Key: String, CodingKey { case judged, kinds, limits, notJudged, policy }
    private enum NotJudgedKey: String, CodingKey { case dropped, unreadable }
    private enum PolicyKey: String, CodingKey { case path, sha256 }

    /// Every key comes after `flips`, which is written first and one by one.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(judged, forKey: .judged)
        try container.encode(flips, forKey: .kinds)
        try container.encode(limits, forKey: .limits)
        var notJudged = container.nestedContainer(keyedBy: NotJudgedKey.self, forKey: .notJudged)
        try notJudged.encode(dropped, forKey: .dropped)
        try notJudged.encode(unreadable, forKey: .unreadable)
        var policy = container.nestedContainer(keyedBy: PolicyKey.self, forKey: .policy)
        try policy.encode(self.policy, forKey: .path)
        try policy.encode(sha256, forKey: .sha256)
    }
}

/// What a simulation cannot tell.
private let flipLimits =
    "each decision was judged alone, on what was known when it was made: had one come out otherwise the node would "
    + "have been elsewhere, and the later ones would have been about other changes; what stages had proven counts "
    + "only for stages of the same names"

/// Writes flips one after the other, in constant memory.
private final class FlipWriter {
    private let isJSON: Bool
    private let path: String
    private let screen: Screen
    private var count = 0

    init(isJSON: Bool, path: String, screen: Screen) {
        self.isJSON = isJSON
        self.path = path
        self.screen = screen
    }

    func write(_ flip: Flip) throws {
        count += 1
        if isJSON {
            screen.data(
                (count == 1 ? "{\"flips\":[" : ",\n") + (try CanonicalJSON.text(of: flip).plainJSON)
            )
        } else {
            screen.out((count == 1 ? "" : "\n") + text(flip))
        }
    }

    func finish(_ summary: FlipSummary) throws {
        if isJSON {
            let rest = try CanonicalJSON.text(of: summary).plainJSON.dropFirst()
            return screen.data((count == 0 ? "{\"flips\":[" : "") + "],\(rest)\n")
        }
        screen.out((count == 0 ? "" : "\n") + text(summary))
    }

    private func text(_ flip: Flip) -> String {
        let style = screen.style
        let change = flip.record.subject.change
        let what =
            "\(flip.record.subject.node.name)  \(change.installation.distribution.displayName) "
            + "\(change.installation.name): \(change.from.versionText) → \(change.to.versionText)"
        let was = flip.record.decision.verdict
        let becomes = flip.decision.verdict
        let head =
            style("\(flip.at)", .faint) + "  " + what.printable + "  "
            + style(was.rawValue.uppercased(), was.mark) + " → "
            + style(becomes.rawValue.uppercased(), becomes.mark) + "  "
            + style("\(flip.record.id), entry \(flip.sequence)".printable, .faint) + "\n"
        let rows: [[Cell]] = flip.turns.flatMap { turn -> [[Cell]] in
            [("was", turn.was), ("now", turn.becomes)].compactMap { name, reason in
                guard let reason else { return nil }
                return [
                    (name == "was" ? turn.rule.rawValue : "", nil), (name, .faint),
                    (reason.result.rawValue, reason.mark),
                    ("\(reason.text) (\(reason.source))".printable, nil),
                ]
            }
        }
        return head + aligned(rows, indent: 2, style: style, width: screen.width)
    }

    private func text(_ summary: FlipSummary) -> String {
        let total = summary.flips.values.reduce(0, +)
        var text =
            "Of \(summary.judged) decision\(summary.judged == 1 ? "" : "s"), \(total) would come out otherwise under "
            + "\(path.printable) (sha256 \(summary.sha256.short))"
        let kinds = summary.flips.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        text += (kinds.isEmpty ? "" : ": " + kinds.joined(separator: ", ")) + ".\n"
        if summary.dropped > 0 {
            text +=
                "\(summary.dropped) more could not be judged: retention (ledger.keep) has dropped what they were "
                + "made from; an older copy of the ledger still has it.\n"
        }
        if summary.unreadable > 0 {
            text +=
                "\(summary.unreadable) more could not be judged, since this program cannot read them; "
                + "'holdfast verify' says which.\n"
        }
        return text
            + folded("Not told by this: \(flipLimits).", width: screen.width).joined(separator: "\n") + "\n"
    }
}
