import FoundationEssentials
import Glibc
import Host
import Testing

@Suite("A file for others to read, in a directory of theirs")
struct PublishFileTests {
    let scratch: Scratch
    var directory: String { scratch("out") }
    var file: String { directory + "/a.prom" }

    init() throws {
        scratch = try Scratch()
        try scratch.makeDirectory("out")
    }

    private func write(_ text: String, isSame: Bool = false) throws -> Publication {
        try publish(Array(text.utf8), as: "a.prom", in: directory, limit: 1000) { _ in isSame }
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        lstat(path, &status)
        return status
    }

    private var names: [String] { get throws { try listDirectory(directory) } }

    @Test("is written whole, for everybody to read, and leaves nothing else there")
    func written() throws {
        #expect(try write("one\n") == .written)
        #expect(try readFile(file, limit: 100) == Array("one\n".utf8))
        #expect(status(file).st_mode & 0o7777 == 0o644)
        #expect(try write("two\n") == .written)
        #expect(try readFile(file, limit: 100) == Array("two\n".utf8))
        #expect(try names == ["a.prom"])
    }

    @Test("is touched alone where what is there can stay, so that its age is known")
    func touched() throws {
        _ = try write("one\n")
        let times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
        utimensat(AT_FDCWD, file, times, 0)
        let before = status(file)
        #expect(before.st_mtim.tv_sec == 1000)
        #expect(try write("two\n", isSame: true) == .touched)
        #expect(status(file).st_ino == before.st_ino)
        #expect(status(file).st_mtim.tv_sec > 1000)
        #expect(try readFile(file, limit: 100) == Array("one\n".utf8))
    }

    @Test(
        "takes away what a writer left who was killed, there alone, though the path leads elsewhere meanwhile"
    )
    func drafts() throws {
        _ = try write("one\n")
        // No process has so high a number.
        let draft = ".a.prom.2147483647.tmp"
        try scratch.write("out/\(draft)", "half")
        try scratch.makeDirectory("elsewhere")
        try scratch.write("elsewhere/\(draft)", "somebody else's")
        let moved = scratch("moved")
        #expect(
            try publish(Array("two\n".utf8), as: "a.prom", in: directory) { _ in
                rename(directory, moved)
                symlink(scratch("elsewhere"), directory)
                return false
            } == .written)
        #expect(try listDirectory(moved) == ["a.prom"])
        #expect(try listDirectory(scratch("elsewhere")) == [draft])
        #expect(try readFile("\(moved)/a.prom", limit: 100) == Array("two\n".utf8))
    }

    @Test("nobody wants it where the directory is not there")
    func unwanted() throws {
        #expect(try publish([], as: "a", in: scratch("none")) { _ in true } == .unwanted)
        #expect(try listDirectory(scratch.path) == ["out"])
    }

    @Test("follows no link: one in the file's place is replaced, one in the directory's is refused")
    func links() throws {
        let secret = try scratch.write("secret", "shadow")
        try scratch.link("out/a.prom", to: secret)
        #expect(try write("one\n", isSame: true) == .written)
        #expect(try readFile(secret, limit: 100) == Array("shadow".utf8))
        #expect(status(file).st_mode & S_IFMT == S_IFREG)
        try scratch.makeDirectory("elsewhere")
        try scratch.link("away", to: scratch("elsewhere"))
        #expect(throws: HostError.self) { try publish([1], as: "a", in: scratch("away")) { _ in false } }
        #expect(try listDirectory(scratch("elsewhere")) == [])
        // Nor does a draft's name that somebody guessed lead away.
        try scratch.link("out/.a.prom.\(getpid()).tmp", to: secret)
        _ = try write("two\n")
        #expect(try readFile(secret, limit: 100) == Array("shadow".utf8))
        #expect(try names == ["a.prom"])
    }

    struct Obstacle: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var make: @Sendable (String) throws -> Void
    }

    @Test(
        "what else is in its place is not waited for, and replaced",
        arguments: [
            Obstacle(testDescription: "a pipe") { _ = mkfifo($0, 0o644) },
            Obstacle(testDescription: "a long file") { try Data(count: 1001).write(to: URL(filePath: $0)) },
            Obstacle(testDescription: "a private file") {
                try Data("x".utf8).write(to: URL(filePath: $0))
                chmod($0, 0o600)
            },
            Obstacle(testDescription: "a file with another name elsewhere") {
                try Data("x".utf8).write(to: URL(filePath: $0))
                chmod($0, 0o644)
                link($0, $0 + ".other")
            },
        ])
    func obstacles(_ obstacle: Obstacle) throws {
        try obstacle.make(file)
        #expect(try write("one\n", isSame: true) == .written)
        #expect(try readFile(file, limit: 100) == Array("one\n".utf8))
    }

    @Test("a directory in its place is told, and what is there stays")
    func refused() throws {
        try scratch.makeDirectory("out/a.prom")
        #expect(throws: HostError.self) { try write("one\n") }
        #expect(try names == ["a.prom"])
    }
}
