public import Host
public import Model
public import Ports

/// How one distribution is found on a node and its versions learnt, without ever running it (invariant 11).
public protocol DistributionAdapter {
    /// Which distribution it finds.
    var distribution: Distribution { get }

    /// All installations of this distribution; what cannot be seen becomes a problem, never an error.
    func look(at site: Site, reading: ClockReading, memory: inout ObserverMemory) -> Findings
}

/// The node that an adapter looks at.
public struct Site {
    /// Below which everything is looked for.
    public var root: Root
    /// What says which units there are: systemd, or their files below another root.
    public var units: any UnitSource
    /// From node.yaml: units to take in besides those that are recognised.
    public var extraUnits: [String]
    /// A kubeconfig from node.yaml; nil for the distribution's own.
    public var kubeconfig: String?
    /// How old snapd's answer about pending refreshes may be.
    public var offerInterval: TimeSpan
    /// What any single question may take, in milliseconds.
    public var patience: Int

    /// Makes a site.
    public init(
        root: Root, units: any UnitSource, extraUnits: [String] = [], kubeconfig: String? = nil,
        offerInterval: TimeSpan = .hours(1), patience: Int = 2000
    ) {
        self.root = root
        self.units = units
        self.extraUnits = extraUnits
        self.kubeconfig = kubeconfig
        self.offerInterval = offerInterval
        self.patience = patience
    }
}

/// What an adapter found.
public struct Findings {
    /// One for each main unit or snap.
    public var installations: [Installation]
    /// What could not be seen, and what to do about it.
    public var problems: [Problem]
    /// What settings were found to be, as far as guards care.
    public var settings: [Setting: SettingReading]
    /// What snapd says of itself, where it was asked.
    public var snapd: SnapdFacts?
    /// By what the cluster of an installation is reached, with the distribution's own kubeconfig; its path is empty
    /// where this node has none.
    public var access: ClusterAccess?

    /// Makes findings.
    public init(
        installations: [Installation] = [], problems: [Problem] = [],
        settings: [Setting: SettingReading] = [:], snapd: SnapdFacts? = nil, access: ClusterAccess? = nil
    ) {
        self.installations = installations
        self.problems = problems
        self.settings = settings
        self.snapd = snapd
        self.access = access
    }
}
