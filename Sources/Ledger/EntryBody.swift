import FoundationEssentials
import Model

/// How events become bodies of entries and back.
///
/// A body is the payload alone, since the entry's kind says what it is. Kinds and payloads are read for as long as
/// there are ledgers: a new kind is a new case, and a changed payload must still read the old text.
enum EntryBody {
    /// The kind of the first entry, which is no event: it names the ledger.
    static let origin = "ledger-begun"

    /// The canonical text of an event's payload.
    static func text(of event: Event) throws -> String {
        switch event {
        case .policyLoaded(let payload): try CanonicalJSON.text(of: payload)
        case .policyRejected(let payload): try CanonicalJSON.text(of: payload)
        case .installationFound(let payload): try CanonicalJSON.text(of: payload)
        case .installationGone(let payload): try CanonicalJSON.text(of: payload)
        case .installationObserved(let payload): try CanonicalJSON.text(of: payload)
        case .decided(let payload): try CanonicalJSON.text(of: payload)
        case .changeEnded(let payload): try CanonicalJSON.text(of: payload)
        case .problemBegan(let payload): try CanonicalJSON.text(of: payload)
        case .problemEnded(let payload): try CanonicalJSON.text(of: payload)
        case .coverage(let payload): try CanonicalJSON.text(of: payload)
        case .catalogImported(let payload): try CanonicalJSON.text(of: payload)
        case .approved(let payload): try CanonicalJSON.text(of: payload)
        case .denied(let payload): try CanonicalJSON.text(of: payload)
        case .revoked(let payload): try CanonicalJSON.text(of: payload)
        case .adopted(let payload): try CanonicalJSON.text(of: payload)
        case .released(let payload): try CanonicalJSON.text(of: payload)
        case .paused(let payload): try CanonicalJSON.text(of: payload)
        case .resumed(let payload): try CanonicalJSON.text(of: payload)
        case .intended(let payload): try CanonicalJSON.text(of: payload)
        case .effected(let payload): try CanonicalJSON.text(of: payload)
        case .guardBroken(let payload): try CanonicalJSON.text(of: payload)
        case .rolloutSaid(let payload): try CanonicalJSON.text(of: payload)
        case .seatTaken(let payload): try CanonicalJSON.text(of: payload)
        case .stepBegan(let payload): try CanonicalJSON.text(of: payload)
        case .stepMoved(let payload): try CanonicalJSON.text(of: payload)
        case .stepEnded(let payload): try CanonicalJSON.text(of: payload)
        case .approvalSpent(let payload): try CanonicalJSON.text(of: payload)
        case .quarantined(let payload): try CanonicalJSON.text(of: payload)
        case .gateActed(let payload): try CanonicalJSON.text(of: payload)
        case .seeded(let payload): try CanonicalJSON.text(of: payload)
        case .checkpointKey(let payload): try CanonicalJSON.text(of: payload)
        case .bodiesDropped(let payload): try CanonicalJSON.text(of: payload)
        }
    }

    /// The event of an entry; nil for the origin entry.
    ///
    /// - Throws: `UnreadableBody`, for a kind that this program does not know too.
    static func event(kind: String, text: String) throws -> Event? {
        switch kind {
        case origin: nil
        case "policy-loaded": .policyLoaded(try decoded(text))
        case "policy-rejected": .policyRejected(try decoded(text))
        case "installation-found": .installationFound(try decoded(text))
        case "installation-gone": .installationGone(try decoded(text))
        case "installation-observed": .installationObserved(try decoded(text))
        case "decided": .decided(try decoded(text))
        case "change-ended": .changeEnded(try decoded(text))
        case "problem-began": .problemBegan(try decoded(text))
        case "problem-ended": .problemEnded(try decoded(text))
        case "coverage": .coverage(try decoded(text))
        case "catalog-imported": .catalogImported(try decoded(text))
        case "approved": .approved(try decoded(text))
        case "denied": .denied(try decoded(text))
        case "revoked": .revoked(try decoded(text))
        case "adopted": .adopted(try decoded(text))
        case "released": .released(try decoded(text))
        case "paused": .paused(try decoded(text))
        case "resumed": .resumed(try decoded(text))
        case "intended": .intended(try decoded(text))
        case "effected": .effected(try decoded(text))
        case "guard-broken": .guardBroken(try decoded(text))
        case "rollout-said": .rolloutSaid(try decoded(text))
        case "seat-taken": .seatTaken(try decoded(text))
        case "step-began": .stepBegan(try decoded(text))
        case "step-moved": .stepMoved(try decoded(text))
        case "step-ended": .stepEnded(try decoded(text))
        case "approval-spent": .approvalSpent(try decoded(text))
        case "quarantined": .quarantined(try decoded(text))
        case "gate-acted": .gateActed(try decoded(text))
        case "seeded": .seeded(try decoded(text))
        case "checkpoint-key": .checkpointKey(try decoded(text))
        case Event.bodiesDroppedKind: .bodiesDropped(try decoded(text))
        default: throw UnreadableBody(reason: "its kind is not known to this program")
        }
    }

    /// A value from JSON text.
    static func decoded<Payload: Decodable>(_ text: String) throws -> Payload {
        do {
            return try JSONDecoder().decode(Payload.self, from: Data(text.utf8))
        } catch let error as DecodingError {
            throw UnreadableBody(reason: explanation(of: error))
        }
    }

    // Where it went wrong, but not the value that was found there.
    private static func explanation(of error: DecodingError) -> String {
        let (path, what): ([any CodingKey], String) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
            case .typeMismatch(_, let context): (context.codingPath, "has another type")
            case .valueNotFound(_, let context): (context.codingPath, "is null")
            case .dataCorrupted(let context): (context.codingPath, "is not valid")
            @unknown default: ([], "cannot be read")
            }
        let name = path.map(\.stringValue).joined(separator: ".")
        return name.isEmpty ? "its JSON \(what)" : "\(name) \(what)"
    }
}

/// Why a body is no event.
struct UnreadableBody: Error {
    var reason: String
}

/// The body of the first entry.
struct OriginBody: Codable, Hashable {
    /// 32 hexadecimal digits.
    var origin: String
    var createdAt: Instant
    /// The ledger that this one takes the place of.
    var replaces: Replaced?

    struct Replaced: Codable, Hashable {
        /// The name under which it was kept, beside this one.
        var file: String
        var reason: String
    }
}
