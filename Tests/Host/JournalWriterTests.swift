import Glibc
import Model
import Testing

@testable import Host

@Suite("Journal entries")
struct JournalWriterTests {
    private func entry(_ text: String, _ fields: [String: String] = [:]) -> JournalEntry {
        JournalEntry(message: .decided, priority: .warning, text: text, fields: fields)
    }

    @Test("an entry carries its message, id, priority, identifier and fields")
    func fields() {
        #expect(
            journalFields(of: entry("held", ["HOLDFAST_VERDICT": "hold", "HOLDFAST_CHANGE": "3f9a"])) == [
                "MESSAGE=held", "MESSAGE_ID=36f675cc81e74ef5a8e25d940ed90475", "PRIORITY=4",
                "SYSLOG_IDENTIFIER=holdfast",
                "HOLDFAST_CHANGE=3f9a", "HOLDFAST_VERDICT=hold",
            ])
    }

    @Test("a value can forge neither another line nor another field")
    func oneLine() {
        let fields = journalFields(
            of: entry("a\nPRIORITY=0\r\u{1B}[2J\0b", ["HOLDFAST_CHANNEL": "1.32\n_UID=0"]))
        #expect(fields[0] == "MESSAGE=a?PRIORITY=0??[2J?b")
        #expect(fields.last == "HOLDFAST_CHANNEL=1.32?_UID=0")
    }

    @Test(
        "a field under a name that the journal refuses, or that is taken, is left out",
        arguments: [
            "", "_UID", "lower", "A B", "A=B", "1A", "MESSAGE", "PRIORITY", String(repeating: "A", count: 65),
        ])
    func names(_ name: String) { #expect(journalFields(of: entry("x", [name: "y"])).count == 4) }

    @Test("a value of any length is cut to a bound")
    func long() {
        let fields = journalFields(of: entry(String(repeating: "x", count: 1 << 20)))
        #expect(fields[0].utf8.count < 9000)
        #expect(fields[0].hasSuffix("…"))
    }

    @Test(
        "what the journal is sent has one line for each field, whatever their texts hold",
        .enabled(if: geteuid() == 0, "SKIPPED: a journal's socket of one's own needs root"))
    func sent() async {
        await #expect(processExitsWith: .success) {
            // A /run of this thread's own: the library knows one place of the socket.
            // unshare(2), which does not reach Swift, with CLONE_NEWNS.
            let unshare = unsafeBitCast(
                try #require(dlsym(nil, "unshare")), to: (@convention(c) (Int32) -> Int32).self)
            try #require(unshare(0x2_0000) == 0)
            for words in [
                ["--make-rprivate", "/"], ["-t", "tmpfs", "tmpfs", "/run"],
            ] {
                let mounted = try runProcess(["/bin/mount"] + words, timeout: 10_000)
                try #require(mounted.succeeded, "\(String(decoding: mounted.errors, as: UTF8.self))")
            }
            try #require(mkdir("/run/systemd", 0o755) == 0 && mkdir("/run/systemd/journal", 0o755) == 0)
            let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) {
                $0.copyBytes(from: "/run/systemd/journal/socket".utf8)
            }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
            JournalWriter().write(
                JournalEntry(
                    message: .decided, priority: .warning, text: "a\nPRIORITY=0\r\u{1B}[2J\0b\u{2028}",
                    fields: ["HOLDFAST_CHANNEL": "1.32\n_UID=0", "HOLDFAST_X\n_UID": "0"]))
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(listener, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            try #require(count > 0)
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            try #require(
                text == """
                    MESSAGE=a?PRIORITY=0??[2J?b?
                    MESSAGE_ID=36f675cc81e74ef5a8e25d940ed90475
                    PRIORITY=4
                    SYSLOG_IDENTIFIER=holdfast
                    HOLDFAST_CHANNEL=1.32?_UID=0

                    """)
        }
    }

    @Test("writing without a journal does no harm")
    func writing() { JournalWriter().write(entry("holdfast's tests say hello", ["HOLDFAST_TEST": "1"])) }
}
