public import Model

/// What is known of this node's newest checkpoint, and when another is due.
public struct KnownCheckpoint: Codable, Hashable, Sendable {
    /// When one was last signed, or tried to be.
    public var triedAt: Instant
    /// The newest that was signed; nil where none was.
    public var signed: Checkpoint?
    /// Its note, while the fleet's store does not have it yet.
    public var untold: String?
    /// Why the last one could not be signed or kept; nil where it was.
    public var trouble: String?

    /// Makes what is known.
    public init(triedAt: Instant) { self.triedAt = triedAt }
}
