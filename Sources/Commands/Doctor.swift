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
        var parts: [String] = []
        if faults > 0 { parts.append(style("\(faults) fault\(faults == 1 ? "" : "s")", .bad)) }
        if warnings > 0 { parts.append(style("\(warnings) warning\(warnings == 1 ? "" : "s")", .waiting)) }
        if parts.isEmpty { parts.append(style("healthy", .good)) }
        var text = style(node.printable, .strong) + " · " + parts.joined(separator: ", ") + "\n"
        for finding in findings {
            let mark: Style.Mark = finding.severity == .fault ? .bad : .waiting
            text +=
                "\n" + style(finding.severity == .fault ? "FAULT" : "WARNING", mark) + "  "
                + style(finding.code, .strong) + "  \(finding.about.printable)\n"
            var rows: [[Cell]] = [[(finding.text.printable, nil)]]
            if !finding.mend.isEmpty { rows.append([("mend: " + finding.mend.printable, .faint)]) }
            text += aligned(rows, indent: 2, style: style, width: width)
        }
        if !deep {
            text +=
                "\nNothing was hashed; 'holdfast doctor --deep' compares spares and vault byte for byte.\n"
        }
        return text
    }
}
