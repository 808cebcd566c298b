import FoundationEssentials
import Model
import Ports

/// How values of the fleet are written: canonical JSON with a `format`.
enum FleetText {
    /// The newest format of what has none of its own.
    static let newestFormat = 1

    /// Reads a value.
    ///
    /// What is of a newer format is read as far as it can be.
    ///
    /// - Throws: `.malformed`, with the key and where in the text.
    static func read<Value: Decodable>(
        _ type: Value.Type, _ text: String, at key: FleetKey
    ) throws(FleetFailure) -> Value {
        let data = Data(text.utf8)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            if let format = try? JSONDecoder().decode(Format.self, from: data).format, format > newestFormat {
                throw FleetFailure(
                    .malformed,
                    "\(key): written by a newer version of holdfast (format \(format), this one knows "
                        + "\(newestFormat)); install that version here, nothing was changed")
            }
            throw FleetFailure(
                .malformed, "\(key): cannot be read (\(reason(error))); see who wrote it, and take it away")
        }
    }

    /// Writes a value.
    ///
    /// - Parameter stored: what it takes the place of: whatever that holds and this program does not know is kept.
    static func write<Value: Codable & Hashable & Sendable>(
        _ value: Value, over stored: Stored<Value>?, at key: FleetKey
    ) throws(FleetFailure) -> String {
        do {
            let text = try CanonicalJSON.text(of: value)
            guard let stored else { return text }
            let understood = try CanonicalJSON.text(of: stored.value)
            // Nothing is beside it: the rule, and much sooner seen than kept.
            if stored.text == understood { return text }
            return try KeptJSON(text: text)
                .keeping(KeptJSON(text: stored.text), beside: KeptJSON(text: understood)).text
        } catch {
            throw FleetFailure(.malformed, "\(key): cannot be written as JSON (\(reason(error)))")
        }
    }

    /// Where in a text it was wrong; nothing of what stands there.
    private static func reason(_ error: any Error) -> String {
        let path: [any CodingKey]
        let what: String
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            (path, what) = (context.codingPath + [key], "missing")
        case DecodingError.valueNotFound(_, let context): (path, what) = (context.codingPath, "null")
        case DecodingError.typeMismatch(_, let context):
            (path, what) = (context.codingPath, "of another type")
        case DecodingError.dataCorrupted(let context):
            (path, what) = (
                context.codingPath, context.codingPath.isEmpty ? "no JSON" : "not one that is known"
            )
        case EncodingError.invalidValue(_, let context): (path, what) = (context.codingPath, "no integer")
        default: return "no JSON"
        }
        if path.isEmpty { return what }
        let place = path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        return "\(place.cut(to: 100).printable) is \(what)"
    }

    private struct Format: Decodable { var format: Int }
}

/// A value that has no format of its own, with one.
struct WithFormat<Value: Codable>: Codable {
    var format: Int
    var value: Value

    private enum CodingKeys: CodingKey { case format }

    init(_ value: Value) {
        format = FleetText.newestFormat
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        format = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .format)
        value = try Value(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(format, forKey: .format)
    }
}
