public import Host
public import Model
public import Ports

/// How one distribution is found on a node and its versions learnt, without ever running it (invariant 11).
public protocol DistributionAdapter {
    var distribution: Distribution { get }

    /// All installations of this distribution; what cannot be seen becomes a problem, never an error.
    func look(at site: Site, reading: ClockReading, memory: inout ObserverMemory) -> Findings
}

/// The node that an adapter looks at.
public struct Site {
    public var root: Root
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
    public var installations: [Installation]
    public var problems: [Problem]

    /// Makes findings.
    public init(installations: [Installation] = [], problems: [Problem] = []) {
        self.installations = installations
        self.problems = problems
    }
}
