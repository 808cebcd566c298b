import Agent
import CommandLine
import Host
import Ledger
import Model
import Ports

/// Records what a person asks of the guards, does it, and shows what was done.
func change(
    _ request: GuardRequest, at place: Place, _ invocation: Invocation, on screen: Screen
) throws(Failure) -> ExitCode {
    guard place.guards != nil else {
        throw Failure(
            code: .badConfiguration,
            message:
                "\(place.stateDirectory): the state directory is not an absolute path below \(place.root.prefix)/, so "
                + "no gate would find it; leave --state out")
    }
    let isDry = invocation.has("dry-run")
    if !isDry, place.root.isLive, Machine.effectiveUser != 0 {
        throw Failure(
            code: .failed,
            message:
                "guards are placed, lifted and taken away by root alone: run this as root, or look with --dry-run"
        )
    }
    let outcome = isDry ? place.preview(request).outcome : tick(at: place, on: screen, request: request)
    if let failure = outcome.failure { throw Failure(ledger: failure) }
    var report = GuardChange(outcome: outcome, isDry: isDry)
    let aside = outcome.judgement.observation.problems.first { $0.code == Problem.guardFileAside }
    if request == .release, !isDry, let left = place.guardsLeft ?? aside?.text {
        // Whoever takes the program away goes by this: nobody else knows what was there before (invariants 3 and 10).
        report.trouble = report.trouble ?? left
    }
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        let isNothingHere = outcome.judgement.observation.installations.isEmpty
        screen.out(report.text(request, isNothingHere: isNothingHere, screen.style, screen.width))
        for refusal in report.refused { screen.error("Error: \(refusal.printable)") }
        if let trouble = report.trouble { screen.error("Error: \(trouble.printable)") }
    }
    guard report.refused.isEmpty, report.trouble == nil else {
        return request == .release && report.leftToAnother ? .busy : .failed
    }
    return .done
}

extension Place {
    /// What of ours is still on the node by the ledger, and what to do about it; nil where nothing is.
    fileprivate var guardsLeft: String? {
        guard let records = try? readLedger().load().state.guards else { return nil }
        let left = records.settings.map(\.setting.summary) + records.dropIns.keys.sorted()
        guard !left.isEmpty || !records.intents.isEmpty else { return nil }
        let names = left.isEmpty ? "an effect that was begun" : left.joined(separator: ", ")
        return
            "still in place: \(names); what keeps it there (an API server or snapd that does not answer, another holdfast at work) is in 'holdfast doctor': "
            + "mend it, and run 'holdfast release' again"
    }
}

/// What a verb about guards has done or would do.
struct GuardChange: Encodable {
    var dryRun: Bool
    /// What was recorded, for a person: nothing where all was so already.
    var recorded: [String]
    /// What was done to the node, or would be, in order.
    var effects: [String]
    /// What was not done because it cannot be.
    var refused: [String]
    /// Why not everything was done.
    var trouble: String?
    /// Whether another process performs effects, and does these at its next step.
    var leftToAnother: Bool
    /// What a person should know besides.
    var notes: [String]

    init(outcome: Tick.Outcome, isDry: Bool) {
        dryRun = isDry
        recorded = (outcome.answer?.events ?? []).flatMap { event in
            if isDry, let words = Self.planned(event) { return [words] }
            return journalEntries(for: event).map(\.text)
        }
        let done = (outcome.guards?.events ?? []).compactMap { event -> String? in
            guard case .effected(let end) = event else { return nil }
            switch end.outcome {
            case .done, .reads: return end.summary
            case .undone, .takenBack, .failed, .unknown: return nil
            }
        }
        effects = isDry ? (outcome.guards?.planned ?? []).map(\.summary) : done
        refused = outcome.answer?.refusals ?? []
        trouble = outcome.guards?.trouble
        leftToAnother = outcome.guards?.isBusy ?? false
        notes = Self.notes(outcome)
    }

    /// What would be recorded, in words that do not say it was; nil where the journal's own do.
    private static func planned(_ event: Event) -> String? {
        switch event {
        case .adopted(let adoption):
            "would adopt \(adoption.installation.name), as what is meant to run: \(adoption.artifact.summary)"
        case .released(let id): "would release \(id.name): nothing would guard it any longer"
        default: nil
        }
    }

    private static func notes(_ outcome: Tick.Outcome) -> [String] {
        let state = outcome.judgement.state
        var notes: [String] = []
        let adopted = state.installations.values.filter { $0.adoption != nil }
            .sorted { $0.installation.id < $1.installation.id }
        if !adopted.isEmpty, outcome.judgement.policy == nil {
            notes.append(
                "there is no policy, so nothing is guarded: write one, and 'holdfast check' places its guards"
            )
        } else if let policy = outcome.judgement.policy {
            for known in adopted where !isGuarded(known, state, policy, outcome) {
                let name = known.installation.id.name
                notes.append(
                    known.installation.id.distribution == .microk8s
                        ? "\(name) is confirmed, but the policy's enforce.hold and enforce.veto are off for it, so "
                            + "nothing keeps a refresh out"
                        : "\(name) is confirmed, but the policy's enforce.gate is off for it, so no gate stands before it"
                )
            }
        }
        if let pause = state.pause {
            notes.append("every guard is lifted until \(pause.until); 'holdfast resume' ends that")
        }
        return notes
            + outcome.judgement.observation.problems
            .filter { $0.code.hasPrefix("drop-in-") || $0.code == Problem.guardFileAside }.map(\.text)
    }

    private static func isGuarded(
        _ known: InstallationState, _ state: NodeState, _ policy: LoadedPolicy, _ outcome: Tick.Outcome
    ) -> Bool {
        let node = outcome.judgement.observation.node
        return known.installation.id.distribution == .microk8s
            ? isSnapGuarded(known.installation, policy: policy, node: node)
            : gateMode(of: known.installation, policy: policy, node: node) != .off
    }

    /// The change for a person.
    ///
    /// - Parameter isNothingHere: whether no distribution is installed.
    func text(_ request: GuardRequest, isNothingHere: Bool, _ style: Style, _ width: Int?) -> String {
        func paragraph(_ line: String) -> String {
            folded(line.printable, width: width).joined(separator: "\n") + "\n"
        }
        var text = ""
        if recorded.isEmpty { text += paragraph(unchanged(request, isNothingHere: isNothingHere)) }
        for line in recorded { text += paragraph(line) }
        text += aligned(
            effects.map { [(dryRun ? "would" : "done", dryRun ? .waiting : .good), ($0.printable, nil)] },
            indent: 2, style: style, width: width)
        if leftToAnother {
            text += paragraph("Another holdfast is at work on the guards and does this at its next step.")
        }
        for note in notes { text += paragraph("Note: \(note)") }
        if dryRun { text += "Dry run: nothing was recorded or done.\n" }
        return text
    }

    private func unchanged(_ request: GuardRequest, isNothingHere: Bool) -> String {
        switch request {
        case .adopt where isNothingHere:
            "no K3s, MicroK8s or k0s is installed here, so there is nothing to adopt"
        case .adopt:
            refused.isEmpty ? "everything that is installed is adopted already" : "nothing was adopted"
        case .release: "nothing is adopted, so there is nothing to release"
        case .pause, .resume: "nothing was paused"
        }
    }
}
