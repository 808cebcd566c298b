/// What the start gate did at one start, as it told the tick that came after it.
public struct GateAct: Codable, Hashable, Sendable {
    /// What came of a start.
    public enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        /// The approved artifact took the place of what was there, and started.
        case putBack = "put-back"
        /// What was there started, though it is not approved or nobody could tell.
        case letThrough = "let-through"
        /// The unit was not started.
        case refused
        /// What started could not be recorded, so *last ran* proves nothing.
        case unrecorded
        /// The gate had more to tell than it may leave.
        case overflow
        /// What the gate left could not be read.
        case unreadable
    }

    /// What came of it.
    public var kind: Kind
    /// The gate's own token for why; it never changes its meaning.
    public var reason: String
    /// The unit that was about to start; empty where that is not known.
    public var unit: String
    /// Nil where nobody could say.
    public var installation: InstallationID?
    /// By the clock that the gate had, which need not have been synchronised.
    public var at: Instant
    /// systemd's name of the start.
    public var invocationID: String?
    /// For a person: what, where, and what to do about it.
    public var text: String
    /// What was put in place; nil where nothing was.
    public var restored: Artifact?
    /// Where what was turned away is kept; nil where nothing was.
    public var pending: String?
    /// Tells the record that it was read from apart from every other, so that it is recorded once.
    public var record: String

    /// Makes an act.
    public init(
        kind: Kind, reason: String, unit: String, installation: InstallationID?, at: Instant,
        invocationID: String?, text: String, restored: Artifact? = nil, pending: String? = nil,
        record: String
    ) {
        self.kind = kind
        self.reason = reason
        self.unit = unit
        self.installation = installation
        self.at = at
        self.invocationID = invocationID
        self.text = text
        self.restored = restored
        self.pending = pending
        self.record = record
    }
}

extension NodeState {
    /// As many records as can lie in the spool, twice: one that is still there is among them.
    static let mostSpooled = 130

    mutating func take(_ act: GateAct) {
        spooled.append(act.record)
        if spooled.count > Self.mostSpooled { spooled.removeFirst(spooled.count - Self.mostSpooled) }
        if let id = act.installation { installations[id.description]?.take(act) }
    }
}

extension InstallationState {
    /// As many as artifacts are kept aside, so that each can be told from where it came.
    private static let mostPutBack = 3

    fileprivate mutating func take(_ act: GateAct) {
        acts.append(act)
        let most = act.kind == .putBack ? Self.mostPutBack : 1
        let same = acts.indices.filter { acts[$0].kind == act.kind }
        for index in same.dropLast(most).reversed() { acts.remove(at: index) }
    }
}
