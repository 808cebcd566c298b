import Model

/// Events of one tick that are told one by one; what is more is counted.
private let mostNodeEvents = 20

/// What people who look at the Node in the cluster are told of an entry of the journal; nil for what does not matter to them.
///
/// - Parameters:
///   - now: when it happened.
///   - label: makes a short label of a text, the same in every process.
func kubernetesEvent(for entry: JournalEntry, at now: Instant, label: (String) -> String) -> NodeEvent? {
    guard let (kind, reason) = kindAndReason(of: entry) else { return nil }
    return NodeEvent(
        kind: kind, reason: reason, message: entry.text,
        // One entry is one event, however often it is told.
        key: label("\(now.seconds) \(reason) \(entry.text)"), at: now)
}

/// What people are told of a tick's entries, at most `mostNodeEvents`.
func nodeEvents(for entries: [JournalEntry], at now: Instant, label: (String) -> String) -> [NodeEvent] {
    var seen: Set<String> = []
    let events = entries.compactMap { kubernetesEvent(for: $0, at: now, label: label) }
        .filter { seen.insert($0.key).inserted }
    guard events.count > mostNodeEvents else { return events }
    let rest = events.count - mostNodeEvents + 1
    let text = "\(rest) more things happened at once; 'holdfast history' on the node lists them"
    return events.prefix(mostNodeEvents - 1) + [
        NodeEvent(
            kind: .warning, reason: "ManyChanges", message: text, key: label("\(now.seconds) \(text)"),
            at: now)
    ]
}

private func kindAndReason(of entry: JournalEntry) -> (NodeEvent.Kind, String)? {
    switch entry.message {
    case .decided:
        switch entry.fields["HOLDFAST_VERDICT"] {
        case Verdict.allow.rawValue: (.normal, "UpgradeAllowed")
        case Verdict.deny.rawValue: (.warning, "UpgradeDenied")
        default:
            // What only a person can let pass is asked for in as many words.
            entry.fields["HOLDFAST_RULES"] == RuleName.ceiling.rawValue
                ? (.warning, "UpgradeNeedsApproval") : (.warning, "UpgradeHeld")
        }
    case .guardBroken: (.warning, "GuardBroken")
    case .guardFailed: (.warning, "GuardFailed")
    case .gatePutBack: (.warning, "UpgradePutBack")
    case .gateLetThrough: (.warning, "StartLetThrough")
    case .gateRefused: (.warning, "StartRefused")
    case .gateUntold: (.warning, "StartUntold")
    case .seeded: (.warning, "LedgerSeeded")
    case .policyRejected: (.warning, "PolicyRejected")
    case .adopted: (.normal, "Adopted")
    case .released: (.warning, "Released")
    case .paused: (.warning, "GuardsPaused")
    case .resumed: (.normal, "GuardsResumed")
    case .stepBegan: (.normal, "UpgradeBegan")
    // How it ended is as urgent as the journal takes it.
    case .stepEnded: entry.priority == .error ? (.warning, "UpgradeFailed") : (.normal, "UpgradeEnded")
    case .seatTaken: entry.priority == .error ? (.warning, "RolloutFailed") : (.normal, "RolloutStep")
    case .rolloutSaid: (.normal, "RolloutChanged")
    case .quarantined: (.warning, "ArtifactQuarantined")
    default: nil
    }
}
