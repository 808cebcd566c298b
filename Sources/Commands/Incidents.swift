import CommandLine
import Host
import Model
import PolicyFile
import Ports
import Rules

/// `holdfast simulate --incident`: what happened to others, against a policy.
func simulateIncident(
    _ name: String, _ invocation: Invocation, on screen: Screen
) throws(Failure) -> ExitCode {
    if invocation.value("since") != nil || invocation.value("until") != nil {
        throw Failure(code: .usage, message: "an incident has its own times; leave --since and --until out")
    }
    let corpus = try Corpus(invocation)
    let isJSON = invocation.value("output") == "json"
    var played: [PlayedIncident] = []
    for path in try corpus.paths(of: name) {
        let told = try corpus.incident(at: path)
        let own = invocation.value("policy")
        let policy: String
        if let own { policy = own } else { policy = try corpus.policy(named: told.policy, for: path) }
        let place = try Place(invocation, policyPath: policy)
        let loaded = try place.validPolicy()
        played.append(
            PlayedIncident(
                told, name: incidentName(path), path: path, policy: policy, loaded: loaded,
                isOwnPolicy: own == nil, zones: place.zones))
    }
    if isJSON {
        try screen.json(played)
    } else {
        let text = IncidentText(style: screen.style, width: screen.width)
        switch name {
        case "list": screen.out(text.list(played))
        case "all": screen.out(text.summary(played))
        default: screen.out(played.map(text.whole).joined(separator: "\n"))
        }
    }
    return name == "list" || played.allSatisfy(\.isGood) ? .done : .failed
}

/// `k3s-latest-goes-back` for `…/k3s-latest-goes-back.yaml`.
private func incidentName(_ path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.hasSuffix(".yaml") ? String(file.dropLast(5)) : file
}

/// The folder of shipped incidents, beside the shipped policies.
struct Corpus {
    let directory: String

    init(_ invocation: Invocation) throws(Failure) {
        if let given = invocation.value("corpus") {
            directory = given
            return
        }
        let root = Root(invocation.value("root") ?? "/")
        let beside = Machine.programDirectory.map { ["\(parent(of: $0))share/holdfast/incidents"] } ?? []
        let usual = ["/usr/local", "/usr"].map { "\(root.prefix)\($0)/share/holdfast/incidents" }
        guard let found = (beside + usual).first(where: Self.isThere) else {
            throw Failure(
                code: .failed,
                message:
                    "the shipped incidents are not installed (\(usual[0])); name their folder with --corpus")
        }
        directory = found
    }

    private static func isThere(_ path: String) -> Bool { (try? identity(ofFile: path + "/.")) != nil }

    /// The files of a name, of a path, of `all` and of `list`.
    func paths(of name: String) throws(Failure) -> [String] {
        if name.contains("/") { return [name] }
        let names = try names()
        if name == "all" || name == "list" { return names.map { "\(directory)/\($0).yaml" } }
        guard names.contains(name) else {
            let near = names.filter { $0.contains(name) }
            throw Failure(
                code: .usage,
                message: "there is no incident \(name.printable)"
                    + (near.isEmpty
                        ? "; 'holdfast simulate --incident list' lists them"
                        : "; did you mean \(near.joined(separator: " or "))?"))
        }
        return ["\(directory)/\(name).yaml"]
    }

    /// Those that are there, by name.
    func names() throws(Failure) -> [String] {
        let files: [String]
        do throws(HostError) {
            files = try listDirectory(directory)
        } catch {
            throw Failure(code: .failed, message: error.description)
        }
        let names = files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        guard !names.isEmpty else {
            throw Failure(code: .failed, message: "\(directory.printable): there is no incident in it")
        }
        return names
    }

    /// Reads one.
    func incident(at path: String) throws(Failure) -> Incident {
        let bytes: [UInt8]
        do throws(HostError) {
            bytes = try readFile(path, limit: 1 << 20)
        } catch {
            throw Failure(code: .failed, message: error.description)
        }
        switch parseIncident(bytes, file: path) {
        case .valid(let incident, _): return incident
        case .invalid(let faults):
            throw Failure(
                code: .badConfiguration, lines: faults.map(\.description))
        }
    }

    /// A shipped policy: one folder up, as in the sources, or in the folder beside, as where it is installed.
    func policy(named name: String, for path: String) throws(Failure) -> String {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        let above = parent(of: folder)
        let places = ["\(above)\(name)", "\(above)policies/\(name)"]
        guard let found = places.first(where: Self.isFile) else {
            throw Failure(
                code: .failed,
                message:
                    "\(path.printable): its policy \(name.printable) is not beside it; name one with --policy"
            )
        }
        return found
    }

