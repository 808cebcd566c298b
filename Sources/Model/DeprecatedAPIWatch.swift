/// An API that clients have asked for and that a release takes away.
public struct DeprecatedAPI: Codable, Hashable, Sendable, Comparable {
    /// Empty for the core group.
    public var group: String
    /// `v1beta1`.
    public var version: String
    /// `ingresses`.
    public var resource: String
    /// Empty where it is none.
    public var subresource: String
    /// The minor that no longer has it: `1.32`; empty where none is planned.
    public var removedIn: String

    /// Makes an entry.
    public init(
        group: String, version: String, resource: String, subresource: String = "", removedIn: String
    ) {
        self.group = group
        self.version = version
        self.resource = resource
        self.subresource = subresource
        self.removedIn = removedIn
    }

    /// `ingresses.extensions/v1beta1 (gone in 1.22)`.
    public var summary: String {
        let name = group.isEmpty ? resource : "\(resource).\(group)"
        return "\(name)\(subresource.isEmpty ? "" : "/\(subresource)") \(version)"
            + (removedIn.isEmpty ? "" : " (gone in \(removedIn))")
    }

    public static func < (left: DeprecatedAPI, right: DeprecatedAPI) -> Bool {
        (left.group, left.resource, left.subresource, left.version)
            < (right.group, right.resource, right.subresource, right.version)
    }

    /// Whether a minor no longer has it; nil where what it says is no minor.
    func isGone(in target: Version) -> Bool? {
        if removedIn.isEmpty { return false }
        let parts = removedIn.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
        return (major, minor) <= (target.major, target.minor)
    }
}

/// What one API server told of itself.
public struct APIServerSample: Hashable, Sendable {
    /// Where it listens: `10.0.0.1:6443`.
    public var address: String
    /// What it said; nil where it could not be asked, or said something else.
    public var said: Said?
    /// Why it said nothing; nil where it did.
    public var silence: String?

    /// What it said.
    public struct Said: Hashable, Sendable {
        /// When its process began, by its own clock.
        public var start: Instant
        /// What clients have asked it for since then.
        public var used: [DeprecatedAPI]

        /// Makes an answer.
        public init(start: Instant, used: [DeprecatedAPI]) {
            self.start = start
            self.used = used
        }
    }

    /// Makes a sample.
    public init(address: String, said: Said?, silence: String? = nil) {
        self.address = address
        self.said = said
        self.silence = silence
    }
}

/// Which deprecated APIs were asked for, and how long every API server has been watched for that.
///
/// `apiserver_requested_deprecated_apis` is a gauge that is set when a client asks and stays until the process ends: two
/// samples of one process tell of the whole time in between, however far they are apart. A server that was started
/// anew forgets, so that what it was watched for is lost; one that says nothing now counts for nothing now.
public struct DeprecatedAPIWatch: Codable, Hashable, Sendable {
    /// By where they listen.
    public var servers: [String: Server] = [:]
    /// When they were asked last.
    public var askedAt: Instant

    /// What is known of one API server.
    public struct Server: Codable, Hashable, Sendable {
        /// When its process began, by its own clock.
        public var start: Instant
        /// Our first sample of that process.
        public var since: Instant
        /// Our last one.
        public var last: Instant
        /// What clients have asked it for.
        public var used: [DeprecatedAPI]
        /// Why it could not be asked the last time; nil where it could.
        public var silence: String?
    }

    /// A sample that is older is none of now.
    public static let longestSilence = TimeSpan.minutes(30)
    /// More than any cluster has.
    private static let mostServers = 64

    /// Begins to watch.
    public init(askedAt: Instant) { self.askedAt = askedAt }

