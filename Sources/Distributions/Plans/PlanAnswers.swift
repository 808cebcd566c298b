import Model

/// A Plan of system-upgrade-controller as the API gives it.
struct PlanObject: Decodable {
    struct Metadata: Decodable {
        var name: String
        var namespace: String?
    }
    struct Spec: Decodable {
        struct Container: Decodable { var image: String? }
        var nodeSelector: LabelSelector?
        var channel: String?
        var version: String?
        var upgrade: Container?
    }
    struct Status: Decodable {
        var latestVersion: String?
        var latestHash: String?
        var applying: [String]?
    }
    var metadata: Metadata
    var spec: Spec?
    var status: Status?

    /// The plan, as far as it concerns a node; texts are cut to what they can be.
    func plan(for node: (name: String, labels: [String: String])?) -> UpgradePlan {
        let channel = filled(spec?.channel)
        // Only the last name of an image: its registry is anybody's.
        let image = filled(spec?.upgrade?.image).map { $0.split(separator: "/").last.map(String.init) ?? "" }
        return UpgradePlan(
            namespace: cut(metadata.namespace ?? "default"), name: cut(metadata.name),
            version: filled(spec?.version), channel: channel, latestVersion: filled(status?.latestVersion),
            latestHash: filled(status?.latestHash),
            names: Distribution.allCases.filter { distribution in
                [image, channel].contains { $0?.contains(distribution.rawValue) == true }
            },
            selectsNode: node.map { selects($0.labels) } ?? true,
            isApplying: node.map { status?.applying?.contains($0.name) == true } ?? false)
    }

    /// As the controller picks nodes, but for the plan's own label: a plan without a selector takes none.
    private func selects(_ labels: [String: String]) -> Bool {
        guard labels["kubernetes.io/hostname"] != nil, let selector = spec?.nodeSelector else { return false }
        return selector.matches(labels)
    }
}

/// A label selector (meta/v1), in which all has to match; an empty one matches everything.
struct LabelSelector: Decodable {
    struct Requirement: Decodable {
        var key: String
        var `operator`: String
        var values: [String]?
    }
    var matchLabels: [String: String]?
    var matchExpressions: [Requirement]?

    func matches(_ labels: [String: String]) -> Bool {
        for (key, value) in matchLabels ?? [:] where labels[key] != value { return false }
        return (matchExpressions ?? []).allSatisfy { requirement in
            let value = labels[requirement.key]
            let values = requirement.values ?? []
            return switch requirement.operator {
            case "In": value.map(values.contains) ?? false
            case "NotIn": value.map { !values.contains($0) } ?? true
            case "Exists": value != nil
            case "DoesNotExist": value == nil
            // An operator of a later day: to take it for one that takes us in keeps more out.
            default: true
            }
        }
    }
}

/// An UpdateConfig of k0s's autopilot.
struct UpdateConfigObject: Decodable {
    struct Metadata: Decodable { var name: String }
    struct Spec: Decodable {
        struct Strategy: Decodable {
            struct Periodic: Decodable {
                var days: [String]?
                var startTime: String?
                var length: String?
            }
            var periodic: Periodic?
        }
        var channel: String?
        var updateServer: String?
        var upgradeStrategy: Strategy?
    }
    var metadata: Metadata
    var spec: Spec?

    /// With autopilot's own defaults for what it does not say.
    var config: Autopilot.UpdateConfig {
        Autopilot.UpdateConfig(
            name: cut(metadata.name), channel: filled(spec?.channel) ?? "stable",
            server: filled(spec?.updateServer) ?? "https://updates.k0sproject.io",
            window: spec?.upgradeStrategy?.periodic.map {
                Autopilot.Window(
                    days: ($0.days ?? []).prefix(14).map(cut), start: filled($0.startTime) ?? "00:00",
                    length: filled($0.length) ?? "24h")
            })
    }
}

/// A Plan of k0s's autopilot.
struct AutopilotPlanObject: Decodable {
    struct Metadata: Decodable { var name: String }
    struct Platform: Decodable { var sha256: String? }
    struct Target: Decodable {
        struct Discovery: Decodable {
            struct Static: Decodable { var nodes: [String]? }
            var `static`: Static?
        }
        var discovery: Discovery?
    }
    struct Targets: Decodable {
        var controllers: Target?
        var workers: Target?
    }
    struct Update: Decodable {
        var version: String?
        var platforms: [String: Platform]?
        var targets: Targets?
    }
    struct Spec: Decodable {
        struct Command: Decodable { var k0supdate: Update? }
        var commands: [Command]?
    }
    struct NodeState: Decodable {
        var name: String?
        var state: String?
    }
    struct Status: Decodable {
        struct Command: Decodable {
            struct Update: Decodable {
                var controllers: [NodeState]?
                var workers: [NodeState]?
            }
            var k0supdate: Update?
        }
        var state: String?
        var commands: [Command]?
    }
    var metadata: Metadata
    var spec: Spec?
    var status: Status?

    /// The plan as it concerns a node.
    func plan(for node: String) -> Autopilot.AutopilotPlan {
        let update = spec?.commands?.lazy.compactMap(\.k0supdate).first
        let targets = [update?.targets?.controllers, update?.targets?.workers].compactMap(\.self)
        let states = (status?.commands ?? []).compactMap(\.k0supdate)
            .flatMap { ($0.controllers ?? []) + ($0.workers ?? []) }
        return Autopilot.AutopilotPlan(
            version: filled(update?.version),
            digests: (update?.platforms ?? [:]).compactMapValues { filled($0.sha256) }
                .filter { $0.key.utf8.count <= 64 },
            state: filled(status?.state),
            nodeStates: states.filter { $0.name == node }.compactMap { filled($0.state) },
            // A selector finds its nodes when it acts; a list says them.
            takesNodeIn: targets.isEmpty
                || targets.contains { $0.discovery?.static?.nodes.map { $0.contains(node) } ?? true })
    }
}

/// A text that says something, cut; nil for an empty one.
private func filled(_ text: String?) -> String? {
    guard let text, !text.isEmpty else { return nil }
    return cut(text)
}

/// What is kept of a text from outside.
private func cut(_ text: String) -> String { text.cut(to: 512) }
