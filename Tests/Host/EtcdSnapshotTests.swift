import FoundationEssentials
import Host
import Model
import Testing

@Suite("A snapshot of etcd")
struct EtcdSnapshotTests {
    private static var recorded: [UInt8] {
        get throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Fixtures/etcd/snapshot.db")
            return Array(try Data(contentsOf: file))
        }
    }

    @Test("fits the hash that it ends in, as etcd itself made it")
    func whole() throws {
        let scratch = try Scratch()
        let path = try scratch.write("snapshot", try Self.recorded)
        #expect(try verifyEtcdSnapshot(path).hex.count == 64)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var damage: @Sendable ([UInt8]) -> [UInt8]
    }

    static let rows = [
        Row(testDescription: "one byte of its database is another") { bytes in
            var bytes = bytes
            bytes[9000] ^= 1
            return bytes
        },
        Row(testDescription: "one byte of its hash is another") { bytes in
            var bytes = bytes
            bytes[bytes.count - 1] ^= 1
            return bytes
        },
        Row(testDescription: "it is cut short by a page") { Array($0.dropLast(512)) },
        // As a database that was copied from a data directory is.
        Row(testDescription: "it has no hash") { Array($0.dropLast(32)) },
        Row(testDescription: "it is compressed, or something else") { bytes in
            Array("PK".utf8) + bytes.dropFirst(2).map { $0 ^ 0x55 }
        },
        Row(testDescription: "it is empty") { _ in [] },
    ]

    @Test("is none where", arguments: rows)
    func damaged(row: Row) throws {
        let scratch = try Scratch()
        let path = try scratch.write("snapshot", row.damage(try Self.recorded))
        let error = try #require(throws: HostError.self) { try verifyEtcdSnapshot(path) }
        #expect(error.description.hasPrefix(path))
    }
}
