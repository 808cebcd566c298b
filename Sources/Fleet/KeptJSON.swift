import FoundationEssentials
import Model

/// JSON as it was found, so that what this program does not know of it is written back.
indirect enum KeptJSON: Decodable, Hashable {
    /// Anything without members or elements, but for a fraction.
    case plain(JSONValue)
    case unsigned(UInt64)
    case fraction(Double)
    case array([KeptJSON])
    case object([String: KeptJSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let members = try? value.decode([String: KeptJSON].self) {
            self = .object(members)
        } else if let elements = try? value.decode([KeptJSON].self) {
            self = .array(elements)
        } else if value.decodeNil() {
            self = .plain(.null)
        } else if let text = try? value.decode(String.self) {
            self = .plain(.string(text))
        } else if let number = try? value.decode(Int64.self) {
            self = .plain(.integer(number))
        } else if let flag = try? value.decode(Bool.self) {
            self = .plain(.bool(flag))
        } else if let number = try? value.decode(UInt64.self) {
            self = .unsigned(number)
        } else {
            self = .fraction(try value.decode(Double.self))
        }
    }

    init(text: String) throws { self = try JSONDecoder().decode(KeptJSON.self, from: Data(text.utf8)) }

    /// The canonical text, as `CanonicalJSON` writes what it can hold.
    var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .plain(let value): value.write(to: &bytes)
        case .unsigned(let number): bytes += String(number).utf8
        case .fraction(let number): bytes += String(number).utf8
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONValue.string(member.key).write(to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// This value with what an older text holds beside what was understood of it, at every depth.
    ///
    /// A member that was understood and is gone now was taken away, and stays away. Elements of a list are known again
    /// by what names them; what was beside an element that is gone is gone with it.
    ///
    /// - Parameters:
    ///   - found: the older text.
    ///   - understood: what this program makes of it, encoded.
    func keeping(_ found: KeptJSON, beside understood: KeptJSON) -> KeptJSON {
        switch (self, found, understood) {
        case (.object(var members), .object(let found), .object(let understood)):
            for (name, value) in found {
                if let known = understood[name] {
                    if let new = members[name] { members[name] = new.keeping(value, beside: known) }
                } else if members[name] == nil {
                    members[name] = value
                }
            }
            return .object(members)
        case (.array(let elements), .array(let found), .array(let understood))
        where found.count == understood.count:
            // Both in one order: the one was read from the other.
            var places: [[String: KeptJSON]: Int] = [:]
            for (index, element) in understood.enumerated() {
                if let name = element.identity, places[name] == nil { places[name] = index }
            }
            return .array(
                elements.map { element in
                    guard let name = element.identity, let index = places.removeValue(forKey: name) else {
                        return element
                    }
                    return element.keeping(found[index], beside: understood[index])
                })
        default: return self
        }
    }

    /// The members by which an element of a list is known again: of a track, a stage, a grant, a part; nil for what
    /// has none.
    private var identity: [String: KeptJSON]? {
        guard case .object(let members) = self else { return nil }
        let names: Set<String> = ["cluster", "kind", "distribution", "name", "node", "id"]
        let identity = members.filter { names.contains($0.key) }
        return identity.isEmpty ? nil : identity
    }
}
