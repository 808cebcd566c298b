public import Model

/// What the paths of one installation are judged from, all of it values.
public struct PathsQuestion: Sendable {
    /// As the look found it.
    public var installation: Installation
    /// What is remembered of it; nil where no tick has seen it yet.
    public var known: InstallationState?
    /// What the policy has guards do for it; nil without a policy.
    public var enforce: Enforcement?
    /// What we placed.
    public var records: GuardRecords
    /// Until when a person has lifted every guard.
    public var pause: Pause?
    /// What was found of the guards.
    public var facts: GuardFacts
    /// How far snapd's hold of it is in effect; nil for what is no snap.
    public var hold: HoldState?
    /// What the cluster told; nil where it was not asked, or never answered.
    public var cluster: ClusterObservation?
    /// When.
    public var now: Instant

    /// Makes a question.
    public init(
        installation: Installation, known: InstallationState?, enforce: Enforcement?, records: GuardRecords,
        pause: Pause?, facts: GuardFacts, cluster: ClusterObservation? = nil, hold: HoldState? = nil,
        now: Instant
    ) {
        self.installation = installation
        self.known = known
        self.enforce = enforce
        self.records = records
        self.pause = pause
        self.facts = facts
        self.hold = hold
        self.cluster = cluster
        self.now = now
    }
}

/// Every path by which the version of an installation can change, with its state and the evidence.
///
/// It never says held where that is not proven: what could not be asked, read or found in force counts as not held,
/// or as not proven.
public func paths(_ question: PathsQuestion) -> [ChangePath] {
    let isSnap = question.installation.id.distribution == .microk8s
    var paths = isSnap ? question.snapPaths : question.binaryPaths
    paths.append(question.imageSwap)
    paths.append(
        ChangePath(
            .root, .cannotBeHeld,
            "root can take every guard away; what then runs is found by the next tick and recorded, and the "
                + "guards that the policy asks for are put back"))
    return paths
}

/// How a guard stands, before it is said of a path.
struct GuardStanding {
    var state: ChangePath.State
    var evidence: String
    var lever: String?
}

extension PathsQuestion {
    private var name: String { installation.id.name }

    /// Why nothing that we place counts now; nil where guards are meant to be in force.
    var lifted: GuardStanding? {
        if known?.adoption == nil {
            return GuardStanding(
                state: .notHeld, evidence: "\(name) is not adopted, so nothing guards it",
                lever: "holdfast adopt")
        }
        guard enforce != nil else {
            return GuardStanding(
                state: .notHeld, evidence: "there is no policy, so nothing is guarded",
                lever: "write /etc/holdfast/policy.yaml")
        }
        if let pause, now < pause.until {
            return GuardStanding(
                state: .notHeld, evidence: "every guard is lifted until \(pause.until): \(pause.reason)",
                lever: "holdfast resume")
        }
        return nil
    }

    // MARK: K3s and k0s

    /// The gate before every start of the units.
    var gate: GuardStanding {
        if let lifted { return lifted }
        switch enforce?.gate {
        case .off, nil:
            return GuardStanding(
                state: .notHeld, evidence: "the policy's enforce.gate is off",
                lever: "enforce: {gate: restore} in the policy")
        case .warn:
            return GuardStanding(
                state: .notHeld, evidence: "the gate only warns, and lets everything start",
                lever: "enforce: {gate: restore} in the policy")
        case .restore, .refuse: break
        }
        let findings = gateFindings(
            of: installation, reference: known?.reference, records: records, facts: facts)
        if let first = findings.first(where: { !Self.slows.contains($0.code) }) {
            return GuardStanding(
                state: .notHeld, evidence: "\(first.about): \(first.text)", lever: first.mend)
        }
        guard case .told(_, let readAt) = facts.units else {
            let reason = if case .unknown(let text) = facts.units { text } else { "" }
            return GuardStanding(
                state: .notProven,
                evidence:
                    "the gate's drop-in lies on disk; whether systemd has read it is not known: \(reason)",
                lever: "holdfast status --paths, on the node itself")
        }
        if let silent = installation.units.map(\.name).first(where: { facts.units.of($0) == nil }) {
            return GuardStanding(
                state: .notProven, evidence: "systemd did not tell of \(silent)",
                lever: "systemctl status \(silent)")
        }
        if let mode = wrongMode {
            return GuardStanding(
                state: mode == .warn || mode == .off ? .notHeld : .notProven,
                evidence: "the gate goes by an older policy, which says \(mode.rawValue)",
                lever: "holdfast check")
        }
        let since = readAt.map { ", read by systemd on \($0)" } ?? ", read by systemd"
        let what =
            "a gate stands before each start of \(installation.units.map(\.name).joined(separator: ", "))\(since)"
        if enforce?.gate == .refuse {
            return GuardStanding(
                state: .held, evidence: "\(what): other bytes than the approved ones are refused",
                lever: bypass)
        }
        if let first = findings.first {
            return GuardStanding(
                state: .notProven, evidence: "\(what), but \(first.text)", lever: first.mend)
        }
        if let objection = facts.objections[installation.id.description] {
            return GuardStanding(
                state: .notProven,
                evidence:
                    "\(what) and the spare lies beside the binary, but over written data nothing is put back "
                    + "without proof: \(objection)",
                lever: "holdfast release && holdfast adopt, once what runs is what is meant to run")
        }
        return GuardStanding(
            state: .held,
            evidence: "\(what): other bytes are put aside and the spare beside the binary takes their place",
            lever: bypass)
    }

