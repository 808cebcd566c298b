import Gate
public import Model
public import Ports
import Rules

/// Carries out one change, or finishes one that was begun: a look and one move after the other, to its end.
///
/// Every look is a whole tick, so that the ledger is read anew before each move, and a pause, a denial or a release
/// takes effect there. The effect lock is held while an effect is performed and no longer. Killed anywhere, the next run
/// goes on from what the ledger and the node say.
public struct StepRun {
    let tick: Tick
    let clock: any Clock
    let ledger: any LedgerStore
    private let journal: any Journal
    let label: (String) -> String
    let port: any GuardPort
    let node: any StepPort
    let site: GuardSite
    /// What comes before a change; nil where nobody can be asked, so that a change that needs it is left.
    let care: StepCare?

    /// How often something that could not be done is tried again in one run.
    private static let tries = 3
    /// How long one run waits for snapd in all.
    private static let patience = TimeSpan.minutes(30)
    /// More moves than any policy's rounds of checks come to in the time that the service is given.
    private static let mostMoves = 10_000

    /// Makes a run over a world.
    ///
    /// - Parameters:
    ///   - tick: looks and records between two moves; over the same ledger and port.
    ///   - label: makes a short label of a text, the same in every process.
    ///   - care: what is asked of the node and its cluster before a change.
    public init(
        tick: Tick, clock: any Clock, ledger: any LedgerStore, journal: any Journal,
        label: @escaping (String) -> String, port: any GuardPort, node: any StepPort, site: GuardSite,
        care: StepCare? = nil
    ) {
        self.tick = tick
        self.clock = clock
        self.ledger = ledger
        self.journal = journal
        self.label = label
        self.port = port
        self.node = node
        self.site = site
        self.care = care
    }

    /// How a run ended.
    public struct Report: Sendable {
        /// Where things stand.
        public var standing = StepStanding.nothing
        /// How the step ended; nil where none was there, or it is still open.
        public var end: StepEnd?
        /// Why a due step was not begun, or an open one not carried on; nil where nothing stood in its way.
        public var trouble: String?
        /// What an open step waits for, which is no trouble; nil where nothing holds it up.
        public var hold: String?
        /// Whether the ledger could not be read or written.
        public var failure: LedgerFailure?
        /// Whether another process was at the node's guards all the time.
        public var isBusy = false
        /// The node's name, and whom its policy wants told, as of the last look; nil where the policy is not valid.
        public var receivers: (node: String, notify: [Notification])?
    }

    /// Carries out what is due, or finishes what is open; it returns when that is over, or cannot go on by itself.
    public func run() -> Report {
        var run = Run(world: self)
        do throws(LedgerFailure) {
            for _ in 0..<Self.mostMoves {
                guard try run.move() else { break }
            }
        } catch {
            run.report.failure = error
        }
        return run.report
    }

    fileprivate var keep: KeepGuards {
        KeepGuards(ledger: ledger, port: port, journal: journal, label: label, reading: clock.read())
    }

    /// One run.
    struct Run {
        let world: StepRun
        var report = Report()
        private var count = HealthCount()
        private var countedPhase: Step.Phase?
        var failures = 0
        /// What was fetched just now and is to be recorded.
        var proven: FoundArtifact?
        private var hasBegun = false
        private var identified: Artifact?
        /// Why snapd did not take what was asked of it, each time.
        private var refusals: [String] = []
        private var waited = TimeSpan(seconds: 0)
        private var isSampling = false

        init(world: StepRun) { self.world = world }

        /// One look and one move; false where nothing is left to do, or can be done.
        mutating func move() throws(LedgerFailure) -> Bool {
            let outcome = world.tick.run(dryRun: false)
            if let failure = outcome.failure { throw failure }
            let judgement = outcome.judgement
            report.receivers = judgement.receivers
            report.standing = stepStanding(of: judgement, site: world.site, label: world.label)
            switch report.standing {
            case .nothing, .waits: return false
            case .fetch(let order): return try fetch(order, judgement)
            case .due(let step):
                // One step at a time; the next tick begins another.
                guard !hasBegun else { return false }
                return try begin(step, judgement)
            case .open(let step):
                hasBegun = true
                return try carryOn(step, judgement)
            }
        }

