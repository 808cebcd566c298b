public import Model

/// What the start gate has left for the next tick.
///
/// It is used by one thread; what is taken away is taken away under the effect lock.
public protocol SpoolPort {
    /// What lies there, in order of names; it never throws, what cannot be looked at is a problem.
    ///
    /// - Parameters:
    ///   - most: no more files than this are read; the others wait.
    ///   - largest: a file with more bytes is not read.
    func spool(most: Int, largest: Int) -> SpoolFinding

    /// Takes away what the ledger holds; where it is gone already, nothing is done.
    func remove(spooled name: String) throws(EffectFailure)

    /// Keeps what is no record where no tick reads it again, under the same name.
    func setAside(spooled name: String) throws(EffectFailure)
}

/// What was found in the spool.
public struct SpoolFinding: Hashable, Sendable {
    /// In order of names.
    public var files: [SpooledFile] = []
    /// Where files that are no records are kept.
    public var aside = ""
    /// How many of those there are; asked only where something lies in the spool.
    public var keptAside = 0
    /// Why the spool could not be looked at; nil where it could.
    public var problem: Problem?

    /// Nothing lies there.
    public init() {}
}

/// One file that the gate, or somebody else, left there.
public struct SpooledFile: Hashable, Sendable {
    /// Its name; one that begins with a dot was not finished.
    public var name: String
    /// When it was last changed, in nanoseconds since the epoch.
    public var changed: Int64
    /// What it holds.
    public var content: GuardPresence.FileContent

    /// Makes a finding.
    public init(name: String, changed: Int64, content: GuardPresence.FileContent) {
        self.name = name
        self.changed = changed
        self.content = content
    }
}
