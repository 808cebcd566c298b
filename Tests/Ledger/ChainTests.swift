import Testing

@testable import Ledger

@Suite("The chain")
struct ChainTests {
    struct Vector: Sendable {
        var entry: ChainEntry
        var hash: String
    }

    // Computed from the text of the specification by another program (Python's hashlib and struct).
    static let vectors: [Vector] = [
        Vector(
            entry: ChainEntry(
                seq: 1, prev: ChainEntry.beginning, kind: Array("ledger-begun".utf8), at: 0, clock: true,
                boot: [],
                bodyHash: body), hash: "fe95dcd7d809146303b8fd560bb15b8dd699a3a6deb278a44655621892b90e56"),
        Vector(
            entry: ChainEntry(
                seq: (1 << 62) + 5, prev: Array(repeating: 255, count: 32), kind: Array("decided".utf8),
                at: -1,
                clock: false, boot: Array("boot-é".utf8), bodyHash: body),
            hash: "b62815a3f87476c15bdd2dae650e1cf0f65342807d296a257ec1b136f8ba2973"),
        Vector(
            entry: ChainEntry(
                seq: 2, prev: Array(repeating: 1, count: 32), kind: Array("decided".utf8), at: 1_764_000_000,
                clock: nil, boot: Array("b".utf8), bodyHash: body),
            hash: "00bbe901be376f38b5fc0ad610aa3e8726ea0673b70444ff64738700d7206494"),
    ]
    static let body = hashOfBody("{\"code\":\"a\",\"text\":\"é\"}".utf8)

    @Test("hashes an entry as its specification says (invariant 8)", arguments: vectors)
    func specification(vector: Vector) {
        #expect(hexadecimal(vector.entry.hash(origin: Array(0..<16))) == vector.hash)
    }

    @Test("hashes a body as sha256sum does")
    func bodies() {
        #expect(
            hexadecimal(Self.body) == "f002479a17181c4f938acc6105e250c6d77b74568861d5634b44ce0c57b15146")
    }

    @Test("gives another hash where a byte moves from one field to the next (invariant 8)")
    func unambiguous() {
        var one = Self.vectors[2].entry
        one.kind = Array("ab".utf8)
        one.boot = Array("c".utf8)
        var two = one
        two.kind = Array("a".utf8)
        two.boot = Array("bc".utf8)
        #expect(one.hash(origin: [1, 2]) != two.hash(origin: [1, 2]))
        #expect(one.hash(origin: [1, 2]) != one.hash(origin: [1, 3]))
    }

    @Test("reads and writes hexadecimal digits", arguments: ["", "00ff7f", "0123456789abcdef"])
    func digits(text: String) throws {
        #expect(hexadecimal(try #require(bytes(hexadecimal: text))) == text)
    }

    @Test("refuses what is not hexadecimal", arguments: ["0", "0g", "é", "FF", " 00"])
    func noDigits(text: String) {
        #expect(bytes(hexadecimal: text) == nil)
    }
}
