import Testing

@testable import Crypto

@Suite struct SHA256Tests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var message: [UInt8]
        var digest: String
        var testDescription: String { name }
    }

    /// NIST's examples for SHA-256, and what `sha256sum` says of nothing at all.
    static let vectors = [
        Vector(
            name: "nothing", message: [],
            digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Vector(
            name: "one block", message: Array("abc".utf8),
            digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Vector(
            name: "padding that needs a second block",
            message: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            digest: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Vector(
            name: "a million bytes", message: Array(repeating: UInt8(ascii: "a"), count: 1_000_000),
            digest: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test("every way to hash gives NIST's digests", arguments: vectors)
    func known(vector: Vector) {
        #expect(hex(sha256(vector.message)) == vector.digest)
        #expect(hex(sha256(vector.message.lazy.map { $0 })) == vector.digest)
        #expect(hex(digest(of: vector.message, cutEvery: 1000, SHA256Stream())) == vector.digest)
        #expect(hex(digest(of: vector.message, cutEvery: 1000, SHA256Stream(portable: ()))) == vector.digest)
    }

    @Test("libcrypto and plain Swift agree on every length up to four blocks, however it is cut up")
    func agree() {
        var message: [UInt8] = []
        for length in 0...256 {
            let whole = sha256(message)
            for cut in [1, 63, 64, 65, 300] {
                #expect(digest(of: message, cutEvery: cut, SHA256Stream()) == whole, "\(length) by \(cut)")
                #expect(
                    digest(of: message, cutEvery: cut, SHA256Stream(portable: ())) == whole,
                    "\(length) by \(cut)"
                )
            }
            message.append(UInt8(truncatingIfNeeded: length &* 7 &+ 3))
        }
    }

    @Test("a message longer than what plain Swift is used for has the same digest")
    func long() {
        let message = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(sha256(message) == digest(of: message, cutEvery: 77, SHA256Stream(portable: ())))
    }

    @Test("bytes that libcrypto refused have no digest, rather than that of the others")
    func refused() {
        var stream = SHA256Stream()
        stream.update([1, 2, 3])
        stream.isRefused = true
        stream.update([4, 5, 6])
        #expect(stream.finish() == [])
    }

    private func digest(
        of message: [UInt8], cutEvery length: Int, _ stream: consuming SHA256Stream
    ) -> [UInt8] {
        var start = 0
        while start < message.count {
            let end = min(start + length, message.count)
            stream.update(Array(message[start..<end]))
            start = end
        }
        return stream.finish()
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
