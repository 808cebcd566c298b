/// What snapd says of itself and is at, as far as a hold and a veto rest on it.
public struct SnapdFacts: Codable, Hashable, Sendable {
    /// As it tells it: `2.68.3-3+deb13u1`.
    public var version: String?
    /// Whether it can hold one snap alone (2.58); else it can only hold all of them.
    public var holdsSnaps: Bool
    /// Whether it tells of a refresh that waits for running commands (2.62).
    public var tellsInhibition: Bool
    /// When it last looked for refreshes by itself; snapd tells the minute, rounded down.
    public var lastRefresh: Instant?
    /// When it will look again.
    public var nextRefresh: Instant?
    /// The refreshes of guarded snaps that it is at.
    public var refreshes: [SnapRefresh]
    /// Services that ran before a refresh and that it has left stopped, with their suffix.
    public var leftStopped: [String]

    /// Makes the facts.
    public init(
        version: String? = nil, holdsSnaps: Bool = true, tellsInhibition: Bool = true,
        lastRefresh: Instant? = nil, nextRefresh: Instant? = nil, refreshes: [SnapRefresh] = [],
        leftStopped: [String] = []
    ) {
        self.version = version
        self.holdsSnaps = holdsSnaps
        self.tellsInhibition = tellsInhibition
        self.lastRefresh = lastRefresh
        self.nextRefresh = nextRefresh
        self.refreshes = refreshes
        self.leftStopped = leftStopped
    }
}

/// A refresh that snapd is at.
public struct SnapRefresh: Codable, Hashable, Sendable {
    /// snapd's change.
    public var change: String
    /// `auto-refresh` or `refresh-snap`.
    public var kind: String
    /// What is refreshed.
    public var snap: String
    /// To which revision; nil where snapd does not tell.
    public var revision: String?
    /// Whether it can be aborted at no cost: nothing was stopped yet, and no other snap is in it.
    public var isFree: Bool

    /// Makes a refresh.
    public init(change: String, kind: String, snap: String, revision: String?, isFree: Bool) {
        self.change = change
        self.kind = kind
        self.snap = snap
        self.revision = revision
        self.isFree = isFree
    }
}

/// A refresh that snapd is to give up.
public struct AbortedRefresh: Codable, Hashable, Sendable {
    /// snapd's change.
    public var change: String
    /// What is refreshed.
    public var snap: String
    /// To which revision.
    public var revision: String

    /// Makes the abort of a refresh.
    public init(change: String, snap: String, revision: String) {
        self.change = change
        self.snap = snap
        self.revision = revision
    }
}

/// When our hold of a snap was placed, and under what circumstances.
public struct HoldPlacement: Codable, Hashable, Sendable {
    /// By this node's clock.
    public var at: Instant
    /// Whether a refresh waited for running commands then: such a one is not stopped by a later hold.
    public var wasInhibited: Bool

    /// Makes a record of a placement.
    public init(at: Instant, wasInhibited: Bool) {
        self.at = at
        self.wasInhibited = wasInhibited
    }
}

/// How far snapd is kept from refreshing a snap by itself.
public enum HoldState: Hashable, Sendable {
    /// It is; the text says by what.
    case held(String)
    /// A hold is there, and a refresh may come all the same: why, and what will prove that none does.
    case notProven(String, proof: String)
    /// It is not; the text says why.
    case notHeld(String)
}
