import Testing

@testable import Web

/// A whole answer and what it says.
private struct Answer: Sendable, CustomTestStringConvertible {
    var bytes: String
    var status = 200
    var body: String
    /// Whether only the end of the connection ends it.
    var endsWithConnection = false
    var testDescription: String { bytes.debugDescription }
}

@Suite("Reading an HTTP response")
struct ResponseReaderTests {
    private static let answers = [
        Answer(bytes: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc"),
        Answer(bytes: "HTTP/1.1 200 OK\r\ncontent-length:3 \r\nContent-Length: 3\r\n\r\nabc", body: "abc"),
        Answer(bytes: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", body: ""),
        Answer(bytes: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, body: ""),
        Answer(bytes: "HTTP/1.0 200 OK\r\n\r\nabc", body: "abc", endsWithConnection: true),
        Answer(bytes: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", body: "x"),
        Answer(
            bytes:
                "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx",
            status: 404, body: "x"),
        Answer(
            bytes:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
            body: "abc0123456789"),
        Answer(
            bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\nContent-Length: 9\r\n\r\n"
                + "1\r\na\r\n000\r\nTrailer: t\r\n\r\n",
            body: "a"),
    ]

    @Test("an answer is the same in one piece, byte by byte, and cut in two anywhere", arguments: answers)
    private func anyPieces(_ answer: Answer) throws {
        let bytes = Array(answer.bytes.utf8)
        for cut in 0...bytes.count {
            var reader = ResponseReader(maximumBody: 100)
            try reader.take(bytes[..<cut])
            try reader.take(bytes[cut...])
            #expect((reader.finished == nil) == answer.endsWithConnection)
            let response = try reader.end()
            #expect(response.status == answer.status)
            #expect(response.body == Array(answer.body.utf8))
        }
        var reader = ResponseReader(maximumBody: 100)
        for byte in bytes {
            #expect(reader.finished == nil)
            try reader.take([byte])
        }
        #expect(try reader.end().body == Array(answer.body.utf8))
    }

    @Test("an answer that was cut short anywhere is never taken for a whole one", arguments: answers)
    private func truncated(_ answer: Answer) throws {
        let bytes = Array(answer.bytes.utf8)
        let body = answer.endsWithConnection ? answer.body.utf8.count : 0
        for cut in 0..<(bytes.count - body) {
            var reader = ResponseReader(maximumBody: 100)
            try reader.take(bytes[..<cut])
            let error = #expect(throws: HTTPError.self) { try reader.end() }
            #expect(error?.code == .interrupted)
        }
    }

    @Test("any single byte changed gives an answer or an error, and no trap")
    func mutated() {
        var outcomes = (answers: 0, errors: 0)
        for answer in Self.answers {
            let bytes = Array(answer.bytes.utf8)
            for index in bytes.indices {
                for replacement: UInt8 in [0, 9, 10, 13, 32, 45, 48, 57, 58, 102, 127, 128, 255] {
                    var changed = bytes
                    changed[index] = replacement
                    var reader = ResponseReader(maximumBody: 100)
                    do {
                        try reader.take(changed)
                        _ = try reader.end()
                        outcomes.answers += 1
                    } catch {
                        outcomes.errors += 1
                    }
                }
            }
        }
        #expect(outcomes.answers > 100 && outcomes.errors > 100)
    }

    @Test("a body of exactly the limit is taken, and one byte more is not")
    func limit() throws {
        for (count, isTaken) in [(10, true), (11, false)] {
            let body = String(repeating: "x", count: count)
            for head in [
                "Content-Length: \(count)\r\n\r\n\(body)", "\r\n\(body)",
                "Transfer-Encoding: chunked\r\n\r\n\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n",
            ] {
                var reader = ResponseReader(maximumBody: 10)
                let outcome = Result { () throws -> [UInt8] in
                    try reader.take(Array("HTTP/1.1 200 OK\r\n\(head)".utf8))
                    return try reader.end().body
                }
                #expect((try? outcome.get().count) == (isTaken ? 10 : nil))
            }
        }
    }
}
