import Model
import Ports
import Rollout

// What a step does before the change.
extension StepRun.Run {
    mutating func prepare(
        _ action: StepAction, _ step: Step, _ facts: StepFacts, _ judgement: Judgement
    ) throws(LedgerFailure) -> Bool {
        guard let installation = facts.installation, let care = world.care else {
            return try end(step, .abandoned("nobody can be asked what comes before the change"), judgement)
        }
        switch action {
        case .askGates: return try askGates(step, installation, facts, judgement, care)
        case .backUp: return try backUp(step, installation, facts, judgement, care)
        default: return try drain(step, installation, facts, judgement, care)
        }
    }

    // MARK: Gates

    /// Asks every gate; what does not let the step go on is asked again at the next tick, and the step waits.
    private mutating func askGates(
        _ step: Step, _ installation: Installation, _ facts: StepFacts, _ judgement: Judgement,
        _ care: StepCare
    ) throws(LedgerFailure) -> Bool {
        guard let target = step.change.to.version else { return false }
        var answers: [String] = []
        for gate in world.settings(of: installation, judgement).gates {
            switch gate {
            case .deprecatedAPIs(let coverage):
                let known = try world.ledger.load().memory.deprecatedAPIs
                let verdict = deprecatedAPIs(
                    goingTo: target, coverage: coverage, known: known, at: world.clock.read().now)
                guard case .clear = verdict else { return hold("deprecatedAPIs: \(verdict.text)") }
                answers.append("deprecatedAPIs: \(verdict.text)")
            case .command(let words, let timeout):
                let name = words.first ?? ""
                let command = OwnersCommand(
                    label: "gate-\(world.label("\(step.id) \(words.joined(separator: " "))"))",
                    arguments: words,
                    timeout: timeout)
                switch care.backups.run(command) {
                case .running:
                    world.node.wait(TimeSpan(seconds: 2))
                    return true
                case .passed: answers.append("\(name): passed")
                case .failed(let reason): return hold("\(name) says no: \(reason)")
                case .unknown(let reason): return hold("\(name) has no answer: \(reason)")
                }
            }
        }
        let text = answers.joined(separator: "; ")
        guard noteGates(text, step, judgement) else {
            return hold("the fleet's store does not take the answer")
        }
        return try move(step, to: facts.preparation(after: .gating), failure: nil, facts, judgement)
    }

    private mutating func hold(_ reason: String) -> Bool {
        report.hold = reason
        return false
    }

    /// Keeps in the rollout what the gates answered, so that they are asked once in a cluster.
    private func noteGates(_ text: String, _ step: Step, _ judgement: Judgement) -> Bool {
        guard step.rollout != nil, let fleet = world.tick.fleet else { return true }
        let answer = RolloutDocument.GateAnswer(
            at: world.clock.read().now, node: judgement.observation.node.name, text: text)
        for _ in 0..<5 {
            do throws(FleetFailure) {
                guard let stored = try fleet.port.rollout(of: step.change.installation.distribution),
                    stored.value.reasonToHold(
                        judgement.state.seat(of: step.change.installation.distribution)) == nil,
                    let noted = try? stored.value.notingGates(answer, of: judgement.observation.node.cluster)
                else { return false }
                _ = try fleet.port.put(noted, over: stored)
                return true
            } catch {
                guard error.code == .conflict || error.code == .unanswered else { return false }
            }
        }
        return false
    }

    // MARK: Backup