    /// Takes in one round over every API server that the cluster has now; of others nothing is known any longer.
    public mutating func take(_ round: [APIServerSample], at now: Instant) {
        var next: [String: Server] = [:]
        for sample in round.prefix(Self.mostServers) {
            let known = servers[sample.address]
            if let said = sample.said {
                // A clock that was set back makes what was watched before it worth nothing.
                let isSame = known.map { $0.start == said.start && $0.last <= now } ?? false
                let since = isSame ? known?.since ?? now : now
                next[sample.address] = Server(
                    start: said.start, since: since, last: now, used: said.used.sorted())
            } else if var known {
                known.silence = sample.silence ?? "it does not answer"
                next[sample.address] = known
            } else {
                next[sample.address] = Server(
                    start: now, since: now, last: Instant(seconds: .min), used: [],
                    silence: sample.silence ?? "it does not answer")
            }
        }
        servers = next
        askedAt = now
    }

    /// How long every API server has been watched up to now; zero where one of them counts for nothing.
    public func coverage(at now: Instant) -> TimeSpan {
        guard !servers.isEmpty, !servers.values.contains(where: { isStale($0, at: now) }) else {
            return .zero
        }
        return servers.values.map { $0.last - $0.since }.min() ?? .zero
    }

    private func isStale(_ server: Server, at now: Instant) -> Bool {
        server.silence != nil || server.last > now || now - server.last > Self.longestSilence
    }

    /// Whether a minor can be gone to, as far as APIs go.
    ///
    /// What was seen counts however short it was watched; that nothing was seen counts after the asked coverage alone.
    public func verdict(goingTo target: Version, coverage needed: TimeSpan, at now: Instant)
        -> DeprecatedAPIVerdict
    {
        var uses: [DeprecatedAPIVerdict.Use] = []
        var unreadable: String?
        for (address, server) in servers.sorted(by: { $0.key < $1.key }) {
            for api in server.used {
                switch api.isGone(in: target) {
                case true: uses.append(DeprecatedAPIVerdict.Use(api: api, server: address))
                case nil:
                    unreadable =
                        unreadable ?? "\(address) says that \(api.resource) goes with '\(api.removedIn)'"
                case false: break
                }
            }
        }
        if !uses.isEmpty { return .used(uses) }
        let covered = coverage(at: now)
        func unknown(_ reason: String) -> DeprecatedAPIVerdict {
            .unknown(reason: reason, covered: covered, needed: needed)
        }
        if let unreadable { return unknown("\(unreadable), which is no minor") }
        guard !servers.isEmpty else { return unknown("no API server was asked yet") }
        if let (address, server) = servers.sorted(by: { $0.key < $1.key }).first(where: {
            isStale($0.value, at: now)
        }) {
            return unknown(
                "the API server at \(address) cannot be asked: \(server.silence ?? "its last answer is too old")"
            )
        }
        guard covered >= needed else {
            return unknown("not every API server has been watched for that long")
        }
        return .clear(covered: covered)
    }
}

/// Whether clients still ask for what a minor no longer has.
public enum DeprecatedAPIVerdict: Hashable, Sendable {
    /// Nobody has, for that long.
    case clear(covered: TimeSpan)
    case used([Use])
    case unknown(reason: String, covered: TimeSpan, needed: TimeSpan)

    /// One API that was asked for.
    public struct Use: Hashable, Sendable {
        /// What was asked for.
        public var api: DeprecatedAPI
        /// Of which server.
        public var server: String

        /// Makes a use.
        public init(api: DeprecatedAPI, server: String) {
            self.api = api
            self.server = server
        }
    }

    /// For a person.
    public var text: String {
        switch self {
        case .clear(let covered):
            return "no client has asked for an API that goes, watched for \(covered.policyText)"
        case .used(let uses):
            let all = uses.prefix(5).map { "\($0.api.summary) of \($0.server)" }.joined(separator: ", ")
            let more = uses.count > 5 ? " and \(uses.count - 5) more" : ""
            return "clients ask for APIs that go: \(all)\(more)"
        case .unknown(let reason, let covered, let needed):
            return
                "\(reason); watched for \(covered.policyText) of the \(needed.policyText) that are asked for"
        }
    }
}
