public import Model

/// What `check` and `status` say of a node: the one value from which both text and JSON are made.
///
/// The JSON is an interface: keys are added, never renamed, and a key whose value is not known is null.
public struct NodeReport: Encodable, Hashable, Sendable {
    /// The node's name.
    public var node: String
    /// The policy that was applied.
    public var policy: PolicyPart
    /// In order of distribution and name.
    public var installations: [InstallationPart]
    /// Approvals that are in force: not ended, and not spent here.
    public var approvals: [ApprovalPart]
    /// Denials that were not revoked.
    public var denials: [DenialPart]
    /// What a person should know.
    public var problems: [Problem]
    /// Until when a person has lifted every guard; nil where nobody has.
    public var paused: Pause?
    /// The change that is being carried out; nil where none is.
    public var step: Step?
    /// Changes that are allowed and cannot begin; whoever makes the report fills them in.
    public var waits: [WaitingStep] = []
    /// The key by which checkpoints of the ledger are signed, as a verifier key; nil where none was signed yet.
    public var checkpointKey: String?

    /// The policy, as far as a report names it.
    public struct PolicyPart: Encodable, Hashable, Sendable {
        /// The file.
        public var path: String
        /// Nil where there never was a valid policy.
        public var sha256: Digest?
        /// Whether the file as it is now is valid.
        public var valid: Bool
    }

    /// One installation and the changes that wait on it.
    public struct InstallationPart: Encodable, Hashable, Sendable {
        /// As it was looked at.
        public var installation: Installation
        /// What this node is meant to run.
        public var approved: Artifact?
        /// Whether a person confirmed that.
        public var confirmed: Bool
        /// Whether it is to be guarded: between `adopt` and `release`.
        public var adopted: Bool
        /// What we placed to guard it: drop-ins and the spare by path, and settings by what they are called.
        public var guards: [String]
        /// What it was meant to run before, and ran well; nil where there was none.
        public var lastGood: Artifact?
        /// What the gate did last, the newest last.
        public var acts: [GateAct]
        /// Decisions on every change that is there now.
        public var decisions: [DecisionRecord]
        /// What it costs to stay at this version; nil where nobody counted it.
        public var debt: HoldDebt?

        /// What was turned away and is kept on the node, and is not what it is meant to run.
        public var pending: [Offer] {
            installation.offers.filter { offer in
                offer.path != nil
                    && approved.flatMap { offer.artifact.isSameBytes(as: $0) } != true
            }
        }
    }

    /// Makes the report of one look.
    ///
    /// - Parameter policyPath: the file that was read, whether it was there or not.
    public init(
        observation: Observation, state: NodeState, decisions: [DecisionRecord], policy: LoadedPolicy?,
        policyPath: String, policyIsValid: Bool
    ) {
        node = observation.node.name
        self.policy = PolicyPart(path: policyPath, sha256: policy?.sha256, valid: policyIsValid)
        installations = observation.installations.map { installation in
            let known = state.installations[installation.id.description]
            return InstallationPart(
                installation: installation, approved: known?.reference, confirmed: known?.confirmed ?? false,
                adopted: known?.adoption != nil, guards: Self.guards(of: installation, state.guards),
                lastGood: known?.lastGood, acts: known?.acts ?? [],
                decisions: decisions.filter { $0.subject.change.installation == installation.id })
        }
        approvals = state.approvals(inForceOn: node, at: observation.clock.now).map(ApprovalPart.init)
        denials = state.denials.map(DenialPart.init)
        problems = observation.problems
        paused = state.pause
        step = state.step
        checkpointKey = state.checkpointKeys.last
    }

    private static func guards(of installation: Installation, _ records: GuardRecords?) -> [String] {
        guard let records else { return [] }
        let name = installation.id.name
        let isSnap = installation.id.distribution == .microk8s
        let dropIns = records.dropIns.keys.filter { path in
            installation.units.contains { path.contains("/\($0.name).d/") }
                // One for all services of a snap.
                || (isSnap && path.contains("/snap.\(name).daemon-.service.d/"))
        }
        let settings = records.settings.map(\.setting).filter { setting in
            switch setting.kind {
            case .snapHold, .snapChannel: isSnap && setting.subject == name
            case .snapRetain, .systemHold: isSnap
            case .seal: setting.subject == installation.installed?.path
            // It keeps the node, whichever its installation is.
            case .planLabel: !isSnap
            // It guards nothing: a step empties the node.
            case .cordon: false
            }
        }
        let spares = records.spares.values.filter { $0.installation == installation.id }.map(\.path)
        return (dropIns + spares).sorted() + settings.map(\.summary).sorted()
    }
}