    /// Findings that make putting back slow or doubtful rather than impossible.
    private static let slows: Set<String> = [
        "spare-missing", "spare-changed", "vault-missing", "vault-changed",
    ]

    private var bypass: String { "holdfast pause --for 2h --reason …" }

    /// What the gate goes by where that is not what the policy says.
    private var wrongMode: Enforcement.GateMode? {
        guard case .read(_, let modes) = facts.guardFile else { return nil }
        return installation.units.compactMap { modes[$0.name] }.first { $0 != enforce?.gate }
    }

    var binaryPaths: [ChangePath] {
        let gate = gate
        var paths = [
            ChangePath(
                .installer, gate.state,
                "\(gate.evidence)\(sealEvidence)", lever: gate.lever)
        ]
        if installation.id.distribution == .k3s { paths.append(sucPlan(gate)) }
        if installation.id.distribution == .k0s { paths.append(autopilot(gate)) }
        paths.append(packageManager(gate))
        return paths
    }

    private var sealEvidence: String {
        guard let path = installation.installed?.path, let placed = records.setting(Setting(.seal, path)),
            placed.seen != nil
        else { return "" }
        return "; the file is sealed besides"
    }

    /// A plan that is made and run between two ticks is not seen before, so the label alone proves nothing.
    private func sucPlan(_ gate: GuardStanding) -> ChangePath {
        let labels = records.settings.filter { $0.setting.kind == .planLabel }.map(\.setting.subject)
        let named = planEvidence(labels)
        switch (gate.state, enforce?.plans) {
        case (.held, _):
            return ChangePath(
                .sucPlan, .held,
                "\(named); what any other plan's job copies over the binary meets the gate (\(gate.evidence)), and the "
                    + "node stays cordoned until somebody uncordons it",
                lever: gate.lever)
        case (_, .block) where lifted == nil && !labels.isEmpty:
            return ChangePath(
                .sucPlan, .notProven,
                "\(named); a plan that is made and run between two ticks is not, and no gate is proven to stand behind "
                    + "it: \(gate.evidence)", lever: gate.lever)
        default:
            return ChangePath(
                .sucPlan, gate.state, "\(named), and \(gate.evidence)", lever: gate.lever)
        }
    }

    private func planEvidence(_ labels: [String]) -> String {
        guard let cluster else {
            return labels.isEmpty
                ? "which plans the cluster has is not known"
                : "the label keeps off \(labels.joined(separator: ", "))"
        }
        let plans = cluster.plans.filter(\.selectsNode)
        guard !plans.isEmpty else { return "no plan of the cluster selects this node now" }
        return plans.map { plan in
            cluster.isKeptOff(plan)
                ? "the label keeps off \(plan.path)" : "nothing keeps off \(plan.path)"
        }.joined(separator: ", ")
    }

    private func autopilot(_ gate: GuardStanding) -> ChangePath {
        if facts.withoutAutopilot.contains(installation.id.description) {
            return ChangePath(
                .autopilot, .held, "the unit starts k0s with --disable-components autopilot",
                lever: "the unit's arguments")
        }
        let after =
            gate.state == .held
            ? "what it installs is put aside at the restart that it makes"
            : "no gate is proven to stand behind it"
        return ChangePath(
            .autopilot, .cannotBeHeld,
            "\(autopilotEvidence)a plan cordons and drains this node before it replaces the binary, so it cannot be held without a drain; "
                + after,
            lever: "start the controllers with --disable-components autopilot")
    }

    private var autopilotEvidence: String {
        guard let autopilot = cluster?.autopilot else { return "" }
        let configs = autopilot.configs.map { "the UpdateConfig \($0.name) follows \($0.channel); " }.joined()
        return configs + (autopilot.plan == nil ? "" : "it has a Plan before it; ")
    }

    private func packageManager(_ gate: GuardStanding) -> ChangePath {
        switch facts.owners[installation.id.description] {
        case .dpkg(let package):
            return ChangePath(
                .packageManager, gate.state,
                "the package \(package) owns the binary, and its next update replaces it; \(gate.evidence)",
                lever: gate.state == .held ? "apt-mark hold \(package)" : gate.lever)
        case .mayBeRPM:
            return ChangePath(
                .packageManager, gate.state,
                "there is an RPM database, which is not read, so a package may own the binary; \(gate.evidence)",
                lever: "rpm -qf \(installation.installed?.path ?? "")")
        case .nobody:
            return ChangePath(
                .packageManager, gate.state,
                "no package owns the binary today; one that ships it meets what an installer meets: \(gate.evidence)",
                lever: gate.lever)
        case nil:
            return ChangePath(
                .packageManager, gate.state,
                "whether a package owns the binary was not looked up; \(gate.evidence)", lever: gate.lever)
        }
    }

    // MARK: Any

    var imageSwap: ChangePath {
        let isSnap = installation.id.distribution == .microk8s
        return ChangePath(
            .imageSwap, .cannotBeHeld,
            "an image that is swapped in at boot brings its own files, guards and all, or none; the first tick finds "
                + "another \(isSnap ? "revision" : "binary") as long as the state directory outlives the swap"
        )
    }
}

extension ClusterObservation {
    /// Whether the label of our Node keeps a plan away for good.
    func isKeptOff(_ plan: UpgradePlan) -> Bool {
        node?.planLabels[plan.name] == ClusterNode.planDisabled
    }
}
