import Model
import YAML

/// Reads an incident (its schema: Policies/incidents/README.md), whole: every fault is reported at once.
///
/// - Parameters:
///   - bytes: what the file holds.
///   - file: how the file is called in messages.
public func parseIncident(_ bytes: [UInt8], file: String) -> ParsedFile<Incident> {
    let reader = Reader(file: file)
    guard let entry = reader.parse(bytes) else { return reader.result(nil) }
    return reader.result(reader.incident(entry))
}

extension Reader {
    fileprivate func incident(_ entry: Entry) -> Incident? {
        guard !entry.value.isEmpty else {
            fault(entry, "the file is empty; write `apiVersion: \(apiVersion)`, what happened, and `steps`")
            return nil
        }
        let keys = ["apiVersion", "title", "happened", "sources", "policy", "defaults", "steps"]
        guard let fields = mapping(entry, keys: keys) else { return nil }
        checkVersion(fields)
        let title = fields.require("title", "what it was, in a few words") { text($0) }
        let happened = fields.require("happened", "what happened, in a sentence or two", reason)
        let sources = fields.require("sources", "where it was told: [k3s-io/k3s#14530]") {
            distinctList($0, thread)
        }
        let policy = fields.require("policy", "a shipped policy: saas-k3s.yaml", fileName)
        let steps = fields.require("steps", "a list of changes") { casesList($0, fields) }
        guard let title, let happened, let sources, let policy, let steps else { return nil }
        if let place = fields.entries["steps"] { checkTrace(steps, at: place) }
        return Incident(title: title, happened: happened, sources: sources, policy: policy, steps: steps)
    }

    private func casesList(_ entry: Entry, _ fields: Fields) -> [PolicyCase]? {
        cases(in: entry, defaults: fields.read("defaults") { mapping($0, keys: sharedKeys) })
    }

    /// `k3s-io/k3s#14530`.
    private func thread(_ entry: Entry) -> String? {
        guard let text = text(entry, limit: 160) else { return nil }
        let parts = text.split(separator: "#", omittingEmptySubsequences: false)
        let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, names.count == 2, names.allSatisfy({ !$0.isEmpty }),
            !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (48...57).contains($0) })
        else {
            fault(entry, "\(shown(text)) is no thread; write owner/repository#number")
            return nil
        }
        return text
    }

    private func fileName(_ entry: Entry) -> String? {
        guard let name = text(entry, limit: 255) else { return nil }
        guard !name.contains("/") else {
            fault(entry, "\(shown(name)) is a path; write the name of a shipped policy")
            return nil
        }
        return name
    }

    /// A trace goes forward in time, each node stands where the steps before have left it, and it shows both sides.
    private func checkTrace(_ steps: [PolicyCase], at place: Entry) {
        var standing: [String: Version] = [:]
        for (before, step) in zip([nil] + steps.map(Optional.some), steps) {
            let position = YAMLPosition(line: step.line, column: 1)
            if let before, step.now < before.now {
                fault(
                    at: position,
                    "\(shown(step.name)) is earlier than the step before it; write them in order")
            }
            let node = "\(step.subject.node.cluster) \(step.subject.node.name)"
            if let stands = standing[node], stands != step.subject.change.from.version {
                fault(
                    at: position,
                    "\(shown(step.name)) begins elsewhere: \(step.subject.node.name) stands at \(stands)")
            }
            let isAllowed = step.expected.verdict == .allow
            let change = step.subject.change
            standing[node] = isAllowed ? change.to.version : change.from.version
            if !isAllowed, step.expected.by == nil {
                fault(
                    at: position,
                    "\(shown(step.name)) is stopped, but not said by what; write `by` and a rule")
            }
        }
        if !steps.contains(where: { $0.expected.verdict != .allow }) {
            fault(place, "nothing in it is stopped; tell what went wrong as well")
        }
        if !steps.contains(where: { $0.expected.verdict == .allow }) {
            fault(place, "nothing in it is let through; tell the change that was wanted as well")
        }
    }
}
