public import Model

/// Which entries of the ledger somebody is told of, and on which of the policy's occasions.
///
/// It is handed entries in their order, those before the first one of interest too: an effect's end does not say whether
/// it undid something, and the intent that does came before.
public struct NoticeTable {
    /// On which occasions somebody can be told of an entry of a kind; what it holds says on which, if any.
    public static let occasions: [String: Set<Notification.Occasion>] = [
        "decided": [.held, .denied, .needsApproval], "gate-acted": [.undone, .guardBroken],
        "effected": [.undone, .guardBroken], "guard-broken": [.guardBroken], "step-ended": [.done, .failed],
        "seat-taken": [.failed], "paused": [.paused], "resumed": [.paused], "released": [.paused],
    ]

    /// The kinds of entries that it has to see for some occasions.
    public static func kinds(for wanted: Set<Notification.Occasion>) -> Set<String> {
        var kinds = Set(occasions.filter { !wanted.isDisjoint(with: $0.value) }.keys)
        if kinds.contains("effected") { kinds.insert("intended") }
        return kinds
    }

    /// Intents that undo a change which nobody approved.
    private var undoing: Set<String> = []

    /// Makes a table that has seen nothing.
    public init() {}

    /// The occasions of an entry, the narrowest first; empty for one that nobody is told of.
    public mutating func occasions(of event: Event) -> [Notification.Occasion] {
        switch event {
        case .decided(let record):
            switch record.decision.verdict {
            case .allow: return []
            case .deny: return [.denied]
            case .hold: return record.decision.waitsForPerson ? [.needsApproval, .held] : [.held]
            }
        case .gateActed(let act):
            switch act.kind {
            case .putBack, .refused: return [.undone]
            // Something ran that was to be kept out, or nobody can tell.
            case .letThrough: return [.guardBroken]
            case .unrecorded, .overflow, .unreadable: return []
            }
        case .intended(let intent):
            if intent.effect.undoesChange { undoing.insert(intent.id) }
            return []
        case .effected(let end):
            switch end.outcome {
            case .done, .reads: return undoing.contains(end.intent) ? [.undone] : []
            case .takenBack: return [.undone]
            case .failed, .unknown: return [.guardBroken]
            case .undone: return []
            }
        case .guardBroken: return [.guardBroken]
        case .stepEnded(let end):
            switch end.outcome {
            case .done: return [.done]
            case .putBack, .needsPerson: return [.failed]
            // It changed nothing, and what it waits for is a decision.
            case .abandoned: return []
            }
        case .seatTaken(let taking):
            guard taking.isNews, case .failing = taking.seat.phase else { return [] }
            return [.failed]
        // That the guards are back is told to whom was told that they were lifted.
        case .paused, .resumed, .released: return [.paused]
        case .policyLoaded, .policyRejected, .installationFound, .installationGone, .installationObserved,
            .changeEnded, .problemBegan, .problemEnded, .coverage, .catalogImported, .approved, .denied,
            .revoked, .adopted, .stepBegan, .stepMoved, .approvalSpent, .quarantined, .rolloutSaid, .seeded,
            .checkpointKey, .bodiesDropped:
            return []
        }
    }
}

extension Decision {
    /// Whether an approval is all that is missing.
    fileprivate var waitsForPerson: Bool {
        let open = reasons.filter { $0.result != .met }
        return !open.isEmpty && open.allSatisfy { $0.rule == .ceiling && $0.result == .unmet }
    }
}

extension Effect {
    /// Whether it takes back a change that was not let through, rather than guards or carries out one.
    fileprivate var undoesChange: Bool {
        switch self {
        case .replace(let replacement): replacement.purpose == .undo
        case .abortRefresh: true
        default: false
        }
    }
}

/// One thing that somebody is told, as it goes out: a CloudEvent (1.0, JSON, structured mode).
public struct Notice {
    /// The ledger's name; with the entry's number it is the event's id, so that whoever gets it twice can tell.
    public var ledger: String
    /// The node's name.
    public var node: String
    /// The entry that it tells of.
    public var entry: LedgerEntry
    /// On which occasion; the event's type ends in it.
    public var occasion: Notification.Occasion
    /// One line for a person.
    public var text: String
    /// What is known of it, as the journal has it: `HOLDFAST_CHANGE` and so on.
    public var fields: [String: String]

    /// The media type of its bytes.
    public static let mediaType = "application/cloudevents+json; charset=utf-8"
    /// A longer text is cut: reasons come from outside, and receivers have limits.
    private static let longestText = 4000

    /// Makes a notice.
    public init(
        ledger: String, node: String, entry: LedgerEntry, occasion: Notification.Occasion, text: String,
        fields: [String: String]
    ) {
        self.ledger = ledger
        self.node = node
        self.entry = entry
        self.occasion = occasion
        self.text = text
        self.fields = fields
    }

    /// What is sent: the same bytes however often.
    public var bytes: [UInt8] {
        var data: [String: JSONValue] = [
            "node": .string(node), "occasion": .string(occasion.rawValue), "kind": .string(entry.kind),
            "sequence": .integer(entry.sequence), "text": .string(Self.cut(text)),
        ]
        data["clockSynchronised"] = entry.clockSynchronised.map { .bool($0) } ?? .null
        // `HOLDFAST_UPDATE_TYPE` as `update_type`.
        for (name, value) in fields where name.hasPrefix("HOLDFAST_") {
            let key = name.dropFirst("HOLDFAST_".utf8.count).lowercased()
            if data[key] == nil { data[key] = .string(Self.cut(value)) }
        }
        var event: [String: JSONValue] = [
            "specversion": .string("1.0"), "id": .string("\(ledger)-\(entry.sequence)"),
            "source": .string("/holdfast/\(Self.percentEncoded(node))"),
            "type": .string("dev.holdfast.\(occasion.rawValue)"), "time": .string(entry.at.description),
            "datacontenttype": .string("application/json"), "data": .object(data),
        ]
        if let name = fields["HOLDFAST_INSTALLATION"], !name.isEmpty {
            event["subject"] = .string(Self.cut(name))
        }
        // RFC 3339 ends with the year 9999; a clock beyond it has no time to tell.
        if entry.at.description.hasPrefix("@") { event["time"] = nil }
        var bytes: [UInt8] = []
        JSONValue.object(event).write(to: &bytes)
        return Array(String(decoding: bytes, as: UTF8.self).plainJSON.utf8)
    }

    private static func cut(_ text: String) -> String {
        // By scalars: a single character can be of any length.
        text.utf8.count <= longestText
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(longestText / 4))) + " …"
    }

    /// A node's name as a segment of a URI reference (RFC 3986, 3.3).
    private static func percentEncoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }
}
