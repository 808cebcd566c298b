import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Rules

/// What a policy says of some changes that may come to what is installed here, as `policy test` would judge them.
func preview(
    _ look: Observation, under policy: LoadedPolicy, at place: Place, style: Style, width: Int?
) -> String {
    var text = ""
    for installation in look.installations {
        guard let version = installation.installed?.artifact.version else { continue }
        let cases = cases(of: installation, at: version, on: look)
        text += "\n\(installation.id.distribution.displayName) \(version): what it would say of\n"
        text += aligned(
            cases.map { row($0, decide($0, under: policy, zones: place.zones)) }, indent: 2, style: style,
            width: width)
    }
    return text
}

private func row(_ one: PolicyCase, _ decision: Decision) -> [Cell] {
    let mark: Style.Mark =
        switch decision.verdict {
        case .allow: .good
        case .hold: .waiting
        case .deny: .bad
        }
    // What a step asks for itself is no answer to whether it may begin.
    let why =
        decision.makers.filter { ![.gates, .backup, .health].contains($0.rule) }.first
        ?? decision.makers.first
    return [
        (one.name, nil), (decision.verdict.rawValue, mark),
        (decision.verdict == .allow ? "" : why.map { "\($0.rule.rawValue): \($0.text)" } ?? "", .faint),
    ]
}

/// The changes that people ask about first.
private func cases(of installation: Installation, at version: Version, on look: Observation) -> [PolicyCase] {
    let now = look.clock.now
    let month = now + TimeSpan(seconds: -30 * 86_400)
    let build = version.build.isEmpty ? "" : "+\(version.build)"
    let patch = "v\(version.major).\(version.minor).\(version.patch + 1)\(build)"
    let minor = "v\(version.major).\(version.minor + 1).1\(build)"
    let older = "v\(version.major).\(max(version.minor - 1, 0)).9\(build)"
    func one(_ name: String, _ to: String, _ published: Instant, approved: Bool = false) -> String {
        """
          - name: "\(name)"
            change: {from: "\(version)", to: "\(to)", published: \(published)}
            expect: {verdict: hold}
        \(approved ? "    approvals: [{}]" : "")

        """
    }
    let text = """
        apiVersion: holdfast/v1
        defaults:
          installation: {distribution: \(installation.id.distribution.rawValue), role: \(installation.role?.rawValue ?? "server")}
          now: \(now)
        cases:

        """
        + one("a patch that came out today", patch, now) + one("a patch of a month ago", patch, month)
        + one("the next minor", minor, month) + one("the next minor, approved", minor, month, approved: true)
        + one("an older version", older, month)
    let read = parsePolicyCases(Array(text.utf8), file: "")
    guard case .valid(let cases, _) = read else { return [] }
    return cases.cases.map { one in
        var one = one
        one.subject.node = look.node
        for index in one.approvals.indices { one.approvals[index].scope = .node(look.node.name) }
        one.subject.installation.role = installation.role
        return one
    }
}

/// What it would have said of the decisions that were made here before; nothing where there were none.
func pastPreview(under policy: LoadedPolicy, at place: Place) -> String {
    var counts: [String: Int] = [:]
    var judged = 0
    guard let ledger = try? place.readLedger() else { return "" }
    do {
        try ledger.decisions(DecisionFilter()) { stored in
            guard case .record(let record, text: _) = stored.content else { return }
            judged += 1
            let decision = judgeAgain(record, under: policy, zone: { place.zones.zone(named: $0)?.zone })
            guard decision.verdict != record.decision.verdict else { return }
            counts["\(record.decision.verdict.rawValue) → \(decision.verdict.rawValue)", default: 0] += 1
        }
    } catch {
        return "\nThe decisions of before could not be read: \(error)\n"
    }
    guard judged > 0 else { return "" }
    let flips = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return "\nOf \(judged) decisions in the ledger it would have made "
        + (flips.isEmpty
            ? "none otherwise.\n" : "some otherwise: \(flips) ('holdfast simulate --policy' lists them).\n")
}