        // MARK: Beginning

        /// A node that is not well, or cannot be asked, is not made to change: nobody could tell afterwards whether it
        /// is.
        private mutating func begin(_ step: Step, _ judgement: Judgement) throws(LedgerFailure) -> Bool {
            guard
                let installation = judgement.observation.installations.first(where: {
                    $0.id == step.change.installation
                })
            else { return false }
            if let objection = world.objection(toBeginning: step, on: installation, judgement) {
                report.trouble = "\(step.summary) does not begin: \(objection)"
                return false
            }
            if step.change.phase != .running {
                let policy = world.health(of: installation, judgement)
                let answers = ask(policy, installation, expecting: step.change.from)
                if let text = answers.lazy.compactMap(\.text).first {
                    report.trouble =
                        "\(step.summary) does not begin: before it the node is not known to be well: \(text)"
                    return false
                }
            }
            hasBegun = true
            try append([.stepBegan(step)], judgement.state)
            return true
        }

        // MARK: Carrying on

        private mutating func carryOn(_ step: Step, _ judgement: Judgement) throws(LedgerFailure) -> Bool {
            let facts = world.facts(step, judgement, identified: identified)
            if countedPhase != step.phase {
                count = HealthCount()
                isSampling = false
                countedPhase = step.phase
                failures = 0
            }
            let action = nextAction(step, facts)
            switch action {
            case .store:
                let path = world.site.vaultPath(of: step.change.to.sha256 ?? .none)
                return try perform(
                    .storeInVault(
                        ArtifactCopy(
                            installation: step.change.installation, artifact: step.change.to.pinned,
                            from: world.source(of: step, judgement), to: path)), step, judgement)
            case .identify:
                do throws(EffectFailure) {
                    identified = try world.node.identify(
                        world.site.vaultPath(of: step.change.to.sha256 ?? .none),
                        distribution: step.change.installation.distribution)
                    return true
                } catch {
                    return try end(step, .abandoned(error.description), judgement)
                }
            case .replace(let back):
                guard let effect = world.replacement(step, back: back, facts, judgement) else {
                    return try end(step, .abandoned("nothing is known of its binary"), judgement)
                }
                return try perform(effect, step, judgement)
            case .restart:
                let unit = facts.installation?.mainUnit?.name ?? ""
                return try perform(
                    .restart(UnitRestart(unit: unit, invocation: step.invocation)), step, judgement)
            case .refresh: return try refresh(step, judgement)
            case .wait: return wait(step)
            case .move(let phase, let failure):
                return try move(step, to: phase, failure: failure, facts, judgement)
            case .probe: return try probe(step, facts, judgement)
            case .sample: return try sample(step, facts, judgement)
            case .settle:
                world.node.wait(TimeSpan(seconds: 1))
                return true
            case .hold(let reason):
                report.hold = reason
                return false
            case .askGates, .backUp, .drain: return try prepare(action, step, facts, judgement)
            case .end(let outcome, let failure): return try end(step, outcome, failure: failure, judgement)
            }
        }

        /// Asks snapd for the revision; what it does not take is asked for a few times, and then left.
        private mutating func refresh(_ step: Step, _ judgement: Judgement) throws(LedgerFailure) -> Bool {
            guard refusals.count < StepRun.tries else {
                return try end(step, .abandoned(refusals.last ?? "snapd does not take it"), judgement)
            }
            guard let revision = step.change.to.revision, let from = step.change.from.revision else {
                return try end(step, .abandoned("its revision is not known"), judgement)
            }
            let outcome = try outcome(
                of: .refreshSnap(
                    RevisionRefresh(
                        snap: step.change.installation.name, revision: revision, from: from,
                        since: step.since.now, channel: step.change.to.channel)), step, judgement)
            report.isBusy = outcome.isBusy
            report.trouble = outcome.trouble
            if let trouble = outcome.trouble { refusals.append(trouble) }
            return outcome.isBusy || outcome.trouble != nil ? wait(step) : true
        }

