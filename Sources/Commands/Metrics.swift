import Agent
import Host
import Ledger
import Model
import Ports
import Reports

/// Where Debian's node_exporter looks for other programs' metrics; the last part must be no link.
private let metricsDirectory = (parent: "/var/lib/prometheus", name: "node-exporter")
private let metricsFile = "holdfast.prom"
/// The file is written anew after this time though nothing else has changed.
private let metricsAge = TimeSpan.hours(1)

extension Place {
    /// The metrics of an outcome.
    func metrics(_ outcome: Tick.Outcome, _ report: NodeReport, ledger: Ledger?) -> String {
        let judgement = outcome.judgement
        // The guard file, by which a damaged ledger is looked past, knows of no quarantine, approval or failure.
        let isKnown = outcome.knowsPast && outcome.failure?.code != .corrupt
        var metrics = NodeMetrics(
            report: report, state: isKnown ? judgement.state : NodeState(),
            tickedAt: judgement.observation.clock.now,
            clockSynchronised: judgement.observation.clock.synchronised, programVersion: programVersion,
            ledgerSequence: try? ledger?.head().sequence, table: supportTable().table)
        metrics.knowsState = isKnown
        metrics.rollouts = judgement.fleet?.documents ?? [:]
        metrics.soaks = judgement.soaks
        metrics.checkpoint = judgement.checkpoint.map { ($0.sequence, $0.at) }
        return metrics.text()
    }

    /// Leaves the metrics of a tick to node_exporter, where that is installed; it never fails a tick.
    func publishMetrics(_ outcome: Tick.Outcome, _ report: NodeReport, ledger: Ledger?) {
        guard isNodesLedger, let parent = try? root.resolve(metricsDirectory.parent) else { return }
        let now = outcome.judgement.observation.clock.now
        let directory = "\(parent)/\(metricsDirectory.name)"
        let failure: String?
        do throws(HostError) {
            let text = metrics(outcome, report, ledger: ledger)
            _ = try publish(Array(text.utf8), as: metricsFile, in: directory) { old in
                isSame(String(decoding: old, as: UTF8.self), as: text, at: now)
            }
            failure = nil
        } catch {
            failure = error.description
        }
        note(failure, in: ledger, at: now)
    }

    private func note(_ failure: String?, in ledger: Ledger?, at now: Instant) {
        guard let ledger, let outlets = try? ledger.outlets() else { return }
        var outlet = outlets.first { $0.id == Outlet.metrics }
        if let failure {
            var failed = outlet ?? Outlet(id: Outlet.metrics, name: metricsFile, told: 0)
            failed.fail(because: failure, at: now)
            outlet = failed
            try? ledger.keep(failed)
        } else if let outlet {
            try? ledger.forget(outlet)
        }
    }
}

/// Whether a file says what a text says, but for the tick's time, which lies within the last hour.
func isSame(_ old: String, as new: String, at now: Instant) -> Bool {
    func isTick(_ line: Substring) -> Bool { line.hasPrefix(NodeMetrics.tickLine) }
    let oldLines = old.split(separator: "\n")
    guard let tick = oldLines.first(where: isTick),
        let seconds = Int64(tick.dropFirst(NodeMetrics.tickLine.utf8.count)),
        (0..<metricsAge.seconds).contains((now - Instant(seconds: seconds)).seconds)
    else { return false }
    return oldLines.filter { !isTick($0) } == new.split(separator: "\n").filter { !isTick($0) }
}
