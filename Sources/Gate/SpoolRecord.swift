public import Model

/// What the gate leaves for the next tick, one file each: what it did at one start, or why it did nothing.
public struct SpoolRecord: Hashable, Sendable {
    /// What happened.
    public var reason: GateReason
    /// The unit that was about to start.
    public var unit: String
    /// Nil where the guard file could not say.
    public var installation: InstallationID?
    /// By a clock that may not be synchronised yet.
    public var at: Instant
    /// systemd's name of the start.
    public var invocationID: String?
    /// For a person: what, where, and what to do about it.
    public var text: String
    /// What was put in place; nil where nothing was.
    public var restored: Artifact?
    /// Where what was turned away is kept; nil where nothing was.
    public var pending: String?

    /// No record is longer, in bytes.
    public static let largest = 16_384
    /// The gate leaves no more files than this; it then leaves `overflow`, which says that more happened.
    public static let most = 64
    private static let title = "holdfast-spool 1"

    /// Makes a record.
    public init(
        reason: GateReason, unit: String, installation: InstallationID?, at: Instant, invocationID: String?,
        text: String, restored: Artifact? = nil, pending: String? = nil
    ) {
        self.reason = reason
        self.unit = unit
        self.installation = installation
        self.at = at
        self.invocationID = invocationID
        self.text = text
        self.restored = restored
        self.pending = pending
    }

    /// The record as it is written.
    public var fileText: String {
        var lines = SealedLines(title: Self.title)
        lines.add("reason", reason.rawValue)
        lines.add("unit", unit)
        lines.add("installation", installation?.description)
        lines.add("start", invocationID, String(at.seconds))
        lines.add("text", text)
        if let restored {
            lines.add("restored", restored.version?.description, restored.sha256?.hex, restored.revision)
        }
        lines.add("pending", pending)
        return lines.text
    }

    /// Reads a record.
    ///
    /// - Throws: `GuardFileError` for anything but what `fileText` makes.
    public static func parse(_ bytes: [UInt8]) throws(GuardFileError) -> SpoolRecord {
        var record = SpoolRecord(
            reason: .usage, unit: "", installation: nil, at: Instant(seconds: 0), invocationID: nil, text: "")
        var missing: Set<String> = ["reason", "unit", "start", "text"]
        for line in try SealedLines.read(bytes, title: title, largest: largest) {
            missing.remove(line.key)
            switch line.key {
            case "reason":
                guard let reason = GateReason(rawValue: try line.text(0)) else {
                    throw line.wrong("no such reason")
                }
                record.reason = reason
            case "unit": record.unit = try line.text(0)
            case "installation":
                if let text = try line.optional(0) {
                    guard let id = InstallationID(description: text) else {
                        throw line.wrong("no such distribution")
                    }
                    record.installation = id
                }
            case "start":
                try line.expect(2)
                record.invocationID = try line.optional(0)
                record.at = Instant(seconds: try line.number(1))
            case "text": record.text = try line.text(0)
            case "restored":
                try line.expect(3)
                record.restored = try line.artifact()
            case "pending": record.pending = try line.optional(0)
            default: throw line.wrong("nobody writes this here:")
            }
        }
        guard missing.isEmpty else { throw GuardFileError("a line is missing") }
        return record
    }
}
