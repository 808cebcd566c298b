import Glibc
import Host
import Testing

@Suite struct ProcessTests {
    private func shell(
        _ script: String, environment: [String: String] = [:], timeout: Int = 60_000, limit: Int = 1 << 20
    ) throws -> ProcessOutcome {
        try runProcess(
            ["/bin/sh", "-c", script], environment: environment, timeout: timeout, outputLimit: limit)
    }

    @Test("both outputs and the way it ended come back")
    func outcome() throws {
        let outcome = try shell("echo out; echo err >&2; exit 3")
        #expect(outcome.end == .exited(3))
        #expect(outcome.output == Array("out\n".utf8))
        #expect(outcome.errors == Array("err\n".utf8))
        #expect(!outcome.isCut && !outcome.succeeded)
        #expect(try shell("kill -TERM $$").end == .signalled(SIGTERM))
        #expect(try shell("true").succeeded)
    }

    @Test("it gets no input, no descriptor and no environment but those that it was given")
    func isolation() throws {
        let outcome = try shell("cat; echo \"$A:$HOME:$USER\"; ls /proc/self/fd", environment: ["A": "b c=d"])
        // ls itself opens the directory as the first free number.
        #expect(String(decoding: outcome.output, as: UTF8.self) == "b c=d::\n0\n1\n2\n3\n")
    }

    @Test("what it is given to read it can read, however long, and need not", arguments: [0, 5, 1_000_000])
    func input(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = try runProcess(["/bin/cat"], input: bytes, timeout: 60_000)
        #expect(whole.output == bytes)
        #expect(try runProcess(["/bin/true"], input: bytes, timeout: 60_000).succeeded)
        let numbers = try runProcess(["/bin/sh", "-c", "ls /proc/self/fd"], input: bytes, timeout: 60_000)
        #expect(String(decoding: numbers.output, as: UTF8.self) == "0\n1\n2\n3\n")
    }

    @Test("more output than is wanted is dropped, and the program goes on")
    func cut() throws {
        let outcome = try shell("head -c 3000000 /dev/zero; echo done >&2", limit: 1000)
        #expect(outcome.output.count == 1000)
        #expect(outcome.isCut)
        #expect(outcome.succeeded)
        #expect(outcome.errors == Array("done\n".utf8))
    }

    @Test("long output is kept whole")
    func whole() throws {
        let outcome = try shell("head -c 1000000 /dev/zero")
        #expect(outcome.output.count == 1_000_000)
        #expect(!outcome.isCut)
    }

    @Test("out of time it is killed with all that it started, even while it never stops to write")
    func timeout() throws {
        let scratch = try Scratch()
        // Whoever is left holds the pipe open; it hangs up when the last of them is gone.
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        let pipe = open(scratch("pipe"), O_RDONLY | O_NONBLOCK)
        defer { close(pipe) }
        let outcome = try shell(
            "exec 9> \(scratch("pipe")); sleep 300 & (sleep 300 & yes); true", timeout: 1000, limit: 10)
        #expect(outcome.end == .timedOut)
        #expect(outcome.output == Array("y\ny\ny\ny\ny\n".utf8))
        var wait = pollfd(fd: pipe, events: 0, revents: 0)
        #expect(poll(&wait, 1, 60_000) == 1 && wait.revents & Int16(POLLHUP) != 0)
    }

    @Test("what it leaves in the background is not waited for")
    func background() throws {
        let outcome = try shell("sleep 300 & echo $!")
        #expect(outcome.succeeded)
        let child = try #require(Int32(String(decoding: outcome.output, as: UTF8.self).filter(\.isNumber)))
        #expect(kill(child, SIGKILL) == 0)
    }

    @Test(
        "what cannot be started is an error that names it",
        arguments: ["/none/such", "/etc/passwd", "sh", ""])
    func absent(path: String) {
        #expect { try runProcess([path], timeout: 1000) } throws: { error in
            (error as? HostError)?.description.hasPrefix(path) == true
        }
    }
}
