/// By what a node reaches its cluster's API server.
public struct ClusterAccess: Codable, Hashable, Sendable {
    /// Whose cluster it is.
    public var distribution: Distribution
    /// The kubeconfig, as the node has it.
    public var kubeconfig: String
    /// What the kubelet calls this node, where its arguments say so; nil for the host name.
    public var nodeName: String?
    /// Whether k0s's autopilot is disabled by the arguments of this node's controller; nil where they do not tell.
    public var autopilotIsDisabled: Bool?

    /// Makes an access.
    public init(
        distribution: Distribution, kubeconfig: String, nodeName: String? = nil,
        autopilotIsDisabled: Bool? = nil
    ) {
        self.distribution = distribution
        self.kubeconfig = kubeconfig
        self.nodeName = nodeName
        self.autopilotIsDisabled = autopilotIsDisabled
    }
}

/// What the cluster's API server told of what would change this node's version.
public struct ClusterObservation: Codable, Hashable, Sendable {
    /// Our Node; nil where the cluster has none that is this machine, as for a controller that runs no workloads.
    public var node: ClusterNode?
    /// Plans of system-upgrade-controller, in all namespaces; empty where the cluster does not know them.
    public var plans: [UpgradePlan]
    /// What k0s's autopilot has before it; nil where the cluster has no such thing, or it was not asked.
    public var autopilot: Autopilot?

    /// Makes an observation.
    public init(node: ClusterNode?, plans: [UpgradePlan] = [], autopilot: Autopilot? = nil) {
        self.node = node
        self.plans = plans
        self.autopilot = autopilot
    }
}

/// Our Node.
public struct ClusterNode: Codable, Hashable, Sendable {
    /// What the cluster calls it.
    public var name: String
    /// The labels by which plans leave it out, by the plan's name: `disabled`, or the hash of what ran last.
    public var planLabels: [String: String]

    /// What stands before a plan's name in its label's key.
    public static let planLabelPrefix = "plan.upgrade.cattle.io/"
    /// The value that keeps a plan away for good.
    public static let planDisabled = "disabled"

    /// Makes a node.
    public init(name: String, planLabels: [String: String] = [:]) {
        self.name = name
        self.planLabels = planLabels
    }
}

/// A Plan of system-upgrade-controller (upgrade.cattle.io/v1), as far as it can change this node's version.
public struct UpgradePlan: Codable, Hashable, Sendable {
    /// Where it is.
    public var namespace: String
    /// Two plans of one name in two namespaces share the label of a node.
    public var name: String
    /// `spec.version`, which goes before the channel.
    public var version: String?
    /// `spec.channel`: a URL that the controller asks every fifteen minutes.
    public var channel: String?
    /// `status.latestVersion`, with `-` where the version has `+`: what the controller says that the channel says.
    public var latestVersion: String?
    /// `status.latestHash`: the label that a node has once it was done.
    public var latestHash: String?
    /// Distributions that its image or its channel names.
    public var names: [Distribution]
    /// Whether its node selector takes our Node in; true where it cannot be told.
    public var selectsNode: Bool
    /// Whether it is at our Node now.
    public var isApplying: Bool
    /// Why what its channel said so far is not to be relied on; nil where nothing speaks against it.
    public var distrust: String?

    /// Makes a plan.
    public init(
        namespace: String, name: String, version: String? = nil, channel: String? = nil,
        latestVersion: String? = nil, latestHash: String? = nil, names: [Distribution] = [],
        selectsNode: Bool = true, isApplying: Bool = false
    ) {
        self.namespace = namespace
        self.name = name
        self.version = version
        self.channel = channel
        self.latestVersion = latestVersion
        self.latestHash = latestHash
        self.names = names
        self.selectsNode = selectsNode
        self.isApplying = isApplying
    }

    /// `system-upgrade/server-plan`.
    public var path: String { "\(namespace)/\(name)" }
}

/// What k0s's autopilot (autopilot.k0sproject.io/v1beta2) has before it.
public struct Autopilot: Codable, Hashable, Sendable {
    /// By which it makes Plans of its own.
    public var configs: [UpdateConfig]
    /// The one Plan that it acts on; nil where there is none.
    public var plan: AutopilotPlan?

    /// Makes what was found of it.
    public init(configs: [UpdateConfig] = [], plan: AutopilotPlan? = nil) {
        self.configs = configs
        self.plan = plan
    }

    /// An UpdateConfig.
    public struct UpdateConfig: Codable, Hashable, Sendable {
        /// Its name.
        public var name: String
        /// The channel that it follows.
        public var channel: String
        /// The server that it asks.
        public var server: String
        /// Its window; nil where it has none, so that it acts at any time.
        public var window: Window?

        /// Makes an UpdateConfig.
        public init(name: String, channel: String, server: String, window: Window? = nil) {
            self.name = name
            self.channel = channel
            self.server = server
            self.window = window
        }
    }

    /// When an UpdateConfig acts, in its own words.
    public struct Window: Codable, Hashable, Sendable {
        /// Days as they are written; empty for every day.
        public var days: [String]
        /// `02:00`, in the controller's own zone.
        public var start: String
        /// `2h`.
        public var length: String

        /// Makes a window.
        public init(days: [String], start: String, length: String) {
            self.days = days
            self.start = start
            self.length = length
        }
    }

    /// The Plan named `autopilot`.
    public struct AutopilotPlan: Codable, Hashable, Sendable {
        /// What it installs; nil for one that only brings images.
        public var version: String?
        /// The digest that it gives for a platform: `linux-amd64`.
        public var digests: [String: String]
        /// Its state: `Schedulable`, `SchedulableWait`, `Completed`, `Warning` and so on; nil before the first.
        public var state: String?
        /// The states of our own node in it, in the order of its commands.
        public var nodeStates: [String]
        /// Whether it takes this node in; true where it finds its nodes by itself.
        public var takesNodeIn: Bool

        /// Makes a plan.
        public init(
            version: String?, digests: [String: String] = [:], state: String? = nil,
            nodeStates: [String] = [], takesNodeIn: Bool = true
        ) {
            self.version = version
            self.digests = digests
            self.state = state
            self.nodeStates = nodeStates
            self.takesNodeIn = takesNodeIn
        }
    }
}

/// What is told to people who look at the Node in the cluster (`kubectl describe node`).
public struct NodeEvent: Hashable, Sendable {
    /// How urgent it is, in Kubernetes' own words.
    public enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// How urgent it is.
    public var kind: Kind
    /// In CamelCase: `UpgradeHeld`.
    public var reason: String
    /// One line for a person.
    public var message: String
    /// The same for the same thing, so that it is told once.
    public var key: String
    /// When it happened.
    public var at: Instant

    /// Makes an event.
    public init(kind: Kind, reason: String, message: String, key: String, at: Instant) {
        self.kind = kind
        self.reason = reason
        self.message = message
        self.key = key
        self.at = at
    }
}
