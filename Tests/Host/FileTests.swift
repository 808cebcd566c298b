import FoundationEssentials
import Glibc
import Host
import Model
import Testing

@Suite struct FileTests {
    @Test("a file is read whole, an empty one too, and one of /proc that has no size")
    func whole() throws {
        let scratch = try Scratch()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try readFile(scratch.write("long", bytes), limit: 100_000) == bytes)
        #expect(try readFile(scratch.write("empty", ""), limit: 0) == [])
        #expect(try readFile("/proc/self/status", limit: 100_000).starts(with: Array("Name:".utf8)))
    }

    @Test("a file longer than the limit is an error that names both, whether or not it tells its size")
    func limit() throws {
        let scratch = try Scratch()
        try scratch.write("long", "12345")
        #expect { try readFile(scratch("long"), limit: 4) } throws: { error in
            "\(error)" == "\(scratch("long")): longer than 4 bytes; is this the right file?"
        }
        #expect(throws: HostError.self) { try readFile("/proc/self/status", limit: 10) }
    }

    @Test("a pipe, a device and a directory are refused at once; nothing hangs")
    func special() throws {
        let scratch = try Scratch()
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        for path in [scratch("pipe"), "/dev/zero", "/dev/tty", scratch.path] {
            #expect(throws: HostError.self, "\(path)") { try readFile(path, limit: 10) }
        }
    }

    @Test("a file that is not there is told from one that cannot be read")
    func absent() throws {
        let scratch = try Scratch()
        try scratch.write("file", "x")
        #expect(try readFileIfPresent(scratch("none"), limit: 1) == nil)
        #expect(try readFileIfPresent(scratch("file/below"), limit: 1) == nil)
        #expect(try readFileIfPresent(scratch("file"), limit: 1) == [UInt8(ascii: "x")])
        #expect(throws: HostError.self) { try readFileIfPresent(scratch.path, limit: 1) }
        #expect { try readFile(scratch("none"), limit: 1) } throws: { error in
            "\(error)" == "\(scratch("none")): cannot be opened: no such file or directory"
        }
    }

    @Test("a directory is listed in order of bytes, and never past its limit")
    func list() throws {
        let scratch = try Scratch()
        for name in ["b", "B", "a", ".hidden", "é"] { try scratch.write(name, "") }
        #expect(try listDirectory(scratch.path) == [".hidden", "B", "a", "b", "é"])
        #expect(throws: HostError.self) { try listDirectory(scratch.path, limit: 4) }
        #expect { try listDirectory(scratch("none")) } throws: { ($0 as? HostError)?.isAbsence == true }
    }

    @Test("a link tells what it says; what is no link is an error")
    func links() throws {
        let scratch = try Scratch()
        try scratch.link("link", to: "no/where")
        #expect(try readLink(scratch("link")) == "no/where")
        #expect { try readLink(scratch.path) } throws: { ($0 as? HostError)?.code == EINVAL }
    }

    @Test("replacing a file leaves the old one to whoever has it open, and nothing else behind")
    func replace() throws {
        let scratch = try Scratch()
        let path = try scratch.write("state", "old", mode: 0o600)
        let open = try #require(FileHandleOf(path))
        try writeFileAtomically(path, Array("new and longer".utf8), mode: 0o640)
        #expect(try readFile(path, limit: 100) == Array("new and longer".utf8))
        #expect(open.text == "old")
        #expect(try listDirectory(scratch.path) == ["state"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o640)
    }

    @Test("a file that cannot be replaced stays as it was, and nothing is left behind")
    func refused() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("state")
        #expect(throws: HostError.self) { try writeFileAtomically(scratch("state"), [1]) }
        #expect(throws: HostError.self) { try writeFileAtomically(scratch("none/state"), [1]) }
        #expect(try listDirectory(scratch.path) == ["state"])
    }

    @Test("identity moves with the bytes, with the name's file, and with nothing else")
    func identities() throws {
        let scratch = try Scratch()
        let path = try scratch.write("file", "one")
        let first = try identity(ofFile: path)
        _ = try readFile(path, limit: 10)
        #expect(try identity(ofFile: path) == first)
        try scratch.link("link", to: "file")
        #expect(try identity(ofFile: scratch("link")) == first)
        try writeFileAtomically(path, Array("two".utf8))
        #expect(try identity(ofFile: path) != first)
        #expect(try identity(ofFile: path).size == 3)
    }

    @Test("a draft takes a file's place, or that of none, and leaves nothing beside it")
    func replaced() throws {
        let scratch = try Scratch()
        for text in ["old", "new", "newer"] {
            let draft = try scratch.write("draft", text, mode: 0o600)
            #expect(replaceWithoutFlush(scratch("file"), with: draft) == 0)
            #expect(try readFile(scratch("file"), limit: 10) == Array(text.utf8))
            #expect(try listDirectory(scratch.path) == ["file"])
        }
    }

    @Test("what writers left who were killed is taken away, and nobody else's draft")
    func leftDrafts() throws {
        let scratch = try Scratch()
        // Beyond the largest number that a process can have, and one that is alive.
        for name in ["\(Int32.max)", "\(getppid())", "x", "0"] {
            try scratch.write(".file.\(name).tmp", "half")
        }
        try scratch.write(".filed.\(Int32.max).tmp", "another's")
        try writeFileAtomically(scratch("file"), Array("whole".utf8))
        #expect(
            try listDirectory(scratch.path).sorted()
                == [
                    ".file.0.tmp", ".file.\(getppid()).tmp", ".file.x.tmp", ".filed.\(Int32.max).tmp", "file",
                ].sorted())
    }

    @Test("a draft that is not there replaces nothing")
    func nothingToReplaceWith() throws {
        let scratch = try Scratch()
        let file = try scratch.write("file", "old")
        #expect(replaceWithoutFlush(file, with: scratch("draft")) == ENOENT)
        #expect(try readFile(file, limit: 10) == Array("old".utf8))
    }
}

/// A file that stays open.
private final class FileHandleOf {
    private let number: Int32

    init?(_ path: String) {
        number = open(path, O_RDONLY)
        if number < 0 { return nil }
    }

    deinit { close(number) }

    var text: String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = pread(number, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }
}