        /// Lets snapd go on; what is not over after half an hour is left to a later run, and stays open.
        mutating func wait(_ step: Step) -> Bool {
            guard waited < StepRun.patience else {
                report.trouble =
                    "\(step.summary): snapd is not done with it yet; it is looked after again at the next tick, see "
                    + "'snap changes'"
                return false
            }
            let span = TimeSpan(seconds: 10)
            waited = TimeSpan(seconds: waited.seconds + span.seconds)
            world.node.wait(span)
            return true
        }

        private mutating func probe(
            _ step: Step, _ facts: StepFacts, _ judgement: Judgement
        ) throws(LedgerFailure) -> Bool {
            guard let installation = facts.installation else { return false }
            let policy = world.health(of: installation, judgement)
            let reading = world.clock.read()
            // The monotonic clock is another one after a boot: the time begins anew, once for each boot.
            guard reading.bootID == step.since.bootID else {
                return try move(step, to: step.phase, failure: nil, facts, judgement)
            }
            let target = step.phase.isBack ? step.change.from : step.change.to
            let answers = ask(policy, installation, expecting: target)
            let elapsed = (world.clock.read().monotonic - step.since.monotonic) / 1_000_000_000
            let verdict = count.take(
                HealthRound(answers: answers, invocation: installation.mainUnit?.invocationID), policy,
                isLate: elapsed > policy.deadline.seconds)
            guard let action = action(after: verdict, step, facts) else {
                world.node.wait(policy.interval)
                return true
            }
            switch action {
            case .end(let outcome, let failure): return try end(step, outcome, failure: failure, judgement)
            case .move(let phase, let failure):
                return try move(step, to: phase, failure: failure, facts, judgement)
            default: return false
            }
        }

        /// Looks once whether it stays well; what it has earned is kept, and the next tick looks again.
        private mutating func sample(
            _ step: Step, _ facts: StepFacts, _ judgement: Judgement
        ) throws(LedgerFailure) -> Bool {
            guard let installation = facts.installation else { return false }
            let policy = world.health(of: installation, judgement)
            let answers = ask(policy, installation, expecting: step.change.to)
            let invocation = installation.mainUnit?.invocationID
            if !isSampling {
                count = HealthCount(wasWell: true)
                isSampling = true
            }
            let verdict = count.take(
                HealthRound(answers: answers, invocation: invocation), policy, isLate: false)
            if case .unwell(let reason) = verdict {
                switch failed(reason, step, facts) {
                case .end(let outcome, let failure):
                    return try end(step, outcome, failure: failure, judgement)
                case .move(let phase, let failure):
                    return try move(step, to: phase, failure: failure, facts, judgement)
                default: return false
                }
            }
            let soak = try world.soak(of: step)
            guard count.successes > 0 else {
                try world.keepSoak(soak.failing(), of: step)
                world.node.wait(policy.interval)
                return true
            }
            let reading = world.clock.read()
            let earned = soak.taking(
                Soak.Sample(
                    bootID: reading.bootID, invocationID: invocation ?? "", bytes: step.change.to.bytes ?? "",
                    monotonic: reading.monotonic), interval: soakInterval)
            try world.keepSoak(earned, of: step)
            guard earned.isOver(step.soak ?? .zero) else { return false }
            return try end(step, .done, judgement)
        }

        private func ask(
            _ policy: HealthPolicy, _ installation: Installation, expecting artifact: Artifact
        ) -> [HealthAnswer] {
            var answers: [HealthAnswer] = []
            for check in policy.checks {
                let answer =
                    answer(check, of: installation, expecting: artifact)
                    ?? world.node.ask(check, of: installation, patience: policy.timeout)
                answers.append(answer)
                // The first one that is not well decides a round, and each costs time.
                if answer != .well { break }
            }
            return answers
        }

