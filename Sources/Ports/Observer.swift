public import Model

/// The node, as far as a tick looks at it.
public protocol Observer {
    /// Looks at every installation once.
    ///
    /// It never throws: what cannot be seen is a problem in the observation, and the rest goes on.
    ///
    /// - Parameter memory: what earlier looks learnt and what need not be asked again; it is kept for the next one.
    func observe(reading: ClockReading, memory: inout ObserverMemory) -> Observation

    /// Whether an artifact on disk is no longer the file that was observed; a few `stat` calls, nothing is read.
    func hasMoved(since observation: Observation) -> Bool
}

/// What a look may take over from earlier ones.
///
/// It is a cache: to lose it costs time, never truth.
public struct ObserverMemory: Codable, Hashable, Sendable {
    /// The identity cache, by path.
    public var files: [String: KnownFile] = [:]
    /// What the API answered, by installation: asked anew when identity or InvocationID moved.
    public var apiAnswers: [String: APIAnswer] = [:]
    /// What snapd would install, by installation: asked anew at an interval.
    public var offers: [String: RememberedOffers] = [:]
    /// What snapd said of a snap, by installation: another answer is worth more questions.
    public var snaps: [String: KnownSnap] = [:]
    /// The newest snapd change that was seen, by installation.
    public var snapChanges: [String: String] = [:]
    /// What last brought another artifact, by installation.
    public var causes: [String: Trigger] = [:]
    /// What the main process was started from, by installation.
    public var starts: [String: KnownStart] = [:]
    /// snapd's own state on disk as it was; while it stands, snapd has begun nothing new.
    public var snapdState: FileIdentity?
    /// What of a snap ran while snapd was at nothing, by installation.
    public var ranServices: [String: RanServices]?
    /// What settings were when they were last asked about.
    public var settings: [KnownSetting]?
    /// Which unit files there are, while their directories stand.
    public var units: KnownUnits?
    /// What the cluster told, and when it is asked again.
    public var cluster: KnownCluster?
    /// What sources of releases told, and when they are asked again, by distribution.
    public var source: [String: KnownSource]?
    /// What API servers say of deprecated APIs, and since when they are watched; nil where no gate asks.
    public var deprecatedAPIs: DeprecatedAPIWatch?
    /// What the fleet's store told, and when it is asked again.
    public var fleet: KnownFleet?
    /// What was fetched for this node.
    public var downloads: KnownDownloads?
    /// What an artifact has earned of its soak, by the step's id.
    public var soaks: [String: Soak]?
    /// This node's newest checkpoint; nil where it never signed one.
    public var checkpoint: KnownCheckpoint?
    /// When old bodies of the ledger were last looked for.
    public var retainedAt: Instant?
    /// Why bodies were not dropped then; nil where they were.
    public var retentionTrouble: String?
    /// The policy's hash; not the observer's, but as much a cache as the rest.
    public var policy: KnownPolicy?

    /// An empty memory.
    public init() {}

    /// An API server's answer and when it stops being good.
    public struct APIAnswer: Codable, Hashable, Sendable {
        /// What the API said; nil where it answered and said no version.
        public var version: Version?
        /// The start of the unit that it is about.
        public var invocationID: String?
        /// The file on disk when it was asked.
        public var identity: FileIdentity?

        /// Makes an answer.
        public init(version: Version?, invocationID: String?, identity: FileIdentity?) {
            self.version = version
            self.invocationID = invocationID
            self.identity = identity
        }
    }

    /// The digest of the file that a process was started from, known since a look at which it stood untouched.
    public struct KnownStart: Codable, Hashable, Sendable {
        /// The unit's InvocationID that it is about.
        public var invocationID: String
        /// The binary's digest at that time.
        public var sha256: Digest

        /// Makes the record of a start.
        public init(invocationID: String, sha256: Digest) {
            self.invocationID = invocationID
            self.sha256 = sha256
        }
    }

    /// What tells whether snapd has put another revision in place, or follows another channel.
    public struct KnownSnap: Codable, Hashable, Sendable {
        /// A number, or `x1` and so on where it was sideloaded.
        public var revision: String
        /// The channel that it follows.
        public var channel: String?

        /// Makes what is known of a snap.
        public init(revision: String, channel: String?) {
            self.revision = revision
            self.channel = channel
        }
    }

    /// The services of a snap that ran.
    public struct RanServices: Codable, Hashable, Sendable {
        /// With their suffix, in order.
        public var units: [String]
        /// When that was, or when snapd was last seen to have done something that left them running.
        public var at: Instant

        /// Makes a record of what ran.
        public init(units: [String], at: Instant) {
            self.units = units
            self.at = at
        }
    }

    /// A setting that is not asked about at each look.
    public struct KnownSetting: Codable, Hashable, Sendable {
        /// Which one.
        public var setting: Setting
        /// Nil where it was not set.
        public var value: String?
        /// When it was asked about.
        public var askedAt: Instant

        /// Makes a record of an answer.
        public init(setting: Setting, value: String?, askedAt: Instant) {
            self.setting = setting
            self.value = value
            self.askedAt = askedAt
        }
    }

    /// Offers and when they were asked for.
    public struct RememberedOffers: Codable, Hashable, Sendable {
        /// What would be installed; empty where nothing was on offer.
        public var offers: [Offer]
        /// When the store was asked.
        public var askedAt: Instant
        /// Why the last question had no answer; the offers are then those of an earlier one.
        public var failure: Problem?

        /// Makes remembered offers.
        public init(offers: [Offer], askedAt: Instant, failure: Problem? = nil) {
            self.offers = offers
            self.askedAt = askedAt
            self.failure = failure
        }
    }
}