extension NodeReport {
    private enum Key: String, CodingKey {
        case node, policy, installations, approvals, denials, problems, paused, step, waits, checkpointKey
    }
    private enum PauseKey: String, CodingKey { case until, reason }

    /// Writes null where nothing is paused, or carried out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(node, forKey: .node)
        try container.encode(policy, forKey: .policy)
        try container.encode(installations, forKey: .installations)
        try container.encode(approvals, forKey: .approvals)
        try container.encode(denials, forKey: .denials)
        try container.encode(problems, forKey: .problems)
        try container.encode(step.map(StepPart.init), forKey: .step)
        try container.encode(waits, forKey: .waits)
        try container.encode(checkpointKey, forKey: .checkpointKey)
        guard let paused else { return try container.encodeNil(forKey: .paused) }
        var part = container.nestedContainer(keyedBy: PauseKey.self, forKey: .paused)
        try part.encode(paused.until.description, forKey: .until)
        try part.encode(paused.reason, forKey: .reason)
    }
}

extension NodeReport.PolicyPart {
    private enum Key: String, CodingKey { case path, sha256, valid }

    /// Writes null where there is no policy.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(path, forKey: .path)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(valid, forKey: .valid)
    }
}

extension NodeReport.InstallationPart {
    private enum Key: String, CodingKey {
        case distribution, name, role, units, dataDirectory, dataStore, installed, running, approved, adopted,
            guards, hold, lastGood, pending, gate, changes, debt
    }
    private enum InstalledKey: String, CodingKey {
        case version, sha256, revision, channel, path, evidence, origin, unreadable
    }
    private enum RunningKey: String, CodingKey { case version, sources, restartPending }
    private enum SourceKey: String, CodingKey { case source, version }
    private enum ApprovedKey: String, CodingKey { case version, sha256, revision, confirmed }
    private enum HoldKey: String, CodingKey { case until, refreshInhibitedUntil }

    /// Writes the keys that scripts rely on, null where something is not known.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(installation.id.distribution, forKey: .distribution)
        try container.encode(installation.id.name, forKey: .name)
        try container.encode(installation.role, forKey: .role)
        try container.encode(installation.units.map(\.name), forKey: .units)
        try container.encode(installation.dataDirectory, forKey: .dataDirectory)
        try container.encode(installation.dataStore, forKey: .dataStore)
        if let installed = installation.installed {
            var part = container.nestedContainer(keyedBy: InstalledKey.self, forKey: .installed)
            try part.encode(installed.artifact.version, forKey: .version)
            try part.encode(installed.artifact.sha256, forKey: .sha256)
            try part.encode(installed.artifact.revision, forKey: .revision)
            try part.encode(installed.artifact.channel, forKey: .channel)
            try part.encode(installed.path, forKey: .path)
            try part.encode(installed.evidence, forKey: .evidence)
            try part.encode(installed.origin, forKey: .origin)
            try part.encodeIfPresent(installed.unreadable, forKey: .unreadable)
        } else {
            try container.encodeNil(forKey: .installed)
        }
        if let running = installation.running {
            var part = container.nestedContainer(keyedBy: RunningKey.self, forKey: .running)
            try part.encode(running.version, forKey: .version)
            try part.encode(running.restartPending, forKey: .restartPending)
            var sources = part.nestedUnkeyedContainer(forKey: .sources)
            for source in running.sources {
                var element = sources.nestedContainer(keyedBy: SourceKey.self)
                try element.encode(source.source, forKey: .source)
                try element.encode(source.version, forKey: .version)
            }
        } else {
            try container.encodeNil(forKey: .running)
        }
        if let approved {
            var part = container.nestedContainer(keyedBy: ApprovedKey.self, forKey: .approved)
            try part.encode(approved.version, forKey: .version)
            try part.encode(approved.sha256, forKey: .sha256)
            try part.encode(approved.revision, forKey: .revision)
            try part.encode(confirmed, forKey: .confirmed)
        } else {
            try container.encodeNil(forKey: .approved)
        }
        try container.encode(adopted, forKey: .adopted)
        try container.encode(guards, forKey: .guards)
        try container.encode(lastGood.map(ArtifactPart.init), forKey: .lastGood)
        try container.encode(pending.map(PendingPart.init), forKey: .pending)
        try container.encode(acts.map(GatePart.init), forKey: .gate)
        if let hold = installation.hold {
            var part = container.nestedContainer(keyedBy: HoldKey.self, forKey: .hold)
            try part.encode(hold.until?.description, forKey: .until)
            try part.encode(hold.inhibitProceed?.description, forKey: .refreshInhibitedUntil)
        }
        try container.encode(decisions.map(ChangePart.init), forKey: .changes)
        try container.encode(debt.map(HoldDebtPart.init), forKey: .debt)
    }
}

