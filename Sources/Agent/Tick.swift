public import Model
public import Ports

/// One tick: observe → decide → record → tell.
///
/// Synchronous; the world is behind the ports.
public struct Tick {
    private let clock: any Clock
    private let observer: any Observer
    private let policy: any PolicySource
    private let zones: any ZoneSource
    let ledger: any LedgerStore
    let journal: any Journal
    let label: (String) -> String
    private let guards: (port: any GuardPort, site: GuardSite)?
    private let cluster: (any ClusterPort)?
    let servers: (any StepClusterPort)?
    let fleet: (port: any FleetPort, identity: FleetIdentity)?
    private let source: ((ArtifactSource) -> (any ReleaseSource)?)?
    let checkpoints: (port: any CheckpointPort, isNodes: Bool)?
    private let untold: (Instant) -> [Problem]

    /// How often a tick looks again because something moved meanwhile; the next tick takes over from there.
    private static let maximumRounds = 8
    /// How often it looks anew because others recorded something meanwhile; then it records what it found all the same.
    private static let mostOvertaken = 5

    /// Makes a tick over a world.
    ///
    /// - Parameters:
    ///   - label: makes a short label of a text, the same in every process.
    ///   - guards: where guards are kept; nil where none are, whatever is desired.
    ///   - cluster: where plans are seen and people told; nil where no cluster is asked.
    ///   - servers: who is asked of deprecated APIs, for a gate that asks; nil where nobody is.
    ///   - fleet: where rollouts are; nil where this node takes part in none.
    ///   - source: the source of releases that a policy's settings name; nil where none is asked.
    ///   - checkpoints: where checkpoints of the ledger are signed, and whether that is the node's own ledger, which the
    ///     journal and the fleet are told of; nil where none are.
    ///   - untold: what is the matter with those who are to be told outside.
    public init(
        clock: any Clock, observer: any Observer, policy: any PolicySource, zones: any ZoneSource,
        ledger: any LedgerStore, journal: any Journal, label: @escaping (String) -> String,
        guards: (port: any GuardPort, site: GuardSite)? = nil, cluster: (any ClusterPort)? = nil,
        servers: (any StepClusterPort)? = nil,
        fleet: (port: any FleetPort, identity: FleetIdentity)? = nil,
        source: ((ArtifactSource) -> (any ReleaseSource)?)? = nil,
        checkpoints: (port: any CheckpointPort, isNodes: Bool)? = nil,
        untold: @escaping (Instant) -> [Problem] = { _ in [] }
    ) {
        self.clock = clock
        self.observer = observer
        self.policy = policy
        self.zones = zones
        self.ledger = ledger
        self.journal = journal
        self.label = label
        self.guards = guards
        self.cluster = cluster
        self.servers = servers
        self.fleet = fleet
        self.source = source
        self.checkpoints = checkpoints
        self.untold = untold
    }

    /// How a tick ended.
    public struct Outcome {
        /// What was found and decided, as of the last round.
        public var judgement: Judgement
        /// What was new, over all rounds; on a dry run what would have been recorded.
        public var events: [Event]
        /// Why the ledger could not be read or written; nothing was recorded from then on.
        public var failure: LedgerFailure?
        /// Whether what was recorded before could be read; else nobody knows what is approved.
        public var knowsPast = true
        /// What came of a request, where there was one.
        public var answer: GuardAnswer?
        /// What came of the guards; nil where they were not reached, or there are none.
        public var guards: GuardOutcome?

        /// Whether what was approved before is known by the guard file, in place of a ledger.
        public var isSeeded: Bool { events.contains { if case .seeded = $0 { true } else { false } } }
    }

