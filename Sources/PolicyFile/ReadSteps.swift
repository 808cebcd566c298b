import Model
import YAML

// What a step does and how it is judged: health, gates, drain, backup, enforcement, source.
extension Reader {
    func health(_ entry: Entry) -> HealthPolicy? {
        guard let fields = mapping(entry, Schema.health) else { return nil }
        var health = HealthPolicy()
        fields.set(&health.checks, "checks") { distinctList($0, check) }
        fields.set(&health.interval, "interval") { duration($0, in: .second...TimeSpan.hours(1)) }
        fields.set(&health.timeout, "timeout") { duration($0, in: .second...TimeSpan.hours(1)) }
        fields.set(&health.failureLimit, "failureLimit") { integer($0, in: 1...1000) }
        fields.set(&health.consecutiveSuccesses, "consecutiveSuccesses") { integer($0, in: 1...1000) }
        fields.set(&health.deadline, "deadline") { duration($0, in: .second...TimeSpan.days(1)) }
        let shortest = TimeSpan(seconds: health.interval.seconds * Int64(health.consecutiveSuccesses - 1))
        if shortest > health.deadline {
            fault(
                entry,
                "can never be met: \(health.consecutiveSuccesses) successes \(health.interval.policyText) apart take \(shortest.policyText), and the deadline is \(health.deadline.policyText)"
            )
        }
        return health
    }

    private func check(_ entry: Entry) -> HealthPolicy.Check? {
        let words: [(name: String, value: HealthPolicy.Check)] = [
            ("unit", .unit), ("running", .running), ("readyz", .readyz), ("nodeReady", .nodeReady),
            ("etcdVoter", .etcdVoter), ("dqliteVoters", .dqliteVoters),
        ]
        guard entry.value.scalar == nil else { return word(entry, words) }
        guard let fields = mapping(entry, keys: ["http", "command"]), let one = onlyOne(fields) else {
            return nil
        }
        return one == "http"
            ? fields.read("http") { url($0) }.map(HealthPolicy.Check.http)
            : fields.read("command", command).map(HealthPolicy.Check.command)
    }

    /// The one key that a mapping has of those that exclude each other.
    func onlyOne(_ fields: Fields, of keys: [String]? = nil) -> String? {
        let present = fields.entries.keys.filter { keys?.contains($0) ?? true }
        guard present.count == 1, let name = present.first else {
            let names = keys ?? ["http", "command"]
            fault(
                fields.owner,
                "needs \(present.isEmpty ? "one" : "only one") of `\(names.joined(separator: "`, `"))`")
            return nil
        }
        return name
    }

    func gates(_ entry: Entry) -> [Gate]? {
        // An empty list is refused everywhere, so "no gate" has a word of its own, as with waypoints.
        if let text = entry.value.scalar?.text, !entry.value.isEmpty {
            if text == "none" { return [] }
            fault(entry, "needs a list, or `none`; found the text \(shown(text))")
            return nil
        }
        return distinctList(entry, gate)
    }

    private func gate(_ entry: Entry) -> Gate? {
        if let name = entry.value.scalar?.text, name == "deprecatedAPIs" {
            fault(
                entry,
                "write how long every apiserver must have been watched: deprecatedAPIs: {coverage: 24h}")
            return nil
        }
        guard let fields = mapping(entry, Schema.gate) else { return nil }
        let timeout =
            fields.entries["timeout"].map { duration($0, in: .second...TimeSpan.hours(24)) } ?? .minutes(1)
        guard let one = onlyOne(fields, of: ["deprecatedAPIs", "command"]) else { return nil }
        if one == "deprecatedAPIs" {
            if let timeout = fields.entries["timeout"] { fault(timeout, "belongs to `command`; take it out") }
            return fields.read(one) { entry in
                guard let fields = mapping(entry, Schema.gate.below("deprecatedAPIs")) else { return nil }
                let coverage =
                    fields.entries["coverage"].map { duration($0, in: .zero...TimeSpan.days(90)) }
                    ?? .hours(24)
                return coverage.map { Gate.deprecatedAPIs(coverage: $0) }
            }
        }
        guard let command = fields.read(one, command), let timeout else { return nil }
        return .command(command, timeout: timeout)
    }

    func drain(_ entry: Entry) -> Drain? {
        guard let fields = mapping(entry, Schema.drain) else { return nil }
        var drain = Drain()
        fields.set(&drain.enabled, "enabled") { token($0) }
        fields.set(&drain.timeout, "timeout") { duration($0, in: .second...TimeSpan.hours(24)) }
        return drain
    }

    func backup(_ entry: Entry) -> Backup? {
        guard let fields = mapping(entry, Schema.backup) else { return nil }
        var backup = Backup()
        fields.set(&backup.mode, "mode") { token($0) }
        fields.set(&backup.command, "command", command)
        fields.set(&backup.verify, "verify", command)
        fields.set(&backup.keep, "keep") { integer($0, in: 1...1000) }
        return backup
    }

    func enforcement(_ entry: Entry) -> Enforcement? {
        guard let fields = mapping(entry, Schema.enforcement) else { return nil }
        var enforce = Enforcement()
        fields.set(&enforce.hold, "hold") { token($0) }
        fields.set(&enforce.gate, "gate") { token($0) }
        fields.set(&enforce.veto, "veto", flag)
        fields.set(&enforce.plans, "plans") { token($0) }
        fields.set(&enforce.seal, "seal", flag)
        if enforce.seal, let entry = fields.entries["seal"] {
            warn(entry, Enforcement.sealWarning)
        }
        return enforce
    }

    func source(_ entry: Entry) -> ArtifactSource? {
        guard let fields = mapping(entry, Schema.source) else { return nil }
        var source = ArtifactSource()
        fields.set(&source.releases, "releases") { entry in
            // A directory on an offline node, else a URL template.
            entry.value.scalar?.text.hasPrefix("/") == true ? path(entry) : url(entry, canBeEmpty: true)
        }
        fields.set(&source.channel, "channel") { entry in
            // A name, else the address that answers its version.
            let word = entry.value.scalar?.text ?? ""
            if word.hasPrefix("https://") || word.hasPrefix("http://") { return url(entry) }
            return word.isEmpty ? text(entry, canBeEmpty: true) : channel(entry)
        }
        fields.set(&source.poll, "poll") { duration($0, in: .minutes(1)...TimeSpan.days(30)) }
        fields.set(&source.caFile, "caFile") { path($0, canBeEmpty: true) }
        fields.set(&source.proxy, "proxy") { url($0, canBeEmpty: true) }
        return source
    }
}