/// What `explain` says of a change: the change as `check` prints it, and the installation that it is of.
public struct ExplainedChange: Encodable, Sendable {
    private let record: DecisionRecord
    private let acts: [GateAct]

    /// Makes the explanation of a decision.
    ///
    /// - Parameter acts: what the gate did last at starts of its installation.
    public init(_ record: DecisionRecord, acts: [GateAct]) {
        self.record = record
        self.acts = record.acts(among: acts)
    }

    private enum Key: String, CodingKey { case distribution, name, gate }

    /// Writes the keys of a change and those that name its installation.
    public func encode(to encoder: any Encoder) throws {
        try ChangePart(record: record).encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(record.subject.change.installation.distribution, forKey: .distribution)
        try container.encode(record.subject.change.installation.name, forKey: .name)
        try container.encode(acts.map(GatePart.init), forKey: .gate)
    }
}

/// A change and what was decided of it, as JSON.
struct ChangePart: Encodable {
    let record: DecisionRecord

    enum Key: String, CodingKey {
        case id, trigger, updateType, skipsMinor, phase, from, to, target, decision
    }
    enum TargetKey: String, CodingKey { case sha256, revision, channel, origin, path }
    enum DecisionKey: String, CodingKey { case id, verdict, reasons, earliest }
    enum ReasonKey: String, CodingKey { case rule, result, text, source, lever, notBefore }

    func encode(to encoder: any Encoder) throws {
        let change = record.subject.change
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(change.id, forKey: .id)
        try container.encode(change.trigger, forKey: .trigger)
        try container.encode(change.updateType, forKey: .updateType)
        try container.encode(change.skipsMinor, forKey: .skipsMinor)
        try container.encode(change.phase, forKey: .phase)
        try container.encode(change.from.version, forKey: .from)
        try container.encode(change.to.version, forKey: .to)
        var target = container.nestedContainer(keyedBy: TargetKey.self, forKey: .target)
        try target.encode(change.to.sha256, forKey: .sha256)
        try target.encode(change.to.revision, forKey: .revision)
        try target.encode(change.to.channel, forKey: .channel)
        try target.encode(change.origin, forKey: .origin)
        try target.encode(record.keptAs, forKey: .path)
        var decision = container.nestedContainer(keyedBy: DecisionKey.self, forKey: .decision)
        try decision.encode(record.id, forKey: .id)
        try decision.encode(record.decision.verdict, forKey: .verdict)
        try decision.encode(record.decision.earliest?.description, forKey: .earliest)
        var reasons = decision.nestedUnkeyedContainer(forKey: .reasons)
        for reason in record.decision.reasons {
            var element = reasons.nestedContainer(keyedBy: ReasonKey.self)
            try element.encode(reason.rule, forKey: .rule)
            try element.encode(reason.result, forKey: .result)
            try element.encode(reason.text, forKey: .text)
            try element.encode(reason.source, forKey: .source)
            try element.encodeIfPresent(reason.lever, forKey: .lever)
            try element.encodeIfPresent(reason.notBefore?.description, forKey: .notBefore)
        }
    }
}
