import Crypto
import Testing

@Suite struct HMACTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var key: [UInt8]
        var message: [UInt8]
        var digest: String
        var testDescription: String { name }
    }

    /// Those of RFC 4231 that cut nothing off, by the numbers that they have there.
    static let vectors = [
        Vector(
            name: "1: a key shorter than the digest", key: Array(repeating: 0x0b, count: 20),
            message: Array("Hi There".utf8),
            digest: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            name: "2: a key shorter than the message", key: Array("Jefe".utf8),
            message: Array("what do ya want for nothing?".utf8),
            digest: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            name: "3: key and message longer than a block together", key: Array(repeating: 0xaa, count: 20),
            message: Array(repeating: 0xdd, count: 50),
            digest: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            name: "6: a key longer than a block", key: Array(repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            digest: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ]

    @Test("an HMAC is what RFC 4231 gives", arguments: vectors)
    func known(vector: Vector) {
        let digest = hmacSHA256(key: vector.key, message: vector.message)
        #expect(
            digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == vector.digest)
    }
}
