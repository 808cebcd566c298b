public import Model
public import Ports
import Rules

/// What a tick knows once it has looked: the input of `judge`, all of it values.
public struct Situation {
    /// What the ledger's entries add up to.
    public var state: NodeState
    /// What the look found.
    public var observation: Observation
    /// What reading the policy file gave.
    public var policy: PolicyReading
    /// The last valid policy, where reading the file gave none; nil where there never was one.
    public var lastPolicy: LoadedPolicy?
    /// What imported checksums say of the digests that were seen.
    public var catalog: [Digest: [CatalogEntry]]
    /// What is known of other nodes, by installation; those without an entry are alone.
    public var fleet: [InstallationID: FleetSummary]
    /// Approvals that a person has given.
    public var approvals: [Approval]
    /// Denials that a person has given.
    public var denials: [Denial]
    /// Zones by name, each with the version of its data.
    public var zones: [String: (zone: Zone, dataVersion: String)]
    /// Units that systemd has up, or does not tell of, among those that it was asked about.
    public var unitsUp: Set<String> = []

    /// Makes a situation.
    public init(
        state: NodeState, observation: Observation, policy: PolicyReading, lastPolicy: LoadedPolicy?,
        catalog: [Digest: [CatalogEntry]],
        fleet: [InstallationID: FleetSummary], approvals: [Approval], denials: [Denial],
        zones: [String: (zone: Zone, dataVersion: String)]
    ) {
        self.state = state
        self.observation = observation
        self.policy = policy
        self.lastPolicy = lastPolicy
        self.catalog = catalog
        self.fleet = fleet
        self.approvals = approvals
        self.denials = denials
        self.zones = zones
    }
}

/// What is to be recorded, and how things then stand.
public struct Judgement {
    /// What is new, in the order in which it is recorded; empty on a quiet tick.
    public var events: [Event]
    /// The state that the events lead to.
    public var state: NodeState
    /// The observation with origins settled by the catalogue and all problems, the policy's too.
    public var observation: Observation
    /// The decision on each change that is there now, new or not.
    public var decisions: [DecisionRecord]
    /// The policy that was applied; nil on a node that never had one.
    public var policy: LoadedPolicy?
    /// Whether that policy is what the file now says.
    public var policyIsCurrent: Bool
    /// What is known of the fleet; nil for a node that is part of none.
    public var fleet: KnownFleet?
    /// Whether that is what the store says now; what was known before may be short of a rollout (invariant 4).
    public var fleetIsAsked = false
    /// What was fetched, and what could not be.
    public var downloads: KnownDownloads?
    /// What sources of releases told, by distribution.
    public var sources: [String: KnownSource] = [:]
    /// What an artifact has earned of its soak, by the step's id.
    public var soaks: [String: Soak] = [:]
    /// The newest signed head of the ledger before this tick; nil where there is none.
    public var checkpoint: Checkpoint?

    /// The node's name, and whom its policy wants told; nil while the policy's file is not valid.
    ///
    /// The last valid policy is kept without its receivers, which can be secret.
    public var receivers: (node: String, notify: [Notification])? {
        policyIsCurrent ? policy.map { (observation.node.name, $0.document.notify) } : nil
    }
}

/// Judges all that a look found.
///
/// Pure: the same situation gives the same judgement (invariant 5).
///
/// - Parameter label: makes a short label of a text, the same in every process.
public func judge(_ situation: Situation, label: @escaping (String) -> String) -> Judgement {
    var step = Step(situation: situation, label: label)
    step.judgePause()
    step.judgePolicy()
    step.judgeInstallations()
    step.judgeProblems()
    return step.judgement
}

/// How many characters of a digest name a change or a decision.
public let labelLength = 10

private struct Step {
    let situation: Situation
    let label: (String) -> String
    var judgement: Judgement

    var now: Instant { situation.observation.clock.now }

    init(situation: Situation, label: @escaping (String) -> String) {
        self.situation = situation
        self.label = label
        var observation = situation.observation
        observation.installations = observation.installations.map { installation in
            settled(
                settled(installation, by: situation.catalog), by: situation.approvals,
                catalog: situation.catalog, on: observation.node, now: observation.clock.now)
        }
        judgement = Judgement(
            events: [], state: situation.state, observation: observation, decisions: [],
            policy: situation.lastPolicy, policyIsCurrent: false)
    }

    mutating func add(_ event: Event) {
        judgement.events.append(event)
        judgement.state.apply(event, at: now)
    }

