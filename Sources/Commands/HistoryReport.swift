import Agent
import Crypto
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports
import Rules

/// `holdfast history --output html`: one file that needs nothing from elsewhere.
func writeReport(_ filter: HistoryFilter, _ ledger: Ledger, _ place: Place, on screen: Screen) throws {
    let now = place.clock.read().now
    let gathered = try gather(filter, ledger, node: place.nodeName, now: now)
    var report = Report([gathered.chronicle], madeAt: now)
    report.filter = words(of: filter)
    let node = NodeFacts(
        name: gathered.chronicle.node, cluster: place.node.cluster, labels: place.node.labels,
        architecture: nil)
    report.contexts = [
        gathered.context(
            node, ledger, zones: place.zones, table: place.supportTable().table,
            at: min(now, gathered.chronicle.end))
    ]
    report.checkpoint = try newestCheckpoint(ledger)
    let writer = ReportWriter(report, hash: { sha256($0) }) { screen.out($0) }
    try writer.begin()
    // What was recorded after the first look is no part of this report.
    try ledger.history(filter) { row in if row.seq <= gathered.newest { try writer.write(row) } }
    try writer.finish()
}

/// `holdfast history --absence UNIT`: whether the ledger shows that nothing unapproved was started.
func absence(
    of unit: String, _ filter: HistoryFilter, _ ledger: Ledger, _ place: Place, output: String,
    on screen: Screen
) throws -> ExitCode {
    guard output == "table" || output == "json" || output.isEmpty else {
        throw Failure(
            code: .usage, message: "--absence is answered as table or json, not as \(output.printable)")
    }
    let chronicle = try gather(
        filter, ledger, node: place.nodeName, now: place.clock.read().now
    ).chronicle
    guard let story = chronicle.installation(named: unit) else {
        let known = chronicle.installations.map(\.id.name)
        throw Failure(
            code: .failed,
            message: "the ledger knows no unit \(unit.printable); "
                + (known.isEmpty ? "it has seen none" : "there is \(known.joined(separator: ", "))".printable)
        )
    }
    // Without an end it is asked up to the newest tick: what the gate told since is taken by the next one.
    let to = max(filter.until ?? chronicle.lastTick ?? chronicle.end, chronicle.start)
    let absence = chronicle.absence(of: story, from: chronicle.start, to: to)
    if output == "json" {
        try screen.json(AbsenceAnswer(absence))
    } else {
        screen.out(text(of: absence, screen.style, screen.width))
    }
    return absence.answer == .holds ? .done : .failed
}

/// What a ledger tells, and what is needed to say more of it.
struct Gathered {
    var chronicle: Chronicle
    /// The number of the newest decision.
    var newest: Int64
    /// Policies with when each came into force, the newest ones.
    var policies: [(at: Instant, policy: LoadedPolicy)]
}

/// Reads a ledger for a report, in two passes.
///
/// - Parameters:
///   - older: copies of the ledger that may still have what retention dropped in it.
///   - node: what the node is called where no decision says it.
func gather(
    _ filter: HistoryFilter, _ ledger: Ledger, older: [Ledger] = [], node: String, now: Instant
) throws -> Gathered {
    // The end is exclusive, and what this second has recorded is part of it.
    let end = filter.until ?? now + TimeSpan(seconds: 1)
    if let since = filter.since, end < since {
        throw Failure(code: .usage, message: "the time from \(since) to \(end) ends before it begins")
    }
    var fold = ChronicleFold(
        node: node, ledger: ledger.originName,
        start: filter.since, end: end, describe: { journalEntries(for: $0).first?.text })
    var newest: Int64 = 0
    try HistoryStream([ledger] + older, HistoryFilter()).forEach {
        fold.take($0)
        newest = $0.seq
    }
    var policies: [(at: Instant, policy: LoadedPolicy)] = []
    try ledger.entries(leavingOut: ChronicleFold.leavesOut, older: older) { entry in
        fold.take(entry)
        if case .policyLoaded(let policy) = entry.event {
            policies.append((entry.at, policy))
            if policies.count > 200 { policies.removeFirst(100) }
        }
    }
    let chronicle = fold.finish(unsealed: try ledger.unsealedCoverage(), now: now)
    return Gathered(chronicle: chronicle, newest: newest, policies: policies)
}

