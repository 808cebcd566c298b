public import Model
public import Ports

/// A step that a person has asked for, back to what ran well before.
public struct RequestedRollback: Hashable, Sendable {
    /// What is to be recorded, in one transaction: what is gone back from is kept out from then on.
    public var events: [Event]
    /// What is meant to run from then on.
    public var artifact: Artifact
    /// What is done, for a person.
    public var summary: String
}

/// Why Holdfast does not go back by itself, and what a person is to do.
public struct RollbackRefusal: Error, Hashable, Sendable {
    /// Lower case, no full stop.
    public var text: String
}

/// Plans to go back from what an installation is meant to run to what it ran well before.
///
/// Within the same table as after a failure (`rollout.md`, "Rollback").
///
/// - Parameters:
///   - reason: the person's own words.
///   - label: makes a short label of a text, the same in every process.
public func rollback(
    of id: InstallationID, reason: String, _ judgement: Judgement, port: any GuardPort, site: GuardSite,
    label: (String) -> String
) throws(RollbackRefusal) -> RequestedRollback {
    let state = judgement.state
    guard let known = state.installations[id.description], known.adoption != nil else {
        throw RollbackRefusal(text: "\(id.name) is not guarded here; 'holdfast adopt' first")
    }
    guard state.step == nil else {
        throw RollbackRefusal(text: "a change is being carried out; 'holdfast status' shows how far it is")
    }
    guard let installation = judgement.observation.installations.first(where: { $0.id == id }),
        let reference = known.reference
    else { throw RollbackRefusal(text: "\(id.name) is not there now") }
    guard let lastGood = known.lastGood else {
        throw RollbackRefusal(
            text:
                "nothing is known that \(id.name) ran well before \(reference.summary); 'holdfast history' tells more"
        )
    }
    guard installation.installed?.artifact.isSameBytes(as: reference) == true else {
        throw RollbackRefusal(
            text:
                "what is installed is not \(reference.summary), which it is meant to run; 'holdfast explain' tells more"
        )
    }
    let clock = judgement.observation.clock
    let change = Change(
        id: label(Change.labelText(distribution: id.distribution, target: lastGood)), installation: id,
        trigger: .unknown, phase: .running, from: lastGood, to: reference, origin: .verified)
    var step = Step(
        id: label("rollback \(change.id) \(clock.now.seconds)"), change: change, decision: "", approvals: [],
        source: "", binary: installation.installed?.path ?? "", since: clock)
    step.phase = .replacingBack
    step.invocation = installation.mainUnit?.invocationID
    step.failure = reason
    let situation = GuardSituation(
        state: state, observation: judgement.observation, policy: judgement.policy, site: site)
    let presence = port.look(at: situation.places)
    let vault = site.vaultPath(of: lastGood.sha256 ?? .none)
    // Whose word it is does not matter to the data: `rollback: manual` alone is answered by asking.
    if let advice = goingBackNeedsPerson(
        step, installation, .automatic, situation.lastRan(of: installation, presence), vault: vault)
    {
        throw RollbackRefusal(text: advice)
    }
    guard presence.identities[vault] != nil || id.distribution == .microk8s else {
        throw RollbackRefusal(
            text: "\(lastGood.summary) is no longer in the vault; 'holdfast doctor' tells more")
    }
    return RequestedRollback(
        events: [
            .quarantined(
                QuarantinedArtifact(
                    installation: id, artifact: reference, reason: reason, at: clock.now)),
            .stepBegan(step),
        ], artifact: lastGood, summary: "\(id.name): \(reference.summary) → \(lastGood.summary)")
}
