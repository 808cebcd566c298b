import FoundationEssentials
public import Host
public import Model
public import Ports

/// snapd's settings as guards read and write them.
///
/// | kind | reads as | is set to |
/// |---|---|---|
/// | snapHold | the time of its end as snapd tells it | `forever`, or that time with the level after it |
/// | systemHold | the time of its end | that time |
/// | snapRetain | a number | a number |
/// | snapChannel | track and risk | track and risk |
///
/// To the nanosecond, the end of a hold names the hold itself: "forever" is some 292 years from when it was placed.
public struct SnapSettings: SettingPort {
    private let root: Root
    private let now: @Sendable () -> Instant

    /// Makes the settings of the snapd under a root.
    public init(root: Root, now: @escaping @Sendable () -> Instant) {
        self.root = root
        self.now = now
    }

    /// The kinds that are set here, each with this port.
    public var byKind: [Setting.Kind: any SettingPort] {
        [.snapHold: self, .snapRetain: self, .snapChannel: self, .systemHold: self]
    }

    /// What a setting is now; nil where it is not set.
    public func read(_ setting: Setting) throws(EffectFailure) -> String? {
        try asking(root) { client throws(SnapdError) in
            switch setting.kind {
            case .snapHold: try client.snap(setting.subject)?.hold
            case .snapRetain: try client.setting(Self.retain)
            case .snapChannel: try client.snap(setting.subject)?.followed
            case .systemHold: try client.information().refresh?.hold
            case .planLabel, .seal, .cordon: nil
            }
        }
    }

    /// A hold with its level, which snapd's own state tells and its socket does not.
    public func past(_ setting: Setting) throws(EffectFailure) -> String? {
        let reading = try read(setting)
        guard setting.kind == .snapHold, let reading else { return reading }
        // Where nobody can tell, the stronger one.
        return "\(reading) \((level(of: setting.subject) ?? .general).rawValue)"
    }

    /// Gives a setting a value; nil takes it away.
    public func write(_ setting: Setting, _ value: String?) throws(EffectFailure) {
        let ended = value.map(Hold.init).flatMap(\.until).map { $0 <= now() } ?? false
        try asking(root) { client throws(SnapdError) in
            switch setting.kind {
            case .snapHold:
                // A hold that is over can neither be placed nor missed.
                guard let hold = value.map(Hold.init), !ended else {
                    return try client.unhold(setting.subject)
                }
                try client.hold(
                    setting.subject, until: hold.isForever ? "forever" : hold.time,
                    level: hold.level ?? .general)
            case .snapRetain: try client.setSetting(Self.retain, to: value)
            case .snapChannel:
                // Nothing follows no channel once it has followed one.
                if let value { try client.follow(value, with: setting.subject) }
            case .systemHold: try client.setSetting("refresh.hold", to: ended ? nil : value)
            case .planLabel, .seal, .cordon: break
            }
        }
    }

    /// Whether what is read is what that value comes to.
    public func isSame(_ setting: Setting, reading: String?, as value: String?) -> Bool {
        switch setting.kind {
        case .snapHold:
            let found = current(reading)
            guard let wanted = current(value) else { return found == nil }
            guard let found, found.isSameTime(as: wanted) else { return false }
            // Nobody may be able to tell.
            return (level(of: setting.subject) ?? wanted.level ?? .general) == (wanted.level ?? .general)
        case .systemHold:
            let found = current(reading)
            guard let wanted = current(value) else { return found == nil }
            return found?.isSameTime(as: wanted) ?? false
        case .snapChannel:
            return reading.map(Self.full) == value.map(Self.full)
        case .snapRetain, .planLabel, .seal, .cordon: return reading == value
        }
    }

    /// A hold that is in force; one that is over is told by snapd as before.
    private func current(_ text: String?) -> Hold? {
        guard let text, case let hold = Hold(text) else { return nil }
        return hold.until.map { $0 > now() } ?? true ? hold : nil
    }

    private static let retain = "refresh.retain"

    private static func full(_ channel: String) -> String {
        channel.contains("/") ? channel : "\(channel)/stable"
    }

    /// How far the hold of a snap reaches, by snapd's state on disk; nil where that cannot be read.
    private func level(of snap: String) -> SnapdClient.HoldLevel? {
        struct File: Decodable { var data: Content }
        struct Content: Decodable {
            var holds: [String: [String: Held]]?

            enum CodingKeys: String, CodingKey { case holds = "snaps-hold" }
        }
        struct Held: Decodable {
            /// 1 is general; left out for auto-refresh.
            var level: Int?
        }
        guard let path = try? root.resolve("/var/lib/snapd/state.json"),
            let bytes = try? readFile(path, limit: 32 << 20),
            let file = try? JSONDecoder().decode(File.self, from: Data(bytes)),
            let held = file.data.holds?[snap]?["system"]
        else { return nil }
        return held.level == 1 ? .general : .autoRefresh
    }
}

/// The end of a hold, and its level where that is known.
private struct Hold {
    /// As it was told.
    var time: String
    /// Nil for `forever` and what is no time.
    var until: Instant?
    var level: SnapdClient.HoldLevel?

    init(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1)
        time = words.first.map(String.init) ?? ""
        level = words.count == 2 ? SnapdClient.HoldLevel(rawValue: String(words[1])) : nil
        until = Instant(snapd: time)
    }

    /// "forever" reads back as the year 2319; nobody means a time after 2200 in any other way.
    var isForever: Bool { time == "forever" || until.map { $0 > Instant(seconds: 7_258_118_400) } ?? false }

    /// A dated hold reads back some nanoseconds off, one of all snaps to the minute.
    func isSameTime(as other: Hold) -> Bool {
        if isForever || other.isForever { return isForever && other.isForever }
        guard let until, let end = other.until else { return time == other.time }
        return until < end + .minutes(1) && end < until + .minutes(1)
    }
}

/// Asks the snapd of a root, and says what came of it as effects do.
func asking<Answer>(
    _ root: Root, _ question: (SnapdClient) throws(SnapdError) -> Answer
) throws(EffectFailure) -> Answer {
    let socket: String
    do throws(HostError) { socket = try root.resolve("/run/snapd.socket") } catch {
        throw EffectFailure(error.description)
    }
    do throws(SnapdError) {
        return try question(SnapdClient(socket: socket, patience: 5000))
    } catch {
        throw EffectFailure(error.description)
    }
}
