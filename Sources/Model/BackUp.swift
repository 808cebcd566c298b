/// How the state of a cluster is saved before a step.
public enum BackupMethod: Codable, Hashable, Sendable {
    /// K3s on SQLite: SQLite's own backup, the server's token, and its credentials.
    case sqlite
    /// K3s on its embedded etcd: `k3s etcd-snapshot save`, and the server's token.
    case etcdSnapshot
    /// `k0s backup`.
    case k0sBackup
    /// `microk8s dbctl backup`.
    case dbctl
    /// The owner's own program with its arguments, and one that shows that what it made can be read.
    ///
    /// Both find the directory in `HOLDFAST_BACKUP`.
    case command([String], verify: [String])

    /// What it is called, for a person.
    public var summary: String {
        switch self {
        case .sqlite: "SQLite's backup of K3s's database"
        case .etcdSnapshot: "k3s etcd-snapshot save"
        case .k0sBackup: "k0s backup"
        case .dbctl: "microk8s dbctl backup"
        // Arguments can carry what is nobody's business.
        case .command(let words, _): "backup.command (\(words.first ?? "nothing"))"
        }
    }
}

/// A backup that is to be made: it is there under its name only whole and verified.
public struct BackUp: Codable, Hashable, Sendable {
    /// What is saved.
    public var installation: InstallationID
    /// How.
    public var method: BackupMethod
    /// What its state is kept in.
    public var store: DataStore
    /// Where its data is.
    public var dataDirectory: String
    /// Its binary, or the mounted snap.
    public var binary: String
    /// What has to be in that place: nothing else is executed (invariant 11).
    public var artifact: Artifact
    /// Where the backup is to be, `<state>/backups/<installation>/<label>`; its last name is the label.
    public var directory: String
    /// The id of the step that it is for.
    public var step: String
    /// When it was asked for.
    public var at: Instant
    /// How long a program may take over it.
    public var timeout: TimeSpan

    /// A snapshot of some gigabytes takes a minute or two; a store that hangs is not waited for.
    public static let timeout = TimeSpan.minutes(30)

    /// Makes a backup that is to be made.
    public init(
        installation: InstallationID, method: BackupMethod, store: DataStore, dataDirectory: String,
        binary: String, artifact: Artifact, directory: String, step: String, at: Instant,
        timeout: TimeSpan = Self.timeout
    ) {
        self.installation = installation
        self.method = method
        self.store = store
        self.dataDirectory = dataDirectory
        self.binary = binary
        self.artifact = artifact
        self.directory = directory
        self.step = step
        self.at = at
        self.timeout = timeout
    }

    /// The last name of its directory.
    public var label: String { directory.split(separator: "/").last.map(String.init) ?? "" }

    /// The unit in which a program runs for it, the same for whoever comes to it again.
    public var unit: String { Self.unit(label: label) }

    /// The unit of a backup of that label.
    public static func unit(label: String) -> String { "holdfast-backup-\(label).service" }
}

/// A backup that is there.
public struct KeptBackup: Codable, Hashable, Sendable {
    /// Whose state it holds.
    public var installation: InstallationID
    /// Its directory, as the node has it.
    public var directory: String
    /// How it was made, for a person.
    public var method: String
    /// What ran then.
    public var artifact: Artifact
    /// The id of the step that it was made for.
    public var step: String
    /// When it was made.
    public var at: Instant
    /// Its files, in order of their names.
    public var files: [File]

    /// One file of a backup.
    public struct File: Codable, Hashable, Sendable {
        /// Below the backup's directory.
        public var name: String
        /// In bytes.
        public var size: Int64
        /// As it was when it was verified.
        public var sha256: Digest

        /// Makes an entry.
        public init(name: String, size: Int64, sha256: Digest) {
            self.name = name
            self.size = size
            self.sha256 = sha256
        }
    }

    /// Makes a record of a backup.
    public init(
        installation: InstallationID, directory: String, method: String, artifact: Artifact, step: String,
        at: Instant, files: [File]
    ) {
        self.installation = installation
        self.directory = directory
        self.method = method
        self.artifact = artifact
        self.step = step
        self.at = at
        self.files = files
    }
}
