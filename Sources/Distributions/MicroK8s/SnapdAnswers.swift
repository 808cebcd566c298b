import Model

/// A snap that is installed, as far as it matters here (`GET /v2/snaps/NAME`).
struct InstalledSnap: Hashable, Decodable {
    /// One of its programs; `enabled` and `active` are left out by snapd where they are false.
    struct App: Hashable, Decodable {
        var name: String
        /// How it is run; nil for a command of people.
        var daemon: String?
        var enabled: Bool?
        var active: Bool?
    }

    /// A refresh that waits for running commands to end.
    struct Inhibit: Hashable, Decodable {
        var proceedTime: String?

        enum CodingKeys: String, CodingKey { case proceedTime = "proceed-time" }
    }

    var name: String
    var version: String
    var revision: String
    /// `active`, or `installed` where it is disabled.
    var status: String?
    var trackingChannel: String?
    var channel: String?
    var apps: [App]?
    /// Since 2.58.1; one that is over is still told.
    var hold: String?
    /// Since 2.62.
    var refreshInhibit: Inhibit?

    enum CodingKeys: String, CodingKey {
        case name, version, revision, status, channel, apps, hold
        case trackingChannel = "tracking-channel"
        case refreshInhibit = "refresh-inhibit"
    }

    /// The services among its apps.
    var services: [App] { (apps ?? []).filter { $0.daemon != nil } }

    /// The channel that the next refresh will follow; nil for a sideloaded snap that follows none.
    var followed: String? {
        [trackingChannel, channel].compactMap { $0 }.first { !$0.isEmpty }
    }
}

/// A snap that a refresh would bring (`GET /v2/find?select=refresh`).
struct PendingRefresh: Hashable, Decodable {
    var name: String
    var version: String
    var revision: String
    var channel: String?
}

/// Something that snapd has done or is doing (`GET /v2/changes`).
struct SnapdChange: Hashable, Decodable {
    struct Task: Hashable, Decodable {
        var kind: String
        var summary: String
        var status: String
    }

    struct Affected: Hashable, Decodable {
        var names: [String]?

        enum CodingKeys: String, CodingKey { case names = "snap-names" }
    }

    var id: String
    var kind: String
    var status: String?
    var tasks: [Task]?
    var data: Affected?
    var spawnTime: String?

    enum CodingKeys: String, CodingKey {
        case id, kind, status, tasks, data
        case spawnTime = "spawn-time"
    }
}

/// What snapd says of itself (`GET /v2/system-info`).
struct SnapdInformation: Hashable, Decodable {
    struct Refresh: Hashable, Decodable {
        /// A hold over all snaps, which stops auto-refresh alone.
        var hold: String?
        /// To the minute.
        var last: String?
        var next: String?
    }

    var version: String?
    var refresh: Refresh?
}

/// snapd's own version: `2.57.6`, `2.68.3-3+deb13u1`, `2.63+22.04ubuntu0.1`.
struct SnapdVersion: Hashable, Comparable, CustomStringConvertible {
    var major: Int
    var minor: Int
    var description: String

    /// Reads the first two numbers; nil where there are none.
    init?(_ text: String) {
        let parts = text.prefix { ("0"..."9").contains($0) || $0 == "." }.split(separator: ".")
        guard parts.count >= 2, parts[0].utf8.count <= 6, parts[1].utf8.count <= 6, let major = Int(parts[0]),
            let minor = Int(parts[1])
        else { return nil }
        self.major = major
        self.minor = minor
        description = text.cut(to: 64).printable
    }

    static func < (left: SnapdVersion, right: SnapdVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    static func == (left: SnapdVersion, right: SnapdVersion) -> Bool {
        (left.major, left.minor) == (right.major, right.minor)
    }

    /// Whether one snap can be held, and its hold read back.
    var knowsHolds: Bool { (major, minor) >= (2, 58) }
    /// Whether a refresh that waits for running commands is told; a hold is proven only where none was.
    var knowsInhibition: Bool { (major, minor) >= (2, 62) }
}