    /// A pause ends by itself.
    mutating func judgePause() {
        guard let pause = situation.state.pause, pause.until <= now else { return }
        add(.resumed(Resumption(pause: pause, isByTime: true)))
    }

    // MARK: Policy

    mutating func judgePolicy() {
        switch situation.policy {
        case .valid(let loaded):
            if loaded.sha256 != situation.state.policy || situation.state.rejection != nil {
                add(.policyLoaded(loaded.recorded))
            }
            judgement.policy = loaded
            judgement.policyIsCurrent = true
        case .invalid(let rejection):
            reject(rejection, code: "policy-invalid")
        case .absent(let file):
            if situation.state.policy != nil {
                let text = "\(file): the policy file has gone; put it back, or write a new one"
                reject(PolicyRejection(file: file, errors: [text]), code: "policy-missing")
            } else {
                judgement.observation.problems.append(
                    Problem(
                        code: "policy-absent",
                        text: "\(file): there is no policy yet, so this node only observes; write one, "
                            + "or have 'holdfast init' write one"))
            }
        }
    }

    private mutating func reject(_ rejection: PolicyRejection, code: String) {
        if rejection != situation.state.rejection { add(.policyRejected(rejection)) }
        let count = rejection.errors.count
        let consequence =
            judgement.policy == nil
            ? "nothing is allowed until it is mended"
            : "the last valid policy goes on forbidding and allows nothing new"
        judgement.observation.problems.append(
            Problem(
                code: code,
                text: count == 1
                    ? "\(rejection.errors[0]) (\(consequence))"
                    : "\(rejection.file) has \(count) errors, the first: \(rejection.errors.first ?? "") (\(consequence); "
                        + "'holdfast policy lint' shows all)"))
    }

    // MARK: Installations

    mutating func judgeInstallations() {
        for installation in judgement.observation.installations {
            let key = installation.id.description
            if let known = situation.state.installations[key] {
                if known.installation.recorded != installation.recorded {
                    add(.installationObserved(installation.recorded))
                }
            } else {
                add(.installationFound(installation.recorded))
            }
            judgeChanges(of: installation)
        }
        let seen = Set(judgement.observation.installations.map(\.id.description))
        // What could not be looked at is not gone.
        let blind = judgement.observation.problems.contains { Problem.blinding.contains($0.code) }
        for (key, known) in situation.state.installations.sorted(by: { $0.key < $1.key })
        where !seen.contains(key) && !blind {
            if isGone(known) {
                add(.installationGone(known.installation.id))
            } else if known.unseenSince.map({ $0 <= now }) ?? true {
                judgement.observation.problems.append(unseen(known.installation.id))
            }
            // Else the clock was put back over its beginning: the absence ends with this look, and the next begins it.
        }
    }

    /// How long looks must not have found an installation before it counts as uninstalled.
    ///
    /// K3s's installer deletes its unit and writes it anew, after the binary was replaced and while the old process runs
    /// on (`facts/k3s.md`): who looks in between must not lift the guards before the very start that they are for.
    private static let absence = TimeSpan.minutes(1)

    private func isGone(_ known: InstallationState) -> Bool {
        // What snapd does not list is not in between.
        if known.installation.id.distribution == .microk8s { return true }
        guard let since = known.unseenSince, since + Self.absence <= now else { return false }
        return !known.installation.units.contains { situation.unitsUp.contains($0.name) }
    }

    private func unseen(_ id: InstallationID) -> Problem {
        Problem(
            code: Problem.installationUnseen,
            text:
                "\(id.distribution.displayName) \(id.name) is no longer found, as while an installer writes its unit "
                + "anew, so its guards stay; once that has lasted for a minute and nothing of it runs, it counts as "
                + "uninstalled",
            about: id.description)
    }

    private mutating func judgeChanges(of installation: Installation) {
        let key = installation.id.description
        guard let known = judgement.state.installations[key] else { return }
        let targets = known.reference.map { Target.all(of: installation, reference: $0) } ?? []
        var present: Set<String> = []
        for target in targets {
            let id = label(
                Change.labelText(distribution: installation.id.distribution, target: target.artifact))
            guard present.insert(id).inserted else { continue }
            let tracked = known.changes.first { $0.change.id == id }
            let change = Change(
                id: id, installation: installation.id,
                trigger: trigger(of: target, id: id, installation.id, tracked: tracked),
                phase: target.phase, from: known.reference ?? Artifact(version: nil), to: target.artifact,
                origin: target.origin ?? tracked?.change.origin ?? .unknown,
                published: target.published ?? tracked?.change.published, firstSeen: tracked?.change.firstSeen
            )
            decide(change, of: installation, tracked: tracked)
        }
        // What could not be read now is not withdrawn.
        let isBlind = judgement.observation.problems.contains {
            $0.code == Problem.pendingUnreadable && $0.about == installation.installed?.path
        }
        for tracked in known.changes
        where !present.contains(tracked.change.id) && !(isBlind && tracked.change.phase == .offered) {
            add(.changeEnded(ChangeEnd(change: tracked.change)))
        }
    }