    /// Makes the backup, and has the step go on once it is there, whole and verified.
    private mutating func backUp(
        _ step: Step, _ installation: Installation, _ facts: StepFacts, _ judgement: Judgement,
        _ care: StepCare
    ) throws(LedgerFailure) -> Bool {
        guard case .make(let method, let isRequired) = world.need(step, installation, judgement),
            let effect = Agent.backUp(
                installation, by: method, artifact: step.change.from, step: step.id, at: step.since.now,
                site: world.site)
        else { return try end(step, .abandoned("no backup can be made"), judgement) }
        if let made = kept(step, care) {
            do throws(EffectFailure) { try care.backups.verify(made) } catch {
                return try end(step, .abandoned("the backup cannot be read: \(error.description)"), judgement)
            }
            try letGo(surplus(of: backups(step, care), keep: keep(installation, judgement)), step, judgement)
            return try move(
                step, to: facts.preparation(after: .backingUp), failure: nil, facts, judgement,
                backup: made.directory)
        }
        // A program is at it, in a unit of its own; once it has ended the same effect takes what it made.
        let isUnderWay = judgement.state.guards?.intents.contains { intent in
            if case .backUp(let other) = intent.effect { other.step == step.id } else { false }
        }
        if isUnderWay == true { return wait(step) }
        let outcome = try outcome(of: effect, step, judgement)
        report.isBusy = outcome.isBusy
        if let trouble = outcome.trouble {
            failures += 1
            guard failures >= Self.tries else {
                world.node.wait(TimeSpan(seconds: 5))
                return true
            }
            guard isRequired else {
                return try move(
                    step, to: facts.preparation(after: .backingUp), failure: nil, facts, judgement)
            }
            report.trouble = trouble
            return try end(step, .abandoned("no backup was made: \(trouble)"), judgement)
        }
        return kept(step, care) != nil || wait(step)
    }

    private func backups(_ step: Step, _ care: StepCare) -> [KeptBackup] {
        (try? care.backups.backups(of: step.change.installation)) ?? []
    }

    private func kept(_ step: Step, _ care: StepCare) -> KeptBackup? {
        backups(step, care).last { $0.step == step.id }
    }

    private func keep(_ installation: Installation, _ judgement: Judgement) -> Int {
        world.settings(of: installation, judgement).backup.keep
    }

    private mutating func letGo(
        _ backups: [KeptBackup], _ step: Step, _ judgement: Judgement
    ) throws(LedgerFailure) {
        for backup in backups { _ = try outcome(of: .removeBackup(backup), step, judgement) }
    }

    // MARK: Drain

    /// Empties the node; where that does not come to an end in time, the step is left and our cordon taken away.
    private mutating func drain(
        _ step: Step, _ installation: Installation, _ facts: StepFacts, _ judgement: Judgement,
        _ care: StepCare
    ) throws(LedgerFailure) -> Bool {
        guard let access = judgement.observation.access else {
            return try end(
                step,
                .abandoned(
                    "the node is to be emptied, and no kubeconfig is known to do it with; set kubeconfig in node.yaml, "
                        + "or drain: {enabled: false} in the policy"), judgement)
        }
        switch emptied(judgement, access, care) {
        case .empty:
            return try move(
                step, to: facts.preparation(after: .draining), failure: nil, facts, judgement)
        case .toCordon(let cordon):
            let outcome = try outcome(of: .set(cordon, to: "true"), step, judgement)
            guard let trouble = outcome.trouble else { return true }
            return try waitForPods(trouble, step, installation, judgement)
        case .notYet(let reason): return try waitForPods(reason, step, installation, judgement)
        }
    }

    private enum Emptied {
        /// Nothing is here that would have to leave, or there is no Node that could be emptied.
        case empty
        /// Nothing new comes here from then on.
        case toCordon(Setting)
        case notYet(String)
    }

    private func emptied(_ judgement: Judgement, _ access: ClusterAccess, _ care: StepCare) -> Emptied {
        do throws(ClusterFailure) {
            guard let name = try care.cluster.nodeName(through: access) else { return .empty }
            let cordon = Setting(.cordon, name)
            guard judgement.state.guards?.setting(cordon) != nil else { return .toCordon(cordon) }
            let progress = try care.cluster.drainOnce(through: access)
            return progress.isDone ? .empty : .notYet(progress.summary)
        } catch {
            return .notYet(error.description)
        }
    }

    private mutating func waitForPods(
        _ text: String, _ step: Step, _ installation: Installation, _ judgement: Judgement
    ) throws(LedgerFailure) -> Bool {
        let reading = world.clock.read()
        let timeout = world.settings(of: installation, judgement).drain.timeout
        let elapsed = (reading.monotonic - step.since.monotonic) / 1_000_000_000
        guard reading.bootID == step.since.bootID, elapsed <= timeout.seconds else {
            return try end(
                step, .abandoned("the node could not be emptied within \(timeout.policyText): \(text)"),
                judgement)
        }
        world.node.wait(TimeSpan(seconds: 5))
        return true
    }
}
