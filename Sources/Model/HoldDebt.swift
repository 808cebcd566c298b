/// What it costs an installation to stay where it is (design, "Words": hold debt).
///
/// What is not known is nil, and never 0.
public struct HoldDebt: Hashable, Sendable {
    /// What keeps it where it is.
    public enum Cause: Hashable, Sendable {
        /// A change that was not let through.
        case change(id: String, to: Version?, verdict: Verdict)
        /// A pin of the policy, in its words, and where it stands.
        case pin(String, source: String)
        /// A hold at snapd; nil where it has no end.
        case snapHold(until: Instant?)
    }

    /// How many steps are behind, and whether there can be more.
    public struct Lag: Hashable, Sendable {
        /// At least so many.
        public var count: Int
        /// The release that they are counted to.
        public var newest: Version

        /// Makes a count.
        public init(count: Int, newest: Version) {
            self.count = count
            self.newest = newest
        }
    }

    /// The way out, or why none is known.
    public enum Way: Hashable, Sendable {
        /// Each version on the way, the last one first to be out of debt; empty where it is there already.
        case ladder([Version])
        /// Why no way is known, for a person.
        case unknown(String)
    }

    /// Which installation.
    public var installation: InstallationID
    /// The version that it counts from; nil where that is not known.
    public var version: Version?
    /// What keeps it there; empty where nothing does.
    public var causes: [Cause]
    /// When its minor's support ends; nil where that is not known.
    public var supportEnd: SupportEnd?
    /// Days until then, negative from then on; nil where the day is not known.
    public var daysLeft: Int?
    /// Patches behind, within the minor.
    public var patches: Lag?
    /// Minors behind.
    public var minors: Lag?
    /// The shortest ladder to the newest release that the policy's ranges permit.
    public var way: Way
    /// The table that it was read from.
    public var table: String
    /// The day of that table.
    public var tableDay: CivilDate

    /// Makes a debt.
    public init(
        installation: InstallationID, version: Version?, causes: [Cause], supportEnd: SupportEnd?,
        daysLeft: Int?, patches: Lag?, minors: Lag?, way: Way, table: String, tableDay: CivilDate
    ) {
        self.installation = installation
        self.version = version
        self.causes = causes
        self.supportEnd = supportEnd
        self.daysLeft = daysLeft
        self.patches = patches
        self.minors = minors
        self.way = way
        self.table = table
        self.tableDay = tableDay
    }

    /// Whether nothing is mended any longer; nil where that is not known.
    public var isPastSupport: Bool? {
        guard let supportEnd else { return nil }
        if let daysLeft { return daysLeft < 0 }
        return supportEnd == .over
    }
}