    /// Who brought a change: the step that carries it out knows; else it is known best when it first appears, and an
    /// offer that came true keeps no guess.
    private func trigger(
        of target: Target, id: String, _ installation: InstallationID, tracked: TrackedChange?
    ) -> Trigger {
        if let own = situation.state.step?.change, own.id == id, own.installation == installation {
            return own.trigger
        }
        return target.trigger == .unknown ? tracked?.change.trigger ?? .unknown : target.trigger
    }

    private mutating func decide(_ change: Change, of installation: Installation, tracked: TrackedChange?) {
        let node = situation.observation.node
        let loaded = judgement.policy ?? .none
        let resolved = resolve(
            loaded, isCurrent: judgement.policyIsCurrent, node: node,
            distribution: installation.id.distribution, role: installation.role)
        var change = change
        // Invariant 2: a first sight counts only by a clock that the policy takes for right.
        if change.firstSeen == nil,
            situation.observation.clock.synchronised == true || resolved.policy.clock == .trusted
        {
            change.firstSeen = now
        }
        let zone = situation.zones[resolved.policy.timezone]
        let subject = Subject(
            node: node, installation: installation.recorded, change: change,
            clockSynchronised: situation.observation.clock.synchronised,
            // Two years on both sides hold every window and freeze that a decision can depend on.
            zone: zone?.zone.trimmed(around: now, by: .days(800)))
        // What is for another distribution, or said no to other bytes, has no part in it.
        let approvals = situation.approvals.filter { $0.distribution == installation.id.distribution }
        let denials = situation.denials.filter { $0.covers(change.to, of: installation.id.distribution) }
        var fleet = situation.fleet[installation.id] ?? .alone
        fleet.quarantine += situation.state.quarantine.compactMap { entry in
            guard entry.installation == installation.id, let bytes = entry.bytes else { return nil }
            return FleetSummary.Quarantined(bytes: bytes, reason: entry.reason, isOwn: true)
        }
        let record = Rules.decide(
            policy: resolved, subject: subject, fleet: fleet, approvals: approvals, denials: denials,
            now: now,
            zoneData: zone?.dataVersion ?? "none", label: label)
        judgement.decisions.append(record)
        if tracked?.decisionID != record.id || tracked?.change != change { add(.decided(record)) }
    }

    // MARK: Problems

    mutating func judgeProblems() {
        let current = judgement.observation.problems
        for problem in situation.state.problems where !current.contains(where: problem.isSame) {
            add(.problemEnded(problem))
        }
        // Another text is no news, and two of one kind about one thing are told once.
        for problem in current where !judgement.state.problems.contains(where: problem.isSame) {
            add(.problemBegan(problem))
        }
    }
}

extension Problem {
    /// Codes that mean that a look was not whole: what was not seen then may still be there.
    public static let blinding: Set<String> = [
        "snapd-silent", "snapd-error", "systemd-silent", unitsUnreadable, installationUnseen,
    ]

    /// Whether a look may have missed a change by it.
    public var hidesChanges: Bool { Problem.blinding.contains(code) || code == Problem.pendingUnreadable }
}

extension Installation {
    /// The installation without what moves by itself: process ids, times of an untouched file.
    ///
    /// An unchanged node adds no row (design, "Ledger").
    fileprivate var recorded: Installation {
        var copy = self
        copy.installed?.identity = nil
        for index in copy.units.indices { copy.units[index].mainPID = 0 }
        return copy
    }
}

extension LoadedPolicy {
    /// The policy without whom it notifies: such a URL or command can be a secret (invariant 13).
    fileprivate var recorded: LoadedPolicy {
        var copy = self
        copy.document.notify = []
        return copy
    }

    /// What a node without a policy is judged by: the defaults, which let nothing through unattended.
    fileprivate static let none = LoadedPolicy(
        document: PolicyDocument(), sources: PolicySources(file: "default", lines: [:]), sha256: .none)
}
