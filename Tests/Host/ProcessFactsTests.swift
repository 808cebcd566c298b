import FoundationEssentials
import Glibc
import Model
import Testing

@testable import Host

@Suite("Processes")
struct ProcessFactsTests {
    /// A copy of /bin/sleep that runs; it ends with the value.
    private final class Sleeper {
        let path: String
        private(set) var process: pid_t = 0

        init(named name: String = "sleeper") throws {
            let directory = FileManager.default.temporaryDirectory.appending(
                path: "holdfast-\(UUID().uuidString)"
            ).path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            path = "\(directory)/\(name)"
            try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: path)
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("60"), nil]
            defer { for argument in arguments { free(argument) } }
            // A child that another test is just starting holds our written file open until it executes its program.
            var result = posix_spawn(&process, path, nil, nil, &arguments, nil)
            for _ in 0..<100 where result == ETXTBSY {
                usleep(10_000)
                result = posix_spawn(&process, path, nil, nil, &arguments, nil)
            }
            try #require(result == 0)
        }

        deinit {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            try? FileManager.default.removeItem(
                atPath: path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
        }
    }

    @Test("a running process tells its executable, name and start")
    func running() throws {
        let sleeper = try Sleeper()
        let facts = try ProcessFacts(process: sleeper.process)
        #expect(facts.executable == sleeper.path)
        #expect(!facts.isDeleted)
        var status = stat()
        try #require(stat(sleeper.path, &status) == 0)
        #expect(facts.identity.inode == Int64(status.st_ino))
        #expect(facts.identity.size == Int64(status.st_size))
        // It started after its file was made, and before now; the start is exact to a tick.
        #expect(facts.started >= facts.identity.changed - ProcessFacts.grain)
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        #expect(facts.started <= Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }

    @Test("an executable that was replaced is marked, and can still be read")
    func replaced() throws {
        let sleeper = try Sleeper()
        let original = try Data(contentsOf: URL(filePath: sleeper.path))
        let inode = try ProcessFacts(process: sleeper.process).identity.inode
        try Data("another".utf8).write(to: URL(filePath: sleeper.path + ".new"))
        try #require(rename(sleeper.path + ".new", sleeper.path) == 0)
        let facts = try ProcessFacts(process: sleeper.process)
        #expect(facts.isDeleted)
        #expect(facts.executable == sleeper.path)
        #expect(facts.identity.inode == inode)
        #expect(try Data(contentsOf: URL(filePath: facts.openablePath)) == original)
    }

    @Test("a process that is none is an error that names it")
    func gone() {
        let error = #expect(throws: HostError.self) { try ProcessFacts(process: Int32.max) }
        #expect(error?.description.contains("/proc/\(Int32.max)/") == true)
    }

    struct Line: Sendable {
        var text: String
        var name: String?
    }

    @Test(
        "the kernel's line is read whatever the name holds",
        arguments: [
            Line(
                text: "7 (k3s-server) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4242 1",
                name: "k3s-server"),
            Line(
                text: "7 (a) b (c) 1) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4242 1",
                name: "a) b (c) 1"),
            Line(text: "7 (short) S 1 7", name: nil),
            Line(text: "7 (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 -1 1", name: nil),
            Line(text: ")(", name: nil),
            Line(text: "", name: nil),
        ])
    func line(_ row: Line) {
        let parsed = ProcessFacts.parse(stat: Array(row.text.utf8))
        #expect(parsed?.name == row.name)
        #expect(parsed.map(\.startTicks) == row.name.map { _ in 4242 })
    }
}
