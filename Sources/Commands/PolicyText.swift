import Model

/// The keys of a resolved policy with their values as the file would write them.
func policyRows(_ policy: Policy) -> [(key: String, value: String)] {
    [
        ("timezone", policy.timezone),
        ("unattended", policy.unattended.rawValue),
        ("approvable", policy.approvable.rawValue),
        ("approval", approval(policy.approval)),
        ("allowedVersions", policy.allowedVersions.text.isEmpty ? "any" : policy.allowedVersions.text),
        ("pin", pin(policy.pin)),
        ("origin", policy.origin.rawValue),
        ("minimumReleaseAge", age(policy.minimumReleaseAge)),
        ("waypoints", waypoints(policy.waypoints)),
        ("windows", policy.windows.map { $0.map(window).joined(separator: "; ") } ?? "always"),
        ("health", health(policy.health)),
        ("gates", policy.gates.isEmpty ? "none" : policy.gates.map(gate).joined(separator: "; ")),
        ("drain", "\(policy.drain.enabled.rawValue), timeout \(policy.drain.timeout.policyText)"),
        ("backup", "\(policy.backup.mode.rawValue), keep \(policy.backup.keep)"),
        ("rollback", policy.rollback.rawValue),
        ("enforce", enforcement(policy.enforce)),
        ("source", policy.source.releases.isEmpty ? "none" : source(policy.source)),
        ("clock", policy.clock == .trusted ? "trusted, whatever it says" : policy.clock.rawValue),
    ]
}

/// The keys that accumulate, an element a row.
func policyElementRows(_ policy: Policy) -> [(key: String, value: String)] {
    policy.deny.enumerated().map { ("deny[\($0)]", "\($1.versions.text): \($1.reason)") }
        + policy.freezes.enumerated().map {
            ("freezes[\($0)]", "\($1.from) until \($1.until), \($1.scope.rawValue): \($1.reason)")
        }
        + policy.overrides.enumerated().map {
            ("overrides[\($0)]", "\($1.rule.rawValue) until \($1.until): \($1.reason)")
        }
}

/// A stage in one line.
func stageText(_ stage: Stage) -> String {
    let need =
        switch stage.need {
        case .all: "all"
        case .count(let count): "\(count)"
        }
    let labels = stage.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return
        (["nodes \(stage.nodes.joined(separator: " "))"]
        + (labels.isEmpty ? [] : ["labels \(labels.joined(separator: " "))"])
        + (stage.clusters == ["*"] ? [] : ["clusters \(stage.clusters.joined(separator: " "))"])
        + ["at most \(stage.maxConcurrent) at once", "need \(need)", "soak \(stage.soak.policyText)"])
        .joined(separator: ", ")
}

private func approval(_ approval: ApprovalRequirement) -> String {
    let waive = approval.mayWaive.map(\.rawValue).joined(separator: ", ")
    return "expires after \(approval.expires.policyText), may waive \(waive.isEmpty ? "nothing" : waive)"
}

private func pin(_ pin: Pin) -> String {
    var parts = pin.version.map { ["version \($0)"] } ?? []
    parts += pin.channel.map { ["channel \($0)"] } ?? []
    parts += pin.revision.map { ["revision \($0)"] } ?? []
    parts += pin.digest.sorted { $0.key < $1.key }.map { "\($0.key) sha256:\($0.value.short)…" }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
}

private func age(_ age: ReleaseAge) -> String {
    "build \(age.build.policyText), patch \(age.patch.policyText), minor \(age.minor.policyText)"
}

private func waypoints(_ waypoints: Waypoints) -> String {
    switch waypoints {
    case .shipped: "shipped"
    case .none: "none"
    case .listed(let list): list.map { "\($0.from.text) through \($0.through.text)" }.joined(separator: "; ")
    }
}

private func window(_ window: Window) -> String {
    let days = window.days == Weekday.allCases ? "daily" : window.days.map(\.rawValue).joined(separator: " ")
    let minute = window.start % 60
    return
        "\(days) from \(window.start / 60):\(minute < 10 ? "0" : "")\(minute) for \(window.duration.policyText)"
}

private func health(_ health: HealthPolicy) -> String {
    let checks = health.checks.map { check in
        switch check {
        case .unit: "unit"
        case .running: "running"
        case .readyz: "readyz"
        case .nodeReady: "nodeReady"
        case .etcdVoter: "etcdVoter"
        case .dqliteVoters: "dqliteVoters"
        case .http(let url): url
        case .command(let words): words.joined(separator: " ")
        }
    }
    return checks.joined(separator: ", ")
        + ", every \(health.interval.policyText), within \(health.deadline.policyText)"
}

private func gate(_ gate: Gate) -> String {
    switch gate {
    case .deprecatedAPIs(let coverage): "deprecatedAPIs over \(coverage.policyText)"
    case .command(let words, let timeout): words.joined(separator: " ") + " within \(timeout.policyText)"
    }
}

private func enforcement(_ enforce: Enforcement) -> String {
    "hold \(enforce.hold.rawValue), gate \(enforce.gate.rawValue), veto \(enforce.veto ? "on" : "off"), "
        + "plans \(enforce.plans.rawValue), seal \(enforce.seal ? "on" : "off")"
}

private func source(_ source: ArtifactSource) -> String {
    source.releases + (source.channel.isEmpty ? "" : ", channel \(source.channel)")
        + ", every \(source.poll.policyText)"
}
