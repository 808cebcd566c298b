import FoundationEssentials
import Glibc
import Host
import Model
import Testing

@Suite("Copying an artifact (invariant 11)")
struct CopyFileTests {
    private let scratch: Scratch
    private let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    private let digest: Digest

    init() throws {
        scratch = try Scratch()
        digest = try #require(hashBytes(bytes))
        try scratch.write("source", bytes)
    }

    @Test("the copy has the bytes, its own inode and the mode, whatever the umask")
    func whole() throws {
        try copyFile(from: scratch("source"), to: scratch("copy"), digest: digest, mode: 0o755)
        #expect(try readFile(scratch("copy"), limit: bytes.count) == bytes)
        var (one, other) = (stat(), stat())
        #expect(stat(scratch("source"), &one) == 0 && stat(scratch("copy"), &other) == 0)
        #expect(one.st_ino != other.st_ino && other.st_nlink == 1 && other.st_mode & 0o7777 == 0o755)
        #expect(try listDirectory(scratch.path) == ["copy", "source"])
    }

    @Test("bytes that changed since they were looked at are not copied, and what lay there stays")
    func changed() throws {
        try scratch.write("copy", "what lay there")
        for change in ["one byte of many", "all of them", "cut off", "gone on"] {
            var changed = bytes
            switch change {
            case "one byte of many": changed[2_000_000] ^= 1
            case "all of them": changed = []
            case "cut off": changed.removeLast()
            default: changed.append(0)
            }
            try scratch.write("source", changed)
            #expect("\(change)") {
                try copyFile(
                    from: scratch("source"), to: scratch("copy"), digest: digest, mode: 0o755)
            } throws: { "\($0)".contains("it changed meanwhile, or is damaged; nothing was copied") }
            #expect(try readFile(scratch("copy"), limit: 100) == Array("what lay there".utf8))
            #expect(try listDirectory(scratch.path) == ["copy", "source"])
        }
    }

    @Test("a link planted where the draft is written is replaced, and not followed")
    func planted() throws {
        try scratch.write("other", "of another")
        try scratch.link(".copy.draft", to: scratch("other"))
        try copyFile(from: scratch("source"), to: scratch("copy"), digest: digest, mode: 0o755)
        #expect(try readFile(scratch("copy"), limit: bytes.count) == bytes)
        #expect(try readFile(scratch("other"), limit: 100) == Array("of another".utf8))
        #expect(try listDirectory(scratch.path) == ["copy", "other", "source"])
    }

    @Test("what is no file, or is longer than any release, is refused at once", arguments: ["pipe", "huge"])
    func special(source: String) throws {
        if source == "pipe" {
            #expect(mkfifo(scratch(source), 0o600) == 0)
        } else {
            try scratch.write(source, "")
            #expect(truncate(scratch(source), 1 << 42) == 0)
        }
        #expect(throws: HostError.self) {
            try copyFile(from: scratch(source), to: scratch("copy"), digest: digest, mode: 0o755)
        }
        #expect(try listDirectory(scratch.path) == [source, "source"].sorted())
    }
}
