public import Model

/// All that `doctor` goes by: facts that were gathered, and nothing that has to be asked again.
public struct Examination: Sendable {
    /// Whether it is of the running machine rather than of files below another root.
    public var isLive: Bool
    /// As the look found the node.
    public var observation: Observation
    /// What the ledger adds up to.
    public var state: NodeState
    /// What the policy has guards do for each installation, by its id; none without a policy.
    public var enforcement: [String: Enforcement] = [:]
    /// Whether rules that read time hold while the clock is not synchronised.
    public var trustsClock = false
    /// What was found of the guards.
    public var guards: GuardFacts
    /// What was found of our own units' files, by name; no entry for one that is not installed.
    public var ownUnits: [String: OwnUnitFiles] = [:]
    /// When a tick last ran; nil where none did.
    public var lastTick: Instant?
    /// What is wrong with the ledger; nil where nothing was found.
    public var ledgerTrouble: String?
    /// Whether that is damage for which the next tick begins another ledger.
    public var ledgerIsReplaced = false
    /// Whether a chain that is too long for a quick look was left out.
    public var ledgerUnchecked = false
    /// File systems that we write to.
    public var disks: [DiskFacts] = []
    /// Files whose owner or mode lets others write, and what to do.
    public var ownership: [(file: String, problem: String)] = []
    /// What may bring another version by itself.
    public var updaters = UpdaterFacts()
    /// The policy's stages, in order.
    public var stages: [StageFacts] = []
    /// This node's control plane as its cluster told of it last; nil where it never did.
    public var controlPlane: ControlPlane?
    /// Whether the fleet's store knows of no other machine.
    public var isAlone = true
    /// The configuration of chrony, where it is installed, and whether it tells the kernel (`rtcsync`).
    public var chrony: (file: String, tellsKernel: Bool)?
    /// Where the state directory is.
    public var stateDirectory: String
    /// Whether files that are large were hashed.
    public var isDeep = false

    /// Makes an examination of which little is known yet.
    public init(
        isLive: Bool, observation: Observation, state: NodeState, guards: GuardFacts, stateDirectory: String
    ) {
        self.isLive = isLive
        self.observation = observation
        self.state = state
        self.guards = guards
        self.stateDirectory = stateDirectory
    }

    var records: GuardRecords { state.guards ?? GuardRecords() }

    /// Whether guards are meant to be in force now.
    var isGuarding: Bool {
        if let pause = state.pause, observation.clock.now < pause.until { return false }
        return state.installations.values.contains { $0.adoption != nil }
    }
}

/// What the files of one of our units say, drop-ins applied.
public struct OwnUnitFiles: Hashable, Sendable {
    /// Directories that it may write to, `-` and quotes taken off.
    public var writable: [String]
    /// What it watches.
    public var watched: [String]

    /// Makes what a unit's files say.
    public init(writable: [String] = [], watched: [String] = []) {
        self.writable = writable
        self.watched = watched
    }
}

/// How full a file system is.
public struct DiskFacts: Hashable, Sendable {
    /// A path on it, as the node has it.
    public var path: String
    /// In bytes, those that only root may use left out.
    public var free: Int64
    /// In bytes.
    public var size: Int64
    /// Names that can still be made.
    public var freeInodes: Int64
    /// 0 where the file system has no fixed number.
    public var inodes: Int64
    /// Whether it is mounted read-only.
    public var isReadOnly: Bool

    /// Makes facts of a file system.
    public init(path: String, free: Int64, size: Int64, freeInodes: Int64, inodes: Int64, isReadOnly: Bool) {
        self.path = path
        self.free = free
        self.size = size
        self.freeInodes = freeInodes
        self.inodes = inodes
        self.isReadOnly = isReadOnly
    }
}

/// What on a node may bring another version by itself.
public struct UpdaterFacts: Hashable, Sendable {
    /// The file and line that switch unattended-upgrades on; nil where it is not installed or is off.
    public var unattendedUpgrades: String?
    /// Lines of crontabs and scripts that cron runs: `FILE:LINE`, and what in them runs an installer.
    ///
    /// Never the line itself, which can hold a token.
    public var lines: [(place: String, installer: String)] = []
    /// Services other than the distributions' that run an installer, by name, and which.
    public var services: [(unit: String, installer: String)] = []

    /// Nothing was found.
    public init() {}

    public static func == (left: UpdaterFacts, right: UpdaterFacts) -> Bool {
        left.unattendedUpgrades == right.unattendedUpgrades && left.lines.elementsEqual(right.lines, by: ==)
            && left.services.elementsEqual(right.services, by: ==)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(unattendedUpgrades)
        for line in lines { hasher.combine(line.place) }
        for service in services { hasher.combine(service.unit) }
    }
}

/// A stage of the policy, as far as this node is concerned.
public struct StageFacts: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Whether it takes this node in, unless one before it does.
    public var takesThisNode: Bool

    /// Makes facts of a stage.
    public init(name: String, takesThisNode: Bool) {
        self.name = name
        self.takesThisNode = takesThisNode
    }
}

/// What in a line would run an installer of a distribution; nil for a line that runs none.
///
/// - Parameter line: of a crontab, a script, or a command.
public func installer(in line: String) -> String? {
    let text = line.drop { $0 == " " || $0 == "\t" }
    guard !text.hasPrefix("#") else { return nil }
    for address in ["get.k3s.io", "get.k0s.sh", "get.k0sproject.io"] where text.contains(address) {
        return address
    }
    let words = text.split { " \t;|&()'\"`".contains($0) }.map { word in
        word.contains(">") ? String(word) : word.split(separator: "/").last.map(String.init) ?? String(word)
    }
    for (index, word) in words.enumerated() {
        let next = words.dropFirst(index + 1).first
        switch word {
        case "snap" where next == "refresh":
            // One that names other snaps only leaves MicroK8s alone.
            let named = words.dropFirst(index + 2).prefix { !$0.contains(">") }.filter { !$0.hasPrefix("-") }
            if named.isEmpty || named.contains("microk8s") { return "snap refresh" }
        case "k3s-install.sh", "install-k3s.sh", "k0s-install.sh", "install-k0s.sh": return word
        case "k0sctl" where next == "apply": return "k0sctl apply"
        default: continue
        }
    }
    return nil
}
