import Model
import Testing

private struct Sample: Encodable {
    var zebra = 1
    var ärger = "ä/\u{1F600}"
    var Upper = true
    var a10 = [3, 1, 2]
    var a2: Int?
    var nested = ["b": ["y": 2, "x": 1], "a": [:]]
}

private struct Nested: Encodable {
    private enum Key: String, CodingKey { case outer, inner, list, none }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        // Filled after they were handed out, and out of order.
        var list = container.nestedUnkeyedContainer(forKey: .list)
        var outer = container.nestedContainer(keyedBy: Key.self, forKey: .outer)
        try outer.encode(1, forKey: .inner)
        try list.encode("one")
        var inside = list.nestedContainer(keyedBy: Key.self)
        try inside.encodeNil(forKey: .none)
        var deeper = list.nestedUnkeyedContainer()
        try deeper.encode(Int64.max)
        try deeper.encodeNil()
        #expect(list.count == 3)
    }
}

private enum Either: Encodable {
    case left(Int)
    case right(text: String)
    case neither
}

@Suite("The canonical encoding (invariant 5)")
struct CanonicalJSONTests {
    @Test("orders keys by their UTF-8 bytes, leaves nil out and everything outside ASCII alone")
    func keys() throws {
        let text = try CanonicalJSON.text(of: Sample())
        #expect(
            text == #"{"Upper":true,"a10":[3,1,2],"nested":{"a":{},"b":{"x":1,"y":2}},"zebra":1,"#
                + #""ärger":"ä/😀"}"#)
    }

    @Test("orders keys by bytes, not by characters: a code unit above the basic plane comes last")
    func keyBytes() throws {
        // UTF-16 order would put the emoji (a surrogate, D83D) before U+FF01.
        let text = try CanonicalJSON.text(of: ["\u{1F600}": 1, "\u{FF01}": 2, "~": 3, "": 4])
        #expect(text == "{\"\":4,\"~\":3,\"\u{FF01}\":2,\"\u{1F600}\":1}")
    }

    @Test("keeps nested containers in their place")
    func nested() throws {
        #expect(
            try CanonicalJSON.text(of: Nested())
                == #"{"list":["one",{"none":null},[9223372036854775807,null]],"outer":{"inner":1}}"#)
    }

    @Test("writes enums, empty containers and top-level values")
    func shapes() throws {
        #expect(try CanonicalJSON.text(of: Either.left(3)) == #"{"left":{"_0":3}}"#)
        #expect(try CanonicalJSON.text(of: Either.right(text: "x")) == #"{"right":{"text":"x"}}"#)
        #expect(try CanonicalJSON.text(of: Either.neither) == #"{"neither":{}}"#)
        #expect(try CanonicalJSON.text(of: [Int]()) == "[]")
        #expect(try CanonicalJSON.text(of: "x") == #""x""#)
        #expect(try CanonicalJSON.text(of: Int?.none) == "null")
        #expect(try CanonicalJSON.text(of: Int64.min) == "-9223372036854775808")
    }

    @Test("escapes quotes, backslashes and controls, and nothing else")
    func escapes() throws {
        let text = try CanonicalJSON.text(of: "\"\\/\n\r\t\u{0}\u{1F}\u{7F}\u{2028}é")
        #expect(text == #""\"\\/\n\r\t\u0000\u001f\u007f"# + "\u{2028}é\"")
    }

    @Test("refuses what has no exact form: floating point, and integers beyond 64 bits")
    func refuses() {
        #expect(throws: EncodingError.self) { try CanonicalJSON.text(of: 1.0) }
        #expect(throws: EncodingError.self) { try CanonicalJSON.text(of: ["a": [Float(1)]]) }
        #expect(throws: EncodingError.self) { try CanonicalJSON.text(of: UInt64.max) }
    }

    @Test("of the same value is the same text, however a dictionary was filled")
    func sameTwice() throws {
        let keys = (0..<200).map { "key\($0)" }
        var forward: [String: Int] = [:]
        var backward: [String: Int] = [:]
        for (index, key) in keys.enumerated() { forward[key] = index }
        for (index, key) in keys.enumerated().reversed() { backward[key] = index }
        let text = try CanonicalJSON.text(of: forward)
        #expect(try CanonicalJSON.text(of: backward) == text)
        #expect(try CanonicalJSON.text(of: forward) == text)
    }
}
