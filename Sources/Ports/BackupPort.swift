public import Model

/// The node's backups, as far as a step asks for them; they are made and let go by effects.
public protocol BackupPort {
    /// Whole and verified backups of an installation, the oldest first.
    ///
    /// - Throws: `EffectFailure` where the directory that they are in cannot be read.
    func backups(of installation: InstallationID) throws(EffectFailure) -> [KeptBackup]

    /// Verifies a backup anew: every file by its digest, and the state by what it is.
    ///
    /// - Throws: `EffectFailure` with what is wrong with it, and what to do about it.
    func verify(_ backup: KeptBackup) throws(EffectFailure)

    /// Begins an owner's program in a unit of its own, or joins it where it was begun, and tells how it stands.
    ///
    /// What ended is told once: asked again, it is begun anew.
    func run(_ command: OwnersCommand) -> OwnersCommand.Standing
}

/// A program that the owner names, such as a gate.
public struct OwnersCommand: Hashable, Sendable {
    /// What it is about, of `a-z 0-9 -`, the same for whoever comes to it again: `gate-5f1c0a`.
    public var label: String
    /// The program and its arguments.
    public var arguments: [String]
    /// How long it may take.
    public var timeout: TimeSpan

    /// Makes a command.
    public init(label: String, arguments: [String], timeout: TimeSpan) {
        self.label = label
        self.arguments = arguments
        self.timeout = timeout
    }

    /// How it stands.
    public enum Standing: Hashable, Sendable {
        case running
        /// It ended with 0.
        case passed
        /// It did not; why, for a person.
        case failed(String)
        /// It could not be begun, or nobody can tell.
        case unknown(String)
    }
}
