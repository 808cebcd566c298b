public import Model

/// The highest version that has, or may have, started on a data directory.
///
/// The gate fsyncs it before it lets a version start there for the first time. Going back over data rests on it
/// (invariant 12), so it proves something only where every start since has been recorded. The tick writes one too,
/// under the artifact lock: at `adopt` of a unit that runs, and when it has found out what an unrecorded start was.
public struct LastRan: Hashable, Sendable {
    /// The data directory; a record is good for no other.
    public var dataDirectory: String
    /// The highest version whose start was recorded or seen; nil where no version was ever known.
    public var highest: Version?
    /// Why it proves nothing: something has, or may have, started without a record; nil where it does prove.
    public var unproven: String?
    /// The start that last changed this record, or since which it proves nothing, as systemd names it; nil where systemd
    /// gave no name.
    public var invocationID: String?
    /// When that was.
    public var at: Instant

    /// Why it proves nothing where the gate did not recognise what started; the tick, which reads bytes, may tell later.
    public static let unread = "an artifact that nobody has read yet has started"

    /// No record is longer, in bytes.
    public static let largest = 16_384
    private static let title = "holdfast-last-ran 1"

    /// Makes a record.
    public init(
        dataDirectory: String, highest: Version?, unproven: String? = nil, invocationID: String?, at: Instant
    ) {
        self.dataDirectory = dataDirectory
        self.highest = highest
        self.unproven = unproven
        self.invocationID = invocationID
        self.at = at
    }

    /// The record as it is written.
    public var text: String {
        var lines = SealedLines(title: Self.title)
        lines.add("data", dataDirectory)
        lines.add("highest", highest?.description)
        lines.add("unproven", unproven)
        lines.add("start", invocationID, String(at.seconds))
        return lines.text
    }

    /// Reads a record.
    ///
    /// - Throws: `GuardFileError` for anything but what `text` makes.
    public static func parse(_ bytes: [UInt8]) throws(GuardFileError) -> LastRan {
        let lines = try SealedLines.read(bytes, title: title, largest: largest)
        guard lines.map(\.key) == ["data", "highest", "unproven", "start"] else {
            throw GuardFileError("it does not have the four lines of a record")
        }
        for (line, count) in zip(lines, [1, 1, 1, 2]) { try line.expect(count) }
        var highest: Version?
        if let text = try lines[1].optional(0) {
            guard let version = Version(text) else { throw lines[1].wrong("a version is not one") }
            highest = version
        }
        return LastRan(
            dataDirectory: try lines[0].text(0), highest: highest, unproven: try lines[2].optional(0),
            invocationID: try lines[3].optional(0), at: Instant(seconds: try lines[3].number(1)))
    }
}

/// What there is of that record.
public enum LastRanFinding: Hashable, Sendable {
    /// Nothing has been recorded for this data directory.
    case missing
    /// It is there and cannot be relied on: corrupt, unreadable, of another data directory.
    case unusable(String)
    case record(LastRan)

    /// Why this version may not be started: nil where it is proven that no newer minor has started on the data.
    ///
    /// Builds and patches of one minor may go either way (`rollout.md`, "Rollback"); going up is not going back.
    public func objection(toStarting version: Version?) -> String? {
        guard let version else { return "the version that would be put back is not known" }
        switch self {
        case .missing: return "no start on this data directory has been recorded yet"
        case .unusable(let reason): return "the record of what last ran is not usable: \(reason)"
        case .record(let record):
            if let reason = record.unproven { return reason }
            guard let highest = record.highest else { return "no version that started is known" }
            return (highest.major, highest.minor) <= (version.major, version.minor)
                ? nil : "\(highest) has or may have started on this data directory"
        }
    }

    /// The same for going on from what runs: that runs on the data already, so a start that nobody recorded is no reason to
    /// stay there; a newer minor that is known to have started is.
    ///
    /// - Parameter running: the version that runs now; nil where that is not known.
    public func objection(toStarting version: Version?, over running: Version?) -> String? {
        guard let version, let running,
            (running.major, running.minor) <= (version.major, version.minor)
        else { return objection(toStarting: version) }
        guard case .record(let record) = self, let highest = record.highest,
            (highest.major, highest.minor) > (version.major, version.minor)
        else { return nil }
        return "\(highest) has or may have started on this data directory"
    }

    /// Whether a version is of the minor that last ran.
    public func isMinor(of version: Version?) -> Bool {
        guard case .record(let record) = self, let highest = record.highest, let version else { return false }
        return (highest.major, highest.minor) == (version.major, version.minor)
    }

    /// The record to write before this artifact starts; nil where the one that is there says it all.
    ///
    /// - Parameters:
    ///   - version: what is about to start; nil where its bytes were not recognised.
    ///   - invocationID: systemd's name of the start.
    public func beforeStart(
        of version: Version?, dataDirectory: String, invocationID: String?, now: Instant
    ) -> LastRan? {
        let unread = LastRan.unread
        var next = LastRan(
            dataDirectory: dataDirectory, highest: version, unproven: version == nil ? unread : nil,
            invocationID: invocationID, at: now)
        switch self {
        // What ran before does not matter: this version starts on the data as it is now.
        case .missing: return next
        case .unusable(let reason):
            next.unproven = version == nil ? unread : reason
            return next
        case .record(let record):
            next.unproven = record.unproven ?? next.unproven
            // The start that brought the doubt stays named, so that the tick knows which ones it has to tell.
            if record.unproven != nil { (next.invocationID, next.at) = (record.invocationID, record.at) }
            if let highest = record.highest { next.highest = version.map { max($0, highest) } ?? highest }
            let saysItAll = next.highest == record.highest && next.unproven == record.unproven
            return saysItAll ? nil : next
        }
    }
}
