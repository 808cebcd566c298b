import Model
import YAML

extension TimeSpan {
    static let second = TimeSpan(seconds: 1)
    /// The longest that any key takes: ten years.
    static let longest = TimeSpan.days(3650)
}

extension Reader {
    /// The keys that stand in a mapping; nil for each that does not.
    func settings(_ fields: Fields, isZone: (String) -> Bool) -> PolicySettings {
        var settings = PolicySettings()
        settings.timezone = fields.read("timezone") { zoneName($0, isZone: isZone) }
        settings.unattended = fields.read("unattended") { token($0) }
        settings.approvable = fields.read("approvable") { token($0) }
        settings.approval = fields.read("approval", approval)
        settings.allowedVersions = fields.read("allowedVersions") { range($0, canBeEmpty: true) }
        settings.pin = fields.read("pin", pin)
        settings.deny = fields.read("deny") { list($0, deniedVersions) }
        settings.origin = fields.read("origin", origin)
        settings.minimumReleaseAge = fields.read("minimumReleaseAge", releaseAge)
        settings.waypoints = fields.read("waypoints", waypoints)
        settings.windows = fields.read("windows") { list($0, window) }
        settings.freezes = fields.read("freezes") { list($0, freeze) }
        settings.health = fields.read("health", health)
        settings.gates = fields.read("gates", gates)
        settings.drain = fields.read("drain", drain)
        settings.backup = fields.read("backup", backup)
        settings.rollback = fields.read("rollback") { token($0) }
        settings.enforce = fields.read("enforce", enforcement)
        settings.source = fields.read("source", source)
        settings.clock = fields.read("clock", clock)
        settings.overrides = fields.read("overrides") { list($0, override) }
        return settings
    }

    private func zoneName(_ entry: Entry, isZone: (String) -> Bool) -> String? {
        guard let name = text(entry, limit: 64) else { return nil }
        // The name is looked up as a path below the zone directory: nothing may lead out of it.
        let isName =
            name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || "_+-/".utf8.contains($0)
            } && !name.hasPrefix("/")
        guard isName, isZone(name) else {
            fault(
                entry,
                "\(shown(name)) is no time zone that this machine knows; write an IANA name such as Europe/Berlin or UTC"
                    + didYouMean(suggestedZone(for: name, isZone: isZone)))
            return nil
        }
        return name
    }

    private func approval(_ entry: Entry) -> ApprovalRequirement? {
        guard let fields = mapping(entry, Schema.approval) else { return nil }
        var approval = ApprovalRequirement()
        fields.set(&approval.required, "required") { required in
            guard let count = integer(required, in: 1...99) else { return nil }
            guard count == 1 else {
                fault(
                    required, "more than one approval cannot be asked for until approvals are signed; write 1"
                )
                return nil
            }
            return count
        }
        fields.set(&approval.expires, "expires") { duration($0, in: .minutes(1)...TimeSpan.days(366)) }
        fields.set(&approval.mayWaive, "mayWaive") { list in distinctList(list, waivable) }
        return approval
    }

    private func waivable(_ entry: Entry) -> RuleName? {
        let names: [RuleName] = [.window, .freeze, .releaseAge, .soak, .quorum]
        if let name = entry.value.scalar?.text, let rule = RuleName(rawValue: name), !names.contains(rule) {
            fault(
                entry,
                "an approval cannot waive `\(name)`; it can waive \(alternatives(names.map(\.rawValue))) (set `\(name)` aside by `overrides`)"
            )
            return nil
        }
        return word(entry, names.map { ($0.rawValue, $0) })
    }

    private func pin(_ entry: Entry) -> Pin? {
        guard let fields = mapping(entry, Schema.pin) else { return nil }
        var pin = Pin()
        pin.version = fields.read("version", version)
        pin.channel = fields.read("channel", channel)
        pin.revision = fields.read("revision", revision)
        fields.set(&pin.digest, "digest") { digest in
            guard let fields = mapping(digest, Schema.pin.below("digest")) else { return nil }
            guard !fields.entries.isEmpty || digest.value.mapping?.isEmpty == false else {
                fault(digest, "is empty; write a digest for each architecture, as in {amd64: \"sha256:…\"}")
                return nil
            }
            return fields.entries.compactMapValues(self.digest)
        }
        return pin
    }

    /// A snap channel, such as `1.32-strict/stable`.
    func channel(_ entry: Entry) -> String? {
        guard let text = text(entry, limit: 128) else { return nil }
        guard !text.contains(where: \.isWhitespace),
            text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty })
        else {
            fault(entry, "\(shown(text)) is no channel; write track/risk, as in 1.32-strict/stable")
            return nil
        }
        return text
    }

    /// A snap revision: a number, or `x1` where it was sideloaded.
    func revision(_ entry: Entry) -> String? {
        guard let text = text(entry, limit: 12) else { return nil }
        let digits = text.hasPrefix("x") ? text.dropFirst() : Substring(text)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), digits.utf8.first != 48
        else {
            fault(entry, "\(shown(text)) is no snap revision; write its number, as in 7731")
            return nil
        }
        return text
    }

    private func deniedVersions(_ entry: Entry) -> DeniedVersions? {
        guard let fields = mapping(entry, Schema.deniedVersions) else { return nil }
        let versions = fields.require("versions", "the versions that must not run: \"1.31.5\"") { range($0) }
        let reason = fields.require("reason", "why they must not", self.reason)
        let url = fields.entries["url"].map { self.url($0, canBeEmpty: true) } ?? ""
        guard let versions, let reason, let url else { return nil }
        return DeniedVersions(versions: versions, reason: reason, url: url)
    }

    private func origin(_ entry: Entry) -> OriginRequirement? {
        let origin: OriginRequirement? = token(entry)
        if origin == .claimed {
            warn(
                entry,
                "a file that merely claims to be a release is taken for it; anybody can forge that claim")
        }
        return origin
    }

    private func clock(_ entry: Entry) -> ClockRequirement? {
        let clock: ClockRequirement? = token(entry)
        if clock == .trusted {
            warn(entry, "windows, freezes and ages go by a clock that may be wrong")
        }
        return clock
    }

    private func releaseAge(_ entry: Entry) -> ReleaseAge? {
        guard let fields = mapping(entry, Schema.settings.below("minimumReleaseAge")) else { return nil }
        var age = ReleaseAge()
        fields.set(&age.build, "build") { duration($0, in: .zero...TimeSpan.days(366)) }
        fields.set(&age.patch, "patch") { duration($0, in: .zero...TimeSpan.days(366)) }
        fields.set(&age.minor, "minor") { duration($0, in: .zero...TimeSpan.days(366)) }
        return age
    }

    private func waypoints(_ entry: Entry) -> Waypoints? {
        if entry.value.scalar != nil {
            return word(entry, [("shipped", .shipped), ("none", Waypoints.none)])
        }
        return list(entry) { element in
            guard let fields = mapping(element, Schema.waypoint) else { return nil as Waypoint? }
            let from = fields.require("from", "the versions that it is for: \"1.30\"") { range($0) }
            let through = fields.require("through", "the versions to pass through: \"1.31\"") { range($0) }
            let reason = fields.entries["reason"].map(self.reason) ?? ""
            guard let from, let through, let reason else { return nil }
            return Waypoint(from: from, through: through, reason: reason)
        }.map(Waypoints.listed)
    }
}
