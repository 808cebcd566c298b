public import Model

/// What a node's metrics are made from.
public struct NodeMetrics {
    /// The node as `status` shows it, with what staying costs.
    public var report: NodeReport
    /// What the ledger's entries add up to.
    public var state: NodeState
    /// When the tick began whose metrics these are.
    public var tickedAt: Instant
    /// Whether the clock is synchronised; nil where nobody could say.
    public var clockSynchronised: Bool?
    /// The program's own version.
    public var programVersion: String
    /// The number of the ledger's newest entry; nil where it could not be read.
    public var ledgerSequence: Int64?
    /// Whether `state` is what the ledger holds; where it could not be read a series is left out rather than zero.
    public var knowsState = true
    /// The newest signed head of the ledger; nil where there is none.
    public var checkpoint: (sequence: Int64, at: Instant)?
    /// The rollouts that are known, by distribution.
    public var rollouts: [String: RolloutDocument] = [:]
    /// What an artifact has earned of its soak, by the step's id.
    public var soaks: [String: Soak] = [:]
    /// What support is read from.
    public var table: SupportTable

    /// Makes the metrics of a node.
    public init(
        report: NodeReport, state: NodeState, tickedAt: Instant, clockSynchronised: Bool?,
        programVersion: String, ledgerSequence: Int64?, table: SupportTable
    ) {
        self.report = report
        self.state = state
        self.tickedAt = tickedAt
        self.clockSynchronised = clockSynchronised
        self.programVersion = programVersion
        self.ledgerSequence = ledgerSequence
        self.table = table
    }

    /// The line of the tick's time begins so: it moves at each tick, and where nothing else does the text is the same.
    public static let tickLine = "holdfast_last_tick_timestamp_seconds "

    /// The text that node_exporter reads.
    ///
    /// Nothing is written of what is not known: a missing series is not 0.
    public func text() -> String {
        var metrics = MetricsText()
        program(&metrics)
        installations(&metrics)
        changes(&metrics)
        guarding(&metrics)
        debts(&metrics)
        rollout(&metrics)
        return metrics.text
    }

    private typealias Sample = MetricsText.Sample

    private func program(_ metrics: inout MetricsText) {
        metrics.add(
            "holdfast_build_info", "The program that wrote this.",
            [Sample(labels: [("version", programVersion)], value: 1)])
        metrics.add(
            String(Self.tickLine.dropLast()),
            "When the tick ran that last had something to write here, an hour before the last tick at most; "
                + "node_textfile_mtime_seconds of this file moves with every tick.", tickedAt.seconds)
        metrics.add(
            "holdfast_clock_synchronised", "Whether the clock is synchronised.",
            clockSynchronised.map { $0 ? 1 : 0 })
        metrics.add(
            "holdfast_policy_valid",
            "Whether the policy file is valid, so that something new can be allowed.",
            report.policy.valid ? 1 : 0)
        metrics.add(
            "holdfast_policy_info", "The policy that is in force, by its hash.",
            report.policy.sha256.map { [Sample(labels: [("sha256", $0.hex)], value: 1)] } ?? [])
        metrics.add(
            "holdfast_ledger_entries_total", "Entries in the ledger's chain.", ledgerSequence)
        metrics.add(
            "holdfast_checkpoint_entry", "The entry that the newest checkpoint covers.", checkpoint?.sequence)
        metrics.add(
            "holdfast_checkpoint_timestamp_seconds", "When the newest checkpoint was signed.",
            checkpoint?.at.seconds)
        var codes: [String: Int64] = [:]
        for problem in report.problems { codes[problem.code, default: 0] += 1 }
        metrics.add(
            "holdfast_problems", "What a person should know, by its code; 'holdfast status' has the text.",
            codes.sorted { $0.key < $1.key }.map { Sample(labels: [("code", $0.key)], value: $0.value) })
    }

    // MARK: Installations

    private func labels(_ id: InstallationID) -> [(name: String, value: String)] {
        [("distribution", id.distribution.rawValue), ("name", id.name)]
    }

    private func each(_ value: (NodeReport.InstallationPart) -> Int64?) -> [Sample] {
        report.installations.compactMap { part in
            value(part).map { Sample(labels: labels(part.installation.id), value: $0) }
        }
    }

    private func installations(_ metrics: inout MetricsText) {
        metrics.add(
            "holdfast_installation_info",
            "What is installed, runs and is approved; empty where that is not known.",
            report.installations.map { part in
                let installation = part.installation
                return Sample(
                    labels: labels(installation.id) + [
                        ("role", installation.role?.rawValue ?? ""),
                        ("installed", installation.installed?.artifact.version?.description ?? ""),
                        ("running", installation.running?.version?.description ?? ""),
                        ("approved", part.approved?.version?.description ?? ""),
                    ], value: 1)
            })
        metrics.add(
            "holdfast_installation_adopted", "Whether a person has it guarded.", each { $0.adopted ? 1 : 0 })
        metrics.add(
            "holdfast_restart_pending", "Whether another file is on disk than the one that runs.",
            each { $0.installation.running?.restartPending.map { $0 ? 1 : 0 } })
        metrics.add(
            "holdfast_kept_aside_artifacts", "Artifacts that were turned away and are kept.",
            each { Int64($0.pending.count) })
    }