    private static func isFile(_ path: String) -> Bool { (try? identity(ofFile: path)) != nil }
}

/// The folder that a folder is in, with a slash at its end; `Policies/` for `Policies/incidents`.
private func parent(of folder: String) -> String {
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    guard let last = parts.last, !["", ".", ".."].contains(last) else {
        return folder.isEmpty ? "../" : folder + "/../"
    }
    return parts.dropLast().map { $0 + "/" }.joined()
}

/// An incident as it came out under a policy.
struct PlayedIncident: Encodable {
    struct Step: Encodable {
        let one: PolicyCase
        let decision: Decision
        /// In what it differs from what is told; asked under the incident's own policy alone.
        let differences: [String]

        var isStopped: Bool { decision.verdict != .allow }
        var wasToBeStopped: Bool { one.expected.verdict != .allow }

        private enum Key: String, CodingKey {
            case name, at, node, installation, from, to, updateType, expected, by, verdict, stoppedBy,
                differences
        }
        private enum RuleKey: String, CodingKey { case rule, text, source }

        func encode(to encoder: any Encoder) throws {
            let change = one.subject.change
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(one.name, forKey: .name)
            try container.encode(one.now.description, forKey: .at)
            try container.encode(one.subject.node.name, forKey: .node)
            try container.encode(change.installation.description, forKey: .installation)
            try container.encode(change.from.version, forKey: .from)
            try container.encode(change.to.version, forKey: .to)
            try container.encode(change.updateType, forKey: .updateType)
            try container.encode(one.expected.verdict, forKey: .expected)
            try container.encode(one.expected.by, forKey: .by)
            try container.encode(decision.verdict, forKey: .verdict)
            try container.encode(differences, forKey: .differences)
            var rules = container.nestedUnkeyedContainer(forKey: .stoppedBy)
            for reason in decision.makers {
                var part = rules.nestedContainer(keyedBy: RuleKey.self)
                try part.encode(reason.rule, forKey: .rule)
                try part.encode(reason.text, forKey: .text)
                try part.encode(reason.source, forKey: .source)
            }
        }
    }

    let name: String
    let incident: Incident
    let policy: String
    /// Whether that is the policy that the incident names, so that all must come out as told.
    let isOwnPolicy: Bool
    let steps: [Step]

    init(
        _ incident: Incident, name: String, path: String, policy: String, loaded: LoadedPolicy,
        isOwnPolicy: Bool, zones: ZoneFiles
    ) {
        self.name = name
        self.incident = incident
        self.policy = policy
        self.isOwnPolicy = isOwnPolicy
        steps = incident.steps.map { one in
            let decision = decide(one, under: loaded, zones: zones)
            return Step(
                one: one, decision: decision,
                differences: isOwnPolicy ? one.differences(from: decision) : [])
        }
    }

    /// What got through that was to be stopped.
    var letThrough: [Step] { steps.filter { $0.wasToBeStopped && !$0.isStopped } }

    /// Whether all came out as told, or under another policy, whether nothing got through.
    var isGood: Bool {
        isOwnPolicy ? steps.allSatisfy(\.differences.isEmpty) : letThrough.isEmpty
    }

    private enum Key: String, CodingKey {
        case name, title, happened, sources, policy, stopped, asTold, steps
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(incident.title, forKey: .title)
        try container.encode(incident.happened, forKey: .happened)
        try container.encode(incident.sources, forKey: .sources)
        try container.encode(policy, forKey: .policy)
        try container.encode(letThrough.isEmpty, forKey: .stopped)
        if isOwnPolicy { try container.encode(isGood, forKey: .asTold) }
        try container.encode(steps, forKey: .steps)
    }
}

/// What a policy says of one case.
func decide(_ one: PolicyCase, under policy: LoadedPolicy, zones: ZoneFiles) -> Decision {
    var subject = one.subject
    let resolved = resolve(
        policy, isCurrent: true, node: subject.node, distribution: subject.installation.id.distribution,
        role: subject.installation.role)
    subject.zone = zones.zone(named: resolved.policy.timezone)?.zone
    return evaluate(
        policy: resolved, subject: subject, fleet: one.fleet, approvals: one.approvals, denials: [],
        now: one.now)
}