        // MARK: Recording

        private mutating func perform(
            _ effect: Effect, _ step: Step, _ judgement: Judgement
        ) throws(LedgerFailure) -> Bool {
            let outcome = try outcome(of: effect, step, judgement)
            report.isBusy = outcome.isBusy
            guard outcome.isBusy || outcome.trouble != nil else { return true }
            report.trouble = outcome.trouble
            failures += 1
            guard failures >= (outcome.isBusy ? 100 : Self.tries) else {
                world.node.wait(TimeSpan(seconds: 1))
                return true
            }
            // Nothing runs yet that did not run before: it is left. Later on it stays open, and is tried again.
            guard [.storing, .replacing].contains(step.phase), let trouble = outcome.trouble else {
                return false
            }
            return try end(step, .abandoned(trouble), judgement)
        }

        static var tries: Int { StepRun.tries }

        func outcome(
            of effect: Effect, _ step: Step, _ judgement: Judgement
        ) throws(LedgerFailure) -> GuardOutcome {
            let situation = GuardSituation(
                state: judgement.state, observation: judgement.observation, policy: judgement.policy,
                site: world.site)
            return try world.keep.perform(effect, situation) { state in
                // A person's word, or another process, since the look: looked at anew.
                state.step?.id == step.id && state.step?.phase == step.phase
                    && state.denials == judgement.state.denials
                    && state.approvals == judgement.state.approvals && state.pause == judgement.state.pause
                    && state.installations[step.change.installation.description]?.adoption
                        == judgement.state.installations[step.change.installation.description]?.adoption
            }
        }

        mutating func move(
            _ step: Step, to phase: Step.Phase, failure: String?, _ facts: StepFacts, _ judgement: Judgement,
            backup: String? = nil
        ) throws(LedgerFailure) -> Bool {
            var events: [Event] = []
            if phase == .replacingBack, let failure { events.append(quarantine(step, failure)) }
            events.append(
                .stepMoved(
                    StepMove(
                        of: step, to: phase, since: world.clock.read(),
                        invocation: facts.installation?.mainUnit?.invocationID, failure: failure,
                        backup: backup)))
            try append(events, judgement.state)
            return true
        }

        mutating func end(
            _ step: Step, _ outcome: StepEnd.Outcome, failure: String? = nil, _ judgement: Judgement
        ) throws(LedgerFailure) -> Bool {
            var events: [Event] = []
            let isLeft = if case .abandoned = outcome { true } else { false }
            // It was tried with these bytes: to try again takes another word (invariant 6).
            let installation = judgement.observation.installations.first {
                $0.id == step.change.installation
            }
            if !isLeft || mayHaveRun(step, installation) {
                events += step.approvals.map { id in
                    .approvalSpent(
                        SpentApproval(
                            approval: id, node: judgement.observation.node.name, step: step.id,
                            artifact: step.change.to))
                }
            }
            // Why it failed is for every node; what a person is to do is for this one.
            if case .needsPerson(let advice) = outcome, !step.phase.isBack {
                events.append(quarantine(step, failure ?? advice))
            }
            let end = StepEnd(step, outcome)
            events.append(.stepEnded(end))
            try append(events, judgement.state)
            report.end = end
            report.trouble = nil
            // One more look: what is meant to run is now another artifact, and its spare is staged.
            return true
        }

        private func quarantine(_ step: Step, _ reason: String) -> Event {
            .quarantined(
                QuarantinedArtifact(
                    installation: step.change.installation, artifact: step.change.to, reason: reason,
                    at: world.clock.read().now, rollout: step.rollout))
        }

        func append(_ events: [Event], _ state: NodeState) throws(LedgerFailure) {
            let reading = world.clock.read()
            // Others append while we look and wait.
            var state = try world.ledger.load().state
            for event in events { state.apply(event, at: reading.now) }
            try world.ledger.append(events, reading: reading, state: state)
            events.flatMap(journalEntries).forEach(world.journal.write)
            world.tick.tell(events, at: reading.now)
        }
    }
}
