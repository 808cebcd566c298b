public import Model

/// What a node reads and writes of its fleet, as values; the layout of keys is behind it.
///
/// Each call is one operation of the store, bounded in time. It is used by one thread.
public protocol FleetPort: AnyObject {
    /// Whether the store sees other machines at all; the embedded one sees this machine alone.
    var seesOthers: Bool { get }

    /// The rollout of a distribution; nil where there never was one.
    func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>?

    /// Writes a rollout: `.conflict` where it is no longer what was read.
    ///
    /// - Parameter read: what it takes the place of; nil where there was none.
    func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument>

    /// Keeps an ended rollout; where it is kept already nothing is done.
    func archive(_ document: RolloutDocument) throws(FleetFailure)

    /// Every node's record, in order of their ids; what cannot be read is left out and told of.
    func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem])

    /// One node's record; nil where it has written none.
    func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>?

    /// Writes this node's record: `.conflict` where it is no longer what was read.
    func put(_ record: NodeRecord, over read: Stored<NodeRecord>?) throws(FleetFailure) -> Stored<NodeRecord>

    /// The newest checkpoint that a node made known; nil where there is none.
    func checkpoint(of node: String) throws(FleetFailure) -> Stored<FleetCheckpoint>?

    /// Makes this node's newest checkpoint known: `.conflict` where the key is no longer what was read.
    func put(_ checkpoint: FleetCheckpoint, over read: Stored<FleetCheckpoint>?) throws(FleetFailure)

    /// Takes a record away, of a node that is gone for good.
    func remove(_ record: Stored<NodeRecord>) throws(FleetFailure)

    /// What failed somewhere: what is in force, and what a person has cleared.
    func quarantine() throws(FleetFailure) -> [FleetQuarantine]

    /// Makes a quarantine known; where one of those bytes is in force already nothing is done.
    ///
    /// - Parameter isNew: whether it failed just now, and so again where a person has cleared it; else a clear stands.
    func quarantine(_ entry: FleetQuarantine, isNew: Bool) throws(FleetFailure)

    /// Notes that a person has cleared a quarantine, whether or not the store knew of it; false where none was in force.
    func clear(_ entry: FleetQuarantine, _ word: FleetQuarantine.Clearing) throws(FleetFailure) -> Bool

    /// Approvals that people have shared, spent ones with by which nodes.
    func approvals() throws(FleetFailure) -> [Approval]

    /// Makes an approval known to the fleet; where it is known already nothing is done.
    func share(_ approval: Approval) throws(FleetFailure)

    /// Notes that a node has used an approval up (invariant 6); where that is noted already nothing is done.
    func spend(_ approval: String, on node: String) throws(FleetFailure)
}

/// A value of the store, and what a later write of it is measured by.
public struct Stored<Value: Hashable & Sendable>: Hashable, Sendable {
    /// As it was read or written.
    public var value: Value
    /// The state of its key.
    public var revision: FleetRevision
    /// The text that it was read from: what it holds beside `value` is kept when it is written anew.
    public var text: String

    /// Makes a stored value.
    public init(value: Value, revision: FleetRevision, text: String) {
        self.value = value
        self.revision = revision
        self.text = text
    }
}
