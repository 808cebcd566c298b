import CommandLine
import Host
import Model
import PolicyFile
import Rules

/// `holdfast policy lint [FILE]`: every error of a policy file at once.
func policyLint(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation, policyPath: invocation.value("file"))
    let bytes = try place.policyBytes()
    // Lint reads any file that it is given; who owns the installed one is part of its being valid.
    let ownership = invocation.value("file") == nil ? place.ownershipProblem() : nil
    let parsed = place.parse(bytes)
    var report = LintReport(path: place.policyPath, valid: false, sha256: nil, errors: [], warnings: [])
    switch parsed {
    case .valid(let policy, let warnings):
        report.valid = ownership == nil
        report.sha256 = policy.sha256
        report.warnings = warnings.map(\.description)
    case .invalid(let faults):
        report.errors = faults.map(\.description)
    }
    if let ownership { report.errors.append("\(place.policyPath): \(ownership)") }
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        for error in report.errors { screen.out(screen.style("error", .bad) + " \(error.printable)\n") }
        for warning in report.warnings {
            screen.out(screen.style("warning", .waiting) + " \(warning.printable)\n")
        }
        if report.valid {
            screen.out("\(report.path.printable) is valid (sha256 \(report.sha256?.short ?? "")).\n")
        } else {
            let count = report.errors.count
            screen.out(
                "\(count) error\(count == 1 ? "" : "s"); while a file is like this, nothing new is allowed.\n"
            )
        }
    }
    return report.valid ? .done : .badConfiguration
}

private struct LintReport: Encodable {
    var path: String
    var valid: Bool
    var sha256: Digest?
    /// Each with `FILE:LINE:COLUMN`.
    var errors: [String]
    var warnings: [String]
}

/// `holdfast policy show [FILE]`: what applies to each installation of this node, and from which line.
func policyShow(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation, policyPath: invocation.value("file"))
    guard case .valid(let loaded, _) = place.parse(try place.policyBytes()) else {
        throw Failure(
            code: .badConfiguration,
            message: "\(place.policyPath) is not valid; 'holdfast policy lint' shows every error")
    }
    if invocation.value("file") == nil, let ownership = place.ownershipProblem() {
        screen.error("Warning: \(place.policyPath) is not in force: \(ownership)")
    }
    let shown = try subjects(of: invocation, in: place).map { subject in
        ShownPolicy(
            distribution: subject.distribution, role: subject.role,
            resolved: resolve(
                loaded, isCurrent: true, node: subject.node, distribution: subject.distribution,
                role: subject.role),
            leftOut: checksLeftOut(
                loaded, node: subject.node, distribution: subject.distribution, role: subject.role))
    }
    if invocation.value("output") == "json" {
        try screen.json(shown)
    } else {
        screen.out(shown.map { $0.text(screen.style, width: screen.width) }.joined(separator: "\n"))
    }
    return .done
}

private struct PolicySubject {
    var node: NodeFacts
    var distribution: Distribution
    var role: Role?
}

/// What to show the policy for: what the options name, else what is installed here, else a K3s server.
private func subjects(of invocation: Invocation, in place: Place) throws(Failure) -> [PolicySubject] {
    var role: Role?
    if let text = invocation.value("role") {
        guard let known = Role(rawValue: text) else {
            throw Failure(
                code: .usage,
                message: "there is no role \(text.printable); there are "
                    + Role.allCases.map(\.rawValue).joined(separator: ", "))
        }
        role = known
    }
    let observation = place.look()
    if let distribution = invocation.value("distribution").flatMap({ Distribution(rawValue: $0) }) {
        return [PolicySubject(node: observation.node, distribution: distribution, role: role)]
    }
    let found = observation.installations.map {
        PolicySubject(node: observation.node, distribution: $0.id.distribution, role: role ?? $0.role)
    }
    return found.isEmpty
        ? [PolicySubject(node: observation.node, distribution: .k3s, role: role ?? .server)] : found
}

private struct ShownPolicy: Encodable {
    let distribution: Distribution
    let role: Role?
    let resolved: ResolvedPolicy
    let leftOut: [LeftOutCheck]

    func text(_ style: Style, width: Int?) -> String {
        let title = distribution.displayName + (role.map { " \($0.rawValue)" } ?? "")
        let stage =
            resolved.stage.map { "stage \(resolved.stages[$0].name.printable)" }
            ?? "in no stage: it never moves"
        var rows = (policyRows(resolved.policy) + policyElementRows(resolved.policy)).map {
            row($0.key, $0.value, source: resolved.source(of: $0.key))
        }
        rows += resolved.stages.enumerated().map { index, stage in
            row("stage \(stage.name)", stageText(stage), source: resolved.source(of: "stages[\(index)]"))
        }
        var text =
            style(title, .strong) + "  \(stage)\n" + aligned(rows, indent: 2, style: style, width: width)
        for check in leftOut {
            text += "  left out: \(check.key) \(check.name.printable), since \(check.reason)\n"
        }
        return text
    }

    private func row(_ key: String, _ value: String, source: String) -> [Cell] {
        [(key.printable, nil), (source.printable, .faint), (value.printable, nil)]
    }
}

/// `holdfast policy test CASES`: a table of cases against a policy file.
func policyTest(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let casesPath = invocation.value("cases") ?? ""
    let place = try Place(invocation, policyPath: nil)
    let table: PolicyCases
    switch parsePolicyCases(try place.bytes(of: casesPath), file: casesPath) {
    case .valid(let cases, _): table = cases
    case .invalid(let faults):
        throw Failure(code: .badConfiguration, lines: faults.map(\.description))
    }
    let policyPath =
        invocation.value("policy") ?? table.policy.map { beside(casesPath, $0) } ?? besidePolicy(casesPath)
    let policyPlace = try Place(invocation, policyPath: policyPath)
    guard case .valid(let loaded, _) = policyPlace.parse(try policyPlace.policyBytes()) else {
        throw Failure(
            code: .badConfiguration,
            message: "\(policyPath) is not valid; 'holdfast policy lint' shows every error")
    }
    let results = table.cases.map { CaseResult($0, policy: loaded, place: place) }
    let failed = results.filter { !$0.differences.isEmpty }
    if invocation.value("output") == "json" {
        try screen.json(results)
    } else {
        for result in failed {
            screen.out(
                screen.style("failed", .bad)
                    + " \(casesPath.printable):\(result.line): \(result.name.printable)\n")
            for difference in result.differences { screen.out("       \(difference.printable)\n") }
        }
        screen.out(
            "\(policyPath.printable): \(results.count - failed.count) passed, \(failed.count) failed\n")
    }
    return failed.isEmpty ? .done : .failed
}

private struct CaseResult: Encodable {
    let name: String
    let line: Int
    let verdict: Verdict
    let differences: [String]

    init(_ one: PolicyCase, policy: LoadedPolicy, place: Place) {
        let decision = decide(one, under: policy, zones: place.zones)
        name = one.name
        line = one.line
        verdict = decision.verdict
        differences = one.differences(from: decision)
    }
}

private func beside(_ path: String, _ name: String) -> String {
    guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
}

/// `homelab.yaml` for `homelab.cases.yaml`.
private func besidePolicy(_ path: String) -> String {
    let suffix = ".cases.yaml"
    return path.hasSuffix(suffix) ? path.dropLast(suffix.count) + ".yaml" : path + ".yaml"
}
