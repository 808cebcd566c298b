import Agent
import CommandLine
import Model
import Ports
import Reports

/// `holdfast doctor`: what is wrong with this node's guards, and what mends each.
func doctor(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let (outcome, lastTick, _) = place.preview()
    if let failure = outcome.failure, failure.code == .denied { throw Failure(ledger: failure) }
    let isDeep = invocation.has("deep")
    let findings = diagnose(place.examine(outcome, lastTick: lastTick, isDeep: isDeep))
    let report = DoctorReport(
        node: outcome.judgement.observation.node.name,
        healthy: !findings.contains { $0.severity == .fault }, deep: isDeep, findings: findings)
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(report.text(screen.style, width: screen.width))
    }
    return report.healthy ? .done : .failed
}

private struct DoctorReport: Encodable {
    let node: String
    /// Whether there is no fault; warnings do not count.
    let healthy: Bool
    /// Whether artifacts were hashed.
    let deep: Bool
    /// The faults first.
    let findings: [Finding]

    func text(_ style: Style, width: Int?) -> String {
        let faults = findings.count { $0.severity == .fault }
        let warnings = findings.count - faults
        var parts: [Cell] = [(node.printable, .strong)]
        if faults > 0 { parts.append(("· \(faults) fault\(faults == 1 ? "" : "s")", .bad)) }
        if warnings > 0 { parts.append(("· \(warnings) warning\(warnings == 1 ? "" : "s")", .waiting)) }
        if parts.count == 1 { parts.append(("· healthy", .good)) }
        var text = flowed(parts, hanging: 2, gap: " ", style: style, width: width)
        for finding in findings {
            let mark: Style.Mark = finding.severity == .fault ? .bad : .waiting
            text +=
                "\n"
                + flowed(
                    [
                        (finding.severity == .fault ? "FAULT" : "WARNING", mark), (finding.code, .strong),
                        (finding.about.printable, nil),
                    ], hanging: 2, style: style, width: width)
            text += aligned([[(finding.text.printable, nil)]], indent: 2, style: style, width: width)
            // On one line, however long, so that a command can be copied.
            if !finding.mend.isEmpty {
                text += "  " + style("mend: " + finding.mend.printable, .faint) + "\n"
            }
        }
        if !deep {
            text += wrapped(
                "\nNothing was hashed; 'holdfast doctor --deep' compares spares and vault byte for byte.\n",
                width: width)
        }
        return text
    }
}
