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
    private let ledger: any LedgerStore
    private let journal: any Journal
    private let label: (String) -> String
    private let guards: (port: any GuardPort, site: GuardSite)?

    /// How often a tick looks again because something moved meanwhile; the next tick takes over from there.
    private static let maximumRounds = 8

    /// Makes a tick over a world.
    ///
    /// - Parameters:
    ///   - label: makes a short label of a text, the same in every process.
    ///   - guards: where guards are kept; nil where none are, whatever is desired.
    public init(
        clock: any Clock, observer: any Observer, policy: any PolicySource, zones: any ZoneSource,
        ledger: any LedgerStore, journal: any Journal, label: @escaping (String) -> String,
        guards: (port: any GuardPort, site: GuardSite)? = nil
    ) {
        self.clock = clock
        self.observer = observer
        self.policy = policy
        self.zones = zones
        self.ledger = ledger
        self.journal = journal
        self.label = label
        self.guards = guards
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
    }

    /// Looks, decides, records and tells, and goes round until nothing moved.
    ///
    /// A path unit is blind while its service runs, so the artifacts are looked at once more before the end
    /// (`replacement-experiments`, 12).
    ///
    /// - Parameters:
    ///   - dryRun: decides, but records, does and tells nothing.
    ///   - request: what a person asks of the guards; it is recorded with what the first look finds.
    public func run(dryRun: Bool, request: GuardRequest? = nil) -> Outcome {
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
        var answered: GuardAnswer?
        var guarded: GuardOutcome?
        while true {
            round += 1
            let reading = clock.read()
            var (judgement, presence) = look(
                state: state, memory: &memory, reading: reading, failure: &failure)
            if let request, answered == nil {
                let answer = answer(request, state: judgement.state, observation: judgement.observation)
                for event in answer.events { judgement.state.apply(event, at: reading.now) }
                judgement.events += answer.events
                answered = answer
            }
            if !dryRun, failure == nil {
                do {
                    try record(judgement, reading: reading)
                    judgement.events.flatMap(journalEntries).forEach(journal.write)
                } catch {
                    failure = error
                }
            }
            events += judgement.events
            state = judgement.state
            let isAnsweredNow = round == 1 && answered?.events.isEmpty == false
            if !isAnsweredNow, failure == nil {
                do {
                    let outcome = try keepGuards(
                        judgement, presence, reading, known: memory.settings, dryRun: dryRun)
                    guarded = outcome.map { (guarded ?? GuardOutcome()).followed(by: $0) } ?? guarded
                    if let outcome {
                        events += outcome.events
                        // Others may have appended meanwhile.
                        state = outcome.state ?? state
                    }
                } catch {
                    failure = error
                }
            }
            let goesOn = !dryRun && failure == nil && round < Self.maximumRounds
            guard isAnsweredNow || (goesOn && observer.hasMoved(since: judgement.observation)) else {
                judgement.state = state
                if !dryRun, failure == nil, memory != before {
                    do { try ledger.remember(memory) } catch { failure = error }
                }
                return Outcome(
                    judgement: judgement, events: events, failure: failure, knowsPast: knowsPast,
                    answer: answered, guards: guarded)
            }
        }
    }

    private func look(
        state: NodeState, memory: inout ObserverMemory, reading: ClockReading, failure: inout LedgerFailure?
    ) -> (Judgement, GuardPresence) {
        var observation = observer.observe(reading: reading, memory: &memory)
        let reading = policy.load(now: observation.clock.now, known: &memory.policy)
        var lastPolicy: LoadedPolicy?
        var catalog: [Digest: [CatalogEntry]] = [:]
        if failure == nil {
            do {
                if !reading.isValid, state.policy != nil { lastPolicy = try ledger.lastPolicy() }
                for digest in observation.installations.compactMap(\.installed?.artifact.sha256) {
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
            memory.take(presence.settings, at: observation.clock.now)
            observation.problems += planGuards(situation, presence).problems
            observation.problems += situation.records.troubles.map(\.problem)
        }
        let judgement = judge(
            Situation(
                state: state, observation: observation, policy: reading, lastPolicy: lastPolicy,
                catalog: catalog, fleet: .alone, approvals: state.approvals, denials: state.denials,
                zones: known),
            label: label)
        return (judgement, presence)
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
        known: [ObserverMemory.KnownSetting]?, dryRun: Bool
    ) throws(LedgerFailure) -> GuardOutcome? {
        guard let guards else { return nil }
        let situation = situation(
            judgement.state, judgement.observation, policy: judgement.policy, guards.site, known: known)
        if dryRun {
            return GuardOutcome(planned: rehearse(situation, guards.port.look(at: situation.places)))
        }
        return try KeepGuards(
            ledger: ledger, port: guards.port, journal: journal, label: label, reading: reading
        ).run(situation, presence)
    }

    private func zoneNames(of reading: PolicyReading, lastPolicy: LoadedPolicy?) -> Set<String> {
        var document = lastPolicy?.document ?? PolicyDocument()
        if case .valid(let loaded) = reading { document = loaded.document }
        return Set([document.base.timezone] + document.rules.compactMap(\.settings.timezone))
    }

    private func record(_ judgement: Judgement, reading: ClockReading) throws(LedgerFailure) {
        let isQuiet = judgement.events.isEmpty
        let stretch = try ledger.extendCoverage(reading: reading, seal: !isQuiet)
        let events = (stretch.map { [.coverage($0)] } ?? []) + judgement.events
        if !events.isEmpty { try ledger.append(events, reading: reading, state: judgement.state) }
    }
}