    private func changes(_ metrics: inout MetricsText) {
        let records = report.installations.flatMap(\.decisions)
        metrics.add(
            "holdfast_pending_changes", "Changes that are there now, by what was decided of them.",
            Verdict.allCases.map { verdict in
                Sample(
                    labels: [("verdict", verdict.rawValue)],
                    value: Int64(records.count { $0.decision.verdict == verdict }))
            })
        metrics.add(
            "holdfast_pending_change_info", "A change that is there now; 'holdfast explain' says why.",
            records.map { record in
                let change = record.subject.change
                return Sample(
                    labels: labels(change.installation) + [
                        ("change", change.id), ("from", change.from.version?.description ?? ""),
                        ("to", change.to.version?.description ?? ""),
                        ("update_type", change.updateType.rawValue), ("phase", change.phase.rawValue),
                        ("trigger", change.trigger.rawValue), ("verdict", record.decision.verdict.rawValue),
                    ], value: 1)
            })
    }

    private func guarding(_ metrics: inout MetricsText) {
        guard knowsState else { return }
        metrics.add(
            "holdfast_guards_in_force", "Guards of ours that are in place, and are put back where they go.",
            each { Int64($0.guards.count) })
        metrics.add(
            "holdfast_guards_broken", "Guards that could not be put in place or taken away.",
            Int64(state.guards?.troubles.count ?? 0))
        metrics.add(
            "holdfast_paused", "Whether a person has lifted every guard.", report.paused == nil ? 0 : 1)
        metrics.add(
            "holdfast_paused_until_timestamp_seconds", "When the guards come back by themselves.",
            report.paused?.until.seconds)
        metrics.add(
            "holdfast_quarantined_artifacts", "Artifacts that failed here and are kept out.",
            Int64(state.quarantine.count))
    }

    // MARK: What staying costs

    private func debts(_ metrics: inout MetricsText) {
        let debts = report.installations.compactMap(\.debt)
        func each(_ value: (HoldDebt) -> Int64?) -> [Sample] {
            debts.compactMap { debt in
                value(debt).map { Sample(labels: labels(debt.installation), value: $0) }
            }
        }
        metrics.add(
            "holdfast_hold_debt_causes", "What keeps an installation at its version, by kind.",
            debts.flatMap { debt in
                Dictionary(grouping: debt.causes, by: \.kind).sorted { $0.key < $1.key }.map { kind, causes in
                    Sample(labels: labels(debt.installation) + [("kind", kind)], value: Int64(causes.count))
                }
            })
        metrics.add(
            "holdfast_support_end_timestamp_seconds",
            "The end of the last day on which the installed minor is supported.",
            each { debt in
                guard case .on(let day) = debt.supportEnd else { return nil }
                return (day.daysSinceEpoch + 1) * 86_400
            })
        metrics.add(
            "holdfast_support_ended", "Whether the installed minor is supported no longer.",
            each { $0.isPastSupport.map { $0 ? 1 : 0 } })
        metrics.add(
            "holdfast_patches_behind", "Patches of the installed minor that are newer, at least.",
            each { $0.patches.map { Int64($0.count) } })
        metrics.add(
            "holdfast_minors_behind", "Minors that are newer, at least.",
            each { $0.minors.map { Int64($0.count) } })
        metrics.add(
            "holdfast_ladder_steps", "Steps of the shortest way to the newest release that is permitted.",
            each { debt in if case .ladder(let steps) = debt.way { Int64(steps.count) } else { nil } })
        metrics.add(
            "holdfast_support_table_timestamp_seconds", "The day of the table that support is read from.",
            table.asOf.daysSinceEpoch * 86_400)
    }

    // MARK: Rollouts

    private func rollout(_ metrics: inout MetricsText) {
        metrics.add(
            "holdfast_rollout_info", "The rollout of a distribution, and how it stands.",
            rollouts.sorted { $0.key < $1.key }.map { name, document in
                Sample(
                    labels: [
                        ("distribution", name), ("rollout", document.id),
                        ("version", document.artifact.version.description),
                        ("state", document.state.rawValue),
                    ], value: 1)
            })
        metrics.add(
            "holdfast_seat_info", "This node's part in the rollout of a distribution.",
            (state.seats ?? [:]).sorted { $0.key < $1.key }.map { name, seat in
                Sample(labels: [("distribution", name), ("phase", seat.phase.label)], value: 1)
            })
        guard let step = report.step else { return }
        let id = step.change.installation
        metrics.add(
            "holdfast_step_info", "The change that is being carried out.",
            [
                Sample(
                    labels: labels(id) + [
                        ("change", step.change.id), ("to", step.change.to.version?.description ?? ""),
                        ("phase", step.phase.rawValue),
                    ], value: 1)
            ])
        metrics.add(
            "holdfast_step_phase_timestamp_seconds",
            "When the change that is being carried out came to its phase.",
            [Sample(labels: labels(id), value: step.since.now.seconds)])
        guard step.phase == .soaking, let soak = step.soak else { return }
        let earned = soaks[step.id]?.credit.seconds ?? 0
        metrics.add(
            "holdfast_soak_left_seconds", "What is left of the time for which an artifact has to run well.",
            [Sample(labels: labels(id), value: max(0, soak.seconds - earned))])
    }
}

extension Seat.Phase {
    /// A token that never changes its meaning.
    fileprivate var label: String {
        switch self {
        case .idle: "idle"
        case .asking: "asking"
        case .granted: "granted"
        case .stepping: "stepping"
        case .soaking: "soaking"
        case .proving: "proving"
        case .failing: "failing"
        }
    }
}