    /// Looks, decides, records and tells, and goes round until nothing moved.
    ///
    /// A path unit is blind while its service runs, so the artifacts are looked at once more before the end
    /// (`replacement-experiments`, 12).
    ///
    /// - Parameters:
    ///   - dryRun: decides, but records, does and tells nothing.
    ///   - request: what a person asks of the guards; it is recorded with what the first look finds.
    ///   - asksFleet: whether the fleet's store is asked though it is not due.
    public func run(dryRun: Bool, request: GuardRequest? = nil, asksFleet: Bool = false) -> Outcome {
        var state = NodeState()
        var memory = ObserverMemory()
        var failure: LedgerFailure?
        do {
            (state, memory) = try ledger.load()
        } catch {
            failure = error
        }
        let knowsPast = failure == nil
        let before = memory
        var events: [Event] = []
        var round = 0
        var overtaken = 0
        var answered: GuardAnswer?
        var guarded: GuardOutcome?
        while true {
            let reading = clock.read()
            let spool = takeSpool(state, reading, dryRun: dryRun, failure: &failure)
            events += spool.events
            state = spool.state ?? state
            var (judgement, presence, view) = look(
                state: state, memory: &memory, reading: reading, problems: [spool.problem].compactMap(\.self),
                failure: &failure, isAsked: request != nil && round == 0, asksFleet: asksFleet && round == 0)
            // Everything that was just decided rests on what was lost.
            if let seeded = seed(state, presence, reading, dryRun: dryRun, failure: &failure) {
                events.append(seeded.event)
                state = seeded.state
                continue
            }
            round += 1
            let answeredBefore = answered
            if let request, answered == nil {
                let answer = answer(
                    request, state: judgement.state, observation: judgement.observation,
                    unproven: unproven(judgement, presence),
                    isContested: view?.known.stranger != nil)
                for event in answer.events { judgement.state.apply(event, at: reading.now) }
                judgement.events += answer.events
                answered = answer
            }
            if !dryRun, failure == nil {
                do {
                    guard try record(judgement, reading: reading, inAnyCase: overtaken == Self.mostOvertaken)
                    else {
                        // Perhaps the very same: what another tick has recorded is not recorded again (invariant 8).
                        overtaken += 1
                        round -= 1
                        answered = answeredBefore
                        (state, memory) = try ledger.load()
                        continue
                    }
                    judgement.events.flatMap(journalEntries).forEach(journal.write)
                } catch {
                    failure = error
                }
            }
            events += judgement.events
            if !dryRun, failure == nil, var seen = view {
                do {
                    events += try takePart(&judgement, &seen, &memory, reading)
                } catch {
                    failure = error
                }
            }
            state = judgement.state
            let isAnsweredNow = round == 1 && answered?.events.isEmpty == false
            var hasSetAside = false
            if !isAnsweredNow, failure == nil {
                do {
                    if !dryRun {
                        events += try careForLedger(&judgement, &memory, reading)
                        state = judgement.state
                    }
                    let outcome = try keepGuards(
                        judgement, presence, reading, known: memory.settings, dryRun: dryRun,
                        isAsked: request != nil)
                    guarded = outcome.map { (guarded ?? GuardOutcome()).followed(by: $0) } ?? guarded
                    if let outcome {
                        events += outcome.events
                        // Others may have appended meanwhile.
                        state = outcome.state ?? state
                        hasSetAside = outcome.hasSetAside
                    }
                } catch {
                    failure = error
                }
            }
            let goesOn = !dryRun && failure == nil && round < Self.maximumRounds
            guard
                isAnsweredNow || (goesOn && (hasSetAside || observer.hasMoved(since: judgement.observation)))
            else {
                judgement.state = state
                if !dryRun, failure == nil {
                    do { try signCheckpoint(judgement, &memory, reading) } catch { failure = error }
                }
                if !dryRun, failure == nil, let cluster {
                    tell(events, cluster, at: reading.now, &memory)
                }
                if !dryRun, failure == nil, memory != before {
                    do { try remember(memory) } catch { failure = error }
                }
                return Outcome(
                    judgement: judgement, events: events, failure: failure, knowsPast: knowsPast,
                    answer: answered, guards: guarded)
            }
        }
    }

    private func takeSpool(
        _ state: NodeState, _ reading: ClockReading, dryRun: Bool, failure: inout LedgerFailure?
    ) -> TakeSpool.Taken {
        guard let guards, failure == nil else { return TakeSpool.Taken() }
        do {
            return try TakeSpool(ledger: ledger, port: guards.port, journal: journal, reading: reading)
                .run(state, dryRun: dryRun)
        } catch {
            failure = error
            return TakeSpool.Taken()
        }
    }

    private func seed(
        _ state: NodeState, _ presence: GuardPresence, _ reading: ClockReading, dryRun: Bool,
        failure: inout LedgerFailure?
    ) -> SeedLedger.Seeded? {
        guard let guards, failure == nil else { return nil }
        do {
            return try SeedLedger(ledger: ledger, port: guards.port, journal: journal, reading: reading)
                .run(state, presence, dryRun: dryRun)
        } catch {
            failure = error
            return nil
        }
    }

    private func unproven(_ judgement: Judgement, _ presence: GuardPresence) -> Set<InstallationID> {
        guard let guards else { return [] }
        let situation = situation(
            judgement.state, judgement.observation, policy: judgement.policy, guards.site, known: nil)
        let plan = LastRanPlan(situation: situation, presence: presence)
        let gates = situation.wantedGates.filter { plan.unproven(of: $0) != nil }.map(\.installation.id)
        let vetoes = situation.wantedVetoes.filter { plan.unproven(of: $0) != nil }.map(\.installation.id)
        return Set(gates + vetoes)
    }

