import Agent
import Artifacts
import CommandLine
import Distributions
import Host
import Ledger
import Model
import Ports

/// The unit in which steps run on an installed node.
let stepUnit = "holdfast-step.service"

/// `holdfast step`: carries out one change that is allowed, or finishes one that was begun.
func step(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    guard let guards = place.guards else {
        throw Failure(
            code: .badConfiguration,
            message:
                "\(place.stateDirectory): the state directory is not below \(place.root.prefix)/, so nothing "
                + "is guarded from it; leave --state out")
    }
    if invocation.has("dry-run") { return try show(place, guards.site, on: screen) }
    guard !place.root.isLive || Machine.effectiveUser == 0 else {
        throw Failure(
            code: .failed,
            message: "a step is carried out by root alone: run this as root, or look with --dry-run")
    }
    return try carryOutStep(at: place, on: screen)
}

/// Carries out what is due, or finishes what is open: one at a time, whoever started it.
func carryOutStep(at place: Place, on screen: Screen) throws(Failure) -> ExitCode {
    guard let guards = place.guards else { return .badConfiguration }
    let lock = try takeStepLock(in: place.stateDirectory)
    let code = try carryOut(place, guards, on: screen)
    // It is given back with this process.
    _ = consume lock
    return code
}

private func takeStepLock(in directory: String) throws(Failure) -> FileLock {
    do throws(HostError) {
        if let lock = try FileLock.take("\(directory)/step.lock") { return lock }
    } catch {
        throw Failure(code: .failed, message: error.description)
    }
    throw Failure(
        code: .busy,
        message: "another holdfast carries out a step; 'holdfast status' shows how far it is")
}

private func carryOut(
    _ place: Place, _ guards: (port: any GuardPort, site: GuardSite), on screen: Screen
) throws(Failure) -> ExitCode {
    let ledger: Ledger
    do throws(LedgerFailure) { ledger = try place.openLedger() } catch { throw Failure(ledger: error) }
    let progress = ProgressText("fetched", of: .bytes, on: screen)
    let report = StepRun(
        tick: place.tick(over: ledger), clock: place.clock, ledger: ledger,
        journal: place.journal, label: label, port: guards.port, node: place.health, site: guards.site,
        care: place.care(guards.site, progress)
    ).run()
    progress.end()
    if let failure = report.failure { throw Failure(ledger: failure) }
    place.notify(report.receivers, from: ledger)
    if let end = report.end { screen.out("\(end.text.printable)\n") }
    if let trouble = report.trouble { screen.error("Warning: \(trouble.printable)") }
    if let hold = report.hold { screen.out("waits: \(hold.printable)\n") }
    if report.end == nil, report.trouble == nil { screen.out(stepText(report.standing, at: place)) }
    if report.isBusy { return .busy }
    switch report.end?.outcome {
    case .putBack, .needsPerson: return .failed
    case .abandoned, .done: return .done
    case nil: return report.trouble == nil ? .done : .failed
    }
}

extension Place {
    /// What a step asks of the node and its cluster before a change.
    fileprivate func care(_ site: GuardSite, _ progress: ProgressText) -> StepCare? {
        guard let backups else { return nil }
        let prefix = root.prefix
        let downloads = "\(site.state)/downloads"
        return StepCare(
            cluster: stepCluster, backups: backups, source: { releaseSource($0) }, downloads: downloads,
            place: { prefix + $0 }, tidy: { tidyDownloads(in: prefix + downloads, keeping: $0) },
            digest: { digest(Array($0.utf8)) }, progress: { progress.show($0.done, of: $0.total ?? 0) })
    }
}

private func show(_ place: Place, _ site: GuardSite, on screen: Screen) throws(Failure) -> ExitCode {
    let outcome = place.preview().outcome
    if let failure = outcome.failure { throw Failure(ledger: failure) }
    screen.out(stepText(stepStanding(of: outcome.judgement, site: site, label: label), at: place))
    return .done
}

private func stepText(_ standing: StepStanding, at place: Place) -> String {
    let text = StepText(standing: standing, now: place.clock.read().now).text()
    return text.isEmpty ? "Nothing is to be carried out.\n" : text
}

/// Has the step's service started where a tick has left something to it; a tick waits for nothing.
///
/// Only for the node's own ledger and policy: the service knows no others.
func startStep(after outcome: Tick.Outcome, at place: Place, on screen: Screen) {
    guard place.root.isLive, place.isNodesLedger, place.isInstalledPolicy, Machine.effectiveUser == 0,
        outcome.failure == nil, let site = place.guards?.site,
        stepStanding(of: outcome.judgement, site: site, label: label).isWork
    else { return }
    do throws(HostError) {
        try queueStart(ofUnit: stepUnit)
    } catch {
        screen.error(
            "Warning: \(stepUnit) is not started: \(error.description); 'holdfast step' does its work")
    }
}
