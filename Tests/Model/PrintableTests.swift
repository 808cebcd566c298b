import Model
import Testing

@Suite("What a person is shown of a text from outside")
struct PrintableTests {
    @Test("nothing in it moves the cursor, cannot be seen or turns other text round, of all of Unicode")
    func everyScalar() {
        var missed: [UInt32] = []
        for value in (0...0x10FFFF) as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let isHidden =
                [.control, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
                || properties.isBidiControl
                || properties.generalCategory == .format && properties.isDefaultIgnorableCodePoint
            if isHidden, String(scalar).printable != "?" { missed.append(value) }
        }
        #expect(missed == [])
        #expect("é日本🦊 v1.31.4+k3s1 “x”".printable == "é日本🦊 v1.31.4+k3s1 “x”")
    }

    @Test("JSON made plain says the same, in what can be seen")
    func json() {
        #expect(#"{"a":"é🦊"}"#.plainJSON == #"{"a":"é🦊"}"#)
        #expect(
            "\"\u{202e}\u{7f}\u{9b}\u{e0041}\"\n".plainJSON == #""\u202e\u007f\u009b\udb40\udc41""# + "\n")
    }

    @Test("is cut by its scalars, of which one character can have any number")
    func cut() {
        let long = "a" + String(repeating: "\u{301}", count: 10_000)
        #expect(long.count == 1)
        #expect(long.cut(to: 3).utf8.count == 5)
        #expect("stable".cut(to: 64) == "stable")
        #expect("stable".cut(to: 0).isEmpty)
    }
}