    private func look(
        state: NodeState, memory: inout ObserverMemory, reading: ClockReading, problems: [Problem],
        failure: inout LedgerFailure?, isAsked: Bool, asksFleet: Bool
    ) -> (Judgement, GuardPresence, FleetView?) {
        var observation = observer.observe(reading: reading, memory: &memory)
        observation.problems += problems + ledgerProblems(memory) + untold(observation.clock.now)
        let reading = policy.load(now: observation.clock.now, known: &memory.policy)
        var lastPolicy: LoadedPolicy?
        if failure == nil {
            do {
                if !reading.isValid, state.policy != nil { lastPolicy = try ledger.lastPolicy() }
            } catch {
                failure = error
            }
        }
        var targets: [PlanTarget] = []
        if let cluster {
            let policy = reading.loaded ?? lastPolicy
            let watch = ClusterWatch(port: cluster, isAsked: isAsked)
            watch.look(&observation, state: state, policy: policy, memory: &memory)
            if let servers {
                WatchDeprecatedAPIs(port: servers).look(observation, policy: policy, memory: &memory)
            }
            targets += planTargets(observation, on: watch.concerned(observation, policy))
        }
        if let source {
            SourceWatch(source: source, isAsked: asksFleet, label: label)
                .look(&observation, policy: reading.loaded ?? lastPolicy, memory: &memory)
            targets += sourceOffers(memory.source ?? [:], on: observation.installations)
        }
        do { try offer(targets, &observation, state, &failure) } catch { failure = error }
        var view = lookAtFleet(
            &observation, state, reading.loaded ?? lastPolicy, &memory, isAsked: asksFleet, failure: failure)
        observation.place(memory.downloads)
        // Last of all, since plans, sources and rollouts offer bytes too.
        var catalog: [Digest: [CatalogEntry]] = [:]
        if failure == nil {
            do {
                for digest in observation.installations.flatMap(\.digests) {
                    catalog[digest] = try ledger.catalogEntries(for: digest)
                }
            } catch {
                failure = error
            }
        }
        var known: [String: (zone: Zone, dataVersion: String)] = [:]
        for name in zoneNames(of: reading, lastPolicy: lastPolicy) { known[name] = zones.zone(named: name) }
        var presence = GuardPresence()
        if let guards {
            let situation = situation(
                state, observation, policy: reading.loaded ?? lastPolicy, guards.site,
                known: memory.settings)
            presence = guards.port.look(at: situation.places)
            memory.take(presence.settings, of: situation.wantedSettings, at: observation.clock.now)
            observation.problems += planGuards(situation, presence).problems
            observation.problems += situation.records.troubles.map(\.problem)
        }
        var situation = Situation(
            state: state, observation: observation, policy: reading, lastPolicy: lastPolicy, catalog: catalog,
            fleet: [:], approvals: [], denials: state.denials, zones: known)
        situation.unitsUp = Set(presence.units.filter(\.value.isUp).keys).union(presence.silentUnits)
        // What people said elsewhere counts at once: by an approval that was taken back nothing is begun (invariant 6).
        var shared: [Event] = []
        func judged() -> Judgement {
            let news = sharedEvents(view, situation.state, at: observation.clock.now)
            for event in news { situation.state.apply(event, at: observation.clock.now) }
            shared += news
            situation.approvals = situation.state.approvals
            situation.fleet = fleets(view, observation, situation.policy.loaded ?? lastPolicy)
            var judgement = judge(situation, label: label)
            judgement.events = shared + judgement.events
            return judgement
        }
        var judgement = judged()
        // By what others say of themselves it may be another decision.
        if freshen(&view, judgement, &memory) { judgement = judged() }
        judgement.fleet = view?.known
        judgement.fleetIsAsked = view?.isAsked == true
        judgement.downloads = memory.downloads
        judgement.sources = memory.source ?? [:]
        judgement.soaks = memory.soaks ?? [:]
        judgement.checkpoint = memory.checkpoint?.signed
        return (judgement, presence, view)
    }

    private func planTargets(_ observation: Observation, on concerned: [Installation]) -> [PlanTarget] {
        guard let seen = observation.cluster else { return [] }
        let architecture = observation.node.architecture
        return Agent.planTargets(seen, on: concerned)
            + [autopilotTarget(seen, on: concerned, architecture: architecture)].compactMap(\.self)
    }

