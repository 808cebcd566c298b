/// The one place that every node of a fleet sees: compare-and-swap on single keys, linearizable reads (`rollout.md`,
/// "The store").
///
/// Every call is bounded in time. It is used by one thread.
public protocol FleetStore: AnyObject {
    /// Whether it sees other machines at all.
    var seesOthers: Bool { get }

    /// What a key holds; nil where there is none.
    func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue?

    /// All keys of a kind and what they hold, in order of their names.
    func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry]

    /// Makes a key; `.conflict` where there is one, whatever it holds.
    func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision

    /// Gives a key another value; `.conflict` where it is no longer at that revision, or gone.
    func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision

    /// Takes a key away; `.conflict` where it is no longer at that revision, or gone.
    func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure)
}

/// Names a value of the fleet: `node/5f…`.
public struct FleetKey: Hashable, Sendable, CustomStringConvertible {
    /// What it is about; each kind has its own writers.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// By distribution; whoever makes a transition writes it.
        case rollout
        /// By a node's id; that node alone writes it.
        case node
        /// By a node's id; that node alone writes it.
        case checkpoint
        /// By bytes; create only, removed by a person.
        case quarantine
        /// By id and who gave it; create only.
        case approval
        /// By approval and node; create only.
        case spent
        /// By a rollout's id; create only.
        case archive
    }

    /// Its kind.
    public var kind: Kind
    /// Which of its kind: not empty, at most 200 bytes of `A-Z a-z 0-9 . _ : + - /`.
    public var name: String

    /// Names a key.
    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public var description: String { "\(kind.rawValue)/\(name)" }
}

/// The state of a key: only equality means anything.
public struct FleetRevision: Hashable, Sendable {
    /// As its store writes it.
    public var text: String

    /// Makes a revision.
    public init(_ text: String) { self.text = text }
}

/// What a key holds.
public struct FleetValue: Hashable, Sendable {
    /// JSON, in UTF-8.
    public var text: String
    /// Which state of the key that is.
    public var revision: FleetRevision

    /// Makes a value.
    public init(text: String, revision: FleetRevision) {
        self.text = text
        self.revision = revision
    }
}

/// One key of a list.
public struct FleetEntry: Hashable, Sendable {
    /// The key.
    public var key: FleetKey
    /// What it holds.
    public var value: FleetValue

    /// Makes an entry.
    public init(key: FleetKey, value: FleetValue) {
        self.key = key
        self.value = value
    }
}

/// Why the store did not do what was asked: what happened, where, and what to do about it.
public struct FleetFailure: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable {
        /// Somebody else was first; nothing was changed.
        case conflict
        /// No whole answer in time: nobody can tell whether it was done.
        case unanswered
        /// The store answered that it can do nothing now; nothing was changed.
        case unavailable
        /// The store does not let us, which time alone does not mend.
        case forbidden
        /// What it holds, or was to hold, is not what it should be.
        case malformed
    }

    /// The kind of failure.
    public var code: Code
    /// Lower case, no full stop; without a credential (invariant 13).
    public var description: String

    /// Makes a failure.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
