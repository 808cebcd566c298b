public import Model

/// The policy as it applies to one installation of one node.
///
/// Rules whose match applies are taken in order; `deny`, `freezes` and `overrides` accumulate, every other key
/// replaces what was before. Checks and gates that the role cannot perform are left out (`checksLeftOut`).
///
/// - Parameter isCurrent: false where the newest file is invalid or gone, and this is the last valid one.
public func resolve(
    _ loaded: LoadedPolicy, isCurrent: Bool, node: NodeFacts, distribution: Distribution, role: Role?
) -> ResolvedPolicy {
    var layers = Layers(policy: loaded.document.base, places: loaded.sources)
    for (index, rule) in loaded.document.rules.enumerated()
    where rule.match.applies(to: node, distribution: distribution, role: role) {
        layers.apply(rule.settings, at: "rules[\(index)].")
    }
    var policy = layers.policy
    policy.health.checks.removeAll { reasonToLeaveOut($0, distribution: distribution, role: role) != nil }
    policy.gates.removeAll { reasonToLeaveOut($0, role: role) != nil }

    let stages = loaded.document.stages
    for index in stages.indices {
        layers.note("stages[\(index)]", at: "stages[\(index)]", orElse: "stages")
    }
    layers.sources[policyFileKey] = loaded.sources.file
    return ResolvedPolicy(
        policy: policy, sources: layers.sources, stages: stages,
        stage: stages.firstIndex { $0.matches(node) }, sha256: loaded.sha256, isCurrent: isCurrent)
}

/// Under this key `ResolvedPolicy.sources` names the file itself, without a line.
let policyFileKey = "policy"

/// A policy while one rule after the other is laid over it.
private struct Layers {
    var policy: Policy
    let places: PolicySources
    var sources: [String: String] = [:]

    init(policy: Policy, places: PolicySources) {
        self.policy = policy
        self.places = places
        for key in Self.keys { note(key, at: key) }
        noteElements("deny", count: policy.deny.count, from: 0, prefix: "")
        noteElements("freezes", count: policy.freezes.count, from: 0, prefix: "")
        noteElements("overrides", count: policy.overrides.count, from: 0, prefix: "")
    }

    /// Every key that can be set for one installation, as the file writes it.
    static let keys = [
        "timezone", "unattended", "approvable", "approval", "allowedVersions", "pin", "deny", "origin",
        "minimumReleaseAge", "waypoints", "windows", "freezes", "health", "gates", "drain", "backup",
        "rollback", "enforce", "source", "clock", "overrides",
    ]

    mutating func note(_ key: String, at path: String, orElse parent: String? = nil) {
        var place = places.source(of: path)
        if place == "default", let parent { place = places.source(of: parent) }
        sources[key] = place
    }

    /// Notes the elements that one layer adds to a list, which stand after those of the layers before.
    mutating func noteElements(_ key: String, count: Int, from first: Int, prefix: String) {
        for index in 0..<count {
            note("\(key)[\(first + index)]", at: "\(prefix)\(key)[\(index)]", orElse: prefix + key)
        }
    }

    mutating func replace<Value>(
        _ path: WritableKeyPath<Policy, Value>, with value: Value?, _ key: String, _ prefix: String
    ) {
        guard let value else { return }
        policy[keyPath: path] = value
        note(key, at: prefix + key)
    }

    mutating func append<Element>(
        _ path: WritableKeyPath<Policy, [Element]>, _ elements: [Element]?, _ key: String, _ prefix: String
    ) {
        guard let elements else { return }
        noteElements(key, count: elements.count, from: policy[keyPath: path].count, prefix: prefix)
        policy[keyPath: path] += elements
        note(key, at: prefix + key)
    }

    mutating func apply(_ settings: PolicySettings, at prefix: String) {
        replace(\.timezone, with: settings.timezone, "timezone", prefix)
        replace(\.unattended, with: settings.unattended, "unattended", prefix)
        replace(\.approvable, with: settings.approvable, "approvable", prefix)
        replace(\.approval, with: settings.approval, "approval", prefix)
        replace(\.allowedVersions, with: settings.allowedVersions, "allowedVersions", prefix)
        replace(\.pin, with: settings.pin, "pin", prefix)
        replace(\.origin, with: settings.origin, "origin", prefix)
        replace(\.minimumReleaseAge, with: settings.minimumReleaseAge, "minimumReleaseAge", prefix)
        replace(\.waypoints, with: settings.waypoints, "waypoints", prefix)
        // Nil means "always" in a policy and "left alone" in a rule, so a rule cannot take windows away again.
        if let windows = settings.windows {
            policy.windows = windows
            note("windows", at: prefix + "windows")
        }
        replace(\.health, with: settings.health, "health", prefix)
        replace(\.gates, with: settings.gates, "gates", prefix)
        replace(\.drain, with: settings.drain, "drain", prefix)
        replace(\.backup, with: settings.backup, "backup", prefix)
        replace(\.rollback, with: settings.rollback, "rollback", prefix)
        replace(\.enforce, with: settings.enforce, "enforce", prefix)
        replace(\.source, with: settings.source, "source", prefix)
        replace(\.clock, with: settings.clock, "clock", prefix)
        append(\.deny, settings.deny, "deny", prefix)
        append(\.freezes, settings.freezes, "freezes", prefix)
        append(\.overrides, settings.overrides, "overrides", prefix)
    }
}