    /// Takes what plans and sources would install in among what is offered, by the bytes that are known of it.
    private func offer(
        _ targets: [PlanTarget], _ observation: inout Observation, _ state: NodeState,
        _ failure: inout LedgerFailure?
    ) throws(LedgerFailure) {
        guard !targets.isEmpty else { return }
        var bytes = KnownBytes(
            approvals: state.approvals(inForceOn: observation.node.name, at: observation.clock.now),
            architecture: observation.node.architecture)
        if failure == nil {
            for target in targets {
                guard let version = target.version else { continue }
                let distribution = target.installation.distribution
                bytes.entries += try ledger.catalogEntries(of: version, for: distribution)
            }
        }
        for index in observation.installations.indices {
            let distribution = observation.installations[index].id.distribution
            observation.installations[index].offer(targets) { bytes.of($0, distribution) }
        }
    }

    /// Tells people in the cluster what was recorded; a quiet tick has nothing to tell.
    ///
    /// What cannot be told is no trouble of the tick, and is known as a problem from the next one on.
    private func tell(
        _ events: [Event], _ cluster: any ClusterPort, at now: Instant, _ memory: inout ObserverMemory
    ) {
        if events.contains(where: \.setsLabel) { memory.cluster?.hasActed = true }
        let told = nodeEvents(for: events.flatMap(journalEntries), at: now, label: label)
        guard !told.isEmpty else { return }
        if let at = memory.cluster?.untoldAt, at <= now, now - at < clusterInterval { return }
        do {
            try cluster.tell(told)
            memory.cluster?.untold = nil
            memory.cluster?.untoldAt = nil
        } catch {
            var known = memory.cluster ?? KnownCluster(askedAt: Instant(seconds: 0))
            // An API server that is just starting is no news; one that still does not take it after a while is.
            if error.isForbidden || known.untoldAt != nil {
                known.untold = Problem(
                    code: "events-untold",
                    text:
                        "what happened cannot be told as an Event of the Node: \(error.description); the journal and "
                        + "'holdfast history' have it")
            }
            known.untoldAt = now
            memory.cluster = known
        }
    }

    /// Tells people in the cluster what a step has done, as far as anybody answers there.
    ///
    /// While the API server is what is restarted nobody does, which is no trouble of the step.
    func tell(_ events: [Event], at now: Instant) {
        let told = nodeEvents(for: events.flatMap(journalEntries), at: now, label: label)
        if let cluster, !told.isEmpty { try? cluster.tell(told) }
    }

    private func situation(
        _ state: NodeState, _ observation: Observation, policy: LoadedPolicy?, _ site: GuardSite,
        known: [ObserverMemory.KnownSetting]?
    ) -> GuardSituation {
        var situation = GuardSituation(
            state: state, observation: observation, policy: policy, site: site)
        situation.chooseQuestions(known: known ?? [])
        return situation
    }

    private func keepGuards(
        _ judgement: Judgement, _ presence: GuardPresence, _ reading: ClockReading,
        known: [ObserverMemory.KnownSetting]?, dryRun: Bool, isAsked: Bool
    ) throws(LedgerFailure) -> GuardOutcome? {
        guard let guards else { return nil }
        let situation = situation(
            judgement.state, judgement.observation, policy: judgement.policy, guards.site, known: known)
        if dryRun {
            return GuardOutcome(planned: rehearse(situation, guards.port.look(at: situation.places)))
        }
        var keep = KeepGuards(
            ledger: ledger, port: guards.port, journal: journal, label: label, reading: reading)
        // A person waits for what was asked, rather than for the next tick.
        if isAsked { keep.patience = 10_000 }
        return try keep.run(situation, presence)
    }

    private func zoneNames(of reading: PolicyReading, lastPolicy: LoadedPolicy?) -> Set<String> {
        var document = lastPolicy?.document ?? PolicyDocument()
        if case .valid(let loaded) = reading { document = loaded.document }
        return Set([document.base.timezone] + document.rules.compactMap(\.settings.timezone))
    }

    /// False where others have recorded something since the ledger was read; nothing was recorded then.
    private func record(
        _ judgement: Judgement, reading: ClockReading, inAnyCase: Bool
    ) throws(LedgerFailure) -> Bool {
        let isQuiet = judgement.events.isEmpty
        let stretch = try ledger.extendCoverage(reading: reading, seal: !isQuiet)
        let events = (stretch.map { [.coverage($0)] } ?? []) + judgement.events
        guard inAnyCase else {
            return try ledger.appendIfCurrent(events, reading: reading, state: judgement.state)
        }
        try ledger.append(events, reading: reading, state: judgement.state)
        return true
    }
}