extension Gathered {
    /// What the policies of the time say, and what staying costs by what the ledger knows of releases.
    ///
    /// - Parameters:
    ///   - node: what rules and overrides match.
    ///   - instant: until when the newest policy is known to have been in force.
    func context(
        _ node: NodeFacts, _ ledger: Ledger, zones: ZoneFiles, table: SupportTable, at instant: Instant
    ) -> ReportContext {
        var context = ReportContext()
        addPolicy(to: &context, node, zones, until: min(instant, chronicle.end))
        var releases: [Distribution: KnownReleases] = [:]
        for distribution in Set(chronicle.installations.map(\.id.distribution)) {
            releases[distribution] = KnownReleases(
                versions: Set((try? ledger.cataloguedVersions(of: distribution)) ?? []))
        }
        let debts = holdDebts(
            of: chronicle.state, policy: policies.last?.policy, node: node, table: table,
            releases: releases, now: min(instant, chronicle.end))
        context.debt = debts.flatMap { debt in
            debtRows(debt).map {
                ReportFact(
                    label: "\($0.label) of \(debt.installation)", value: $0.value, explanation: $0.explanation
                )
            }
        }
        return context
    }

    /// Adds when windows were open, and which overrides are in force at the end.
    private func addPolicy(
        to context: inout ReportContext, _ node: NodeFacts, _ zones: ZoneFiles, until last: Instant
    ) {
        for story in chronicle.installations {
            let role = chronicle.state.installations[story.id.description]?.installation.role
            var open: [Stretch] = []
            for (index, entry) in policies.enumerated() {
                let start = max(entry.at, chronicle.start)
                let end = min(index + 1 < policies.count ? policies[index + 1].at : last, last)
                let isLast = index + 1 == policies.count
                guard start < end || isLast else { continue }
                let policy = resolve(
                    entry.policy, isCurrent: true, node: node, distribution: story.id.distribution, role: role
                ).policy
                guard let zone = zones.zone(named: policy.timezone)?.zone else { continue }
                if let windows = policy.windows, start < end {
                    open += openings(of: windows, in: zone, from: start, to: end, most: 400).map {
                        Stretch(start: max($0.start, start), end: min($0.end, end), text: "window open")
                    }
                }
                guard end == last else { continue }
                context.overrides += policy.overrides.filter { override in
                    override.match.applies(to: node, distribution: story.id.distribution, role: role)
                        && end < zone.firstInstant(of: override.until, second: 0)
                }.map {
                    ReportFact(
                        label: "\($0.rule.rawValue) for \(story.id)",
                        value: "until \($0.until) (\(policy.timezone))",
                        explanation: $0.reason)
                }
            }
            context.windows[story.id] = open
        }
    }
}

/// The newest checkpoint, and whether the ledger still has the entry that it signs.
private func newestCheckpoint(_ ledger: Ledger) throws -> [ReportFact] {
    guard let signed = try ledger.load().memory.checkpoint?.signed else { return [] }
    let isThere = try ledger.hash(ofEntry: signed.sequence) == signed.hash
    return [
        ReportFact(
            label: "entry \(signed.sequence)", value: "signed \(signed.at), hash \(signed.hash.hex)",
            explanation: isThere
                ? "the entry has this hash; 'holdfast verify' checks the signature and every entry up to it"
                : "the entry no longer has this hash: the ledger was changed since, see 'holdfast verify'")
    ]
}

extension Place {
    /// What this node is called where nothing else says it.
    fileprivate var nodeName: String { node.name ?? Machine.hostName(root: root) ?? "localhost" }
}

/// A filter in words; nil for one that only names a time.
func words(of filter: HistoryFilter) -> String? {
    let parts = [
        filter.node.map { "node \($0)" }, filter.distribution.map { "distribution \($0.rawValue)" },
        filter.verdict.map { "verdict \($0.rawValue)" }, filter.rollout.map { "rollout \($0)" },
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
}
