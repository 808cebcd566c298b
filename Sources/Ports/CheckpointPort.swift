public import Model

/// Where the key of a node's checkpoints is, and the file that it keeps them in.
public protocol CheckpointPort: AnyObject {
    /// The public half of the key, as a verifier key of C2SP's signed notes; one is made where there is none.
    func key() throws(CheckpointFailure) -> String

    /// Signs a checkpoint, keeps it in the node's file, and gives the signed note back.
    func sign(_ checkpoint: Checkpoint) throws(CheckpointFailure) -> String
}

/// Why a checkpoint could not be signed or kept: what happened, where, and what to do about it.
public struct CheckpointFailure: Error, Hashable, CustomStringConvertible {
    /// Lower case, no full stop; nothing of the key (invariant 13).
    public var description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}
