import FoundationEssentials
import Glibc
import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

@Suite("a ledger that is damaged, torn, locked or cannot be read (invariants 3 and 8)")
struct DamagedLedgerTests {
    /// Reads from the first byte on of a page as SQLite counts them.
    private static let page = 4096

    private func adopted() throws -> SampleNode {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        #expect(try node.inPlace("check").code == 0)
        return node
    }

    private func database(_ node: SampleNode) -> String { node.root + "/var/lib/holdfast/ledger.db" }

    /// Whatever a run makes of it: it ends by itself, with an error where it does not do its work.
    private func isAnswered(_ answer: SampleNode.Answer) -> Bool {
        answer.code == 0 || answer.code == 1 && answer.errors.contains("Error: ")
    }

    @Test(
        "bytes flipped in any one page: reading and ticks end, the start is let through, and a whole ledger is what is left"
    )
    func pages() throws {
        let node = try adopted()
        let whole = try Data(contentsOf: URL(filePath: database(node)))
        let approved = try hashFile(node.binary)
        try node.keep()
        let count = whole.count / Self.page
        #expect(count > 10)
        var setAside = 0
        for page in 0..<count {
            try node.putBack()
            var bytes = whole
            // The head of a page says what it is; the rest of it is overwritten in pieces, as a disk loses sectors.
            for offset in [0, 512, 2048, 3584] {
                let start = page * Self.page + offset
                for index in start..<min(start + 64, bytes.count) { bytes[index] ^= 0xa5 }
            }
            try bytes.write(to: URL(filePath: database(node)))
            for verb in ["verify", "status", "check"] {
                let answer = try verb == "verify" ? node.verified() : node.inPlace(verb)
                #expect(verb == "verify" || isAnswered(answer), "page \(page) \(verb): \(answer)")
                #expect((0...1).contains(answer.code), "page \(page) \(verb): \(answer)")
            }
            #expect(try node.start() == 0)
            #expect(try hashFile(node.binary) == approved, "page \(page)")
            // What opening did not see a later tick does.
            _ = try node.inPlace("check")
            #expect(try node.inPlace("check").code == 0, "page \(page)")
            #expect(try node.guardFileIsWhole(), "page \(page)")
            let names = try node.stateNames()
            let verified = try node.verified()
            guard names.contains(where: { $0.hasPrefix("ledger.db.corrupt-") }) else {
                // What no tick reads is there still, whole or told of.
                let isNamed =
                    verified.code == 1 && (verified.output + verified.errors).contains("  damage  ")
                    || verified.errors.contains("damaged (")
                #expect(verified.code == 0 || isNamed, "page \(page): \(verified)")
                continue
            }
            setAside += 1
            #expect(verified.code == 0, "page \(page): \(verified)")
            #expect(try node.inPlace("status").output.contains("confirmed"), "page \(page)")
        }
        print("\(setAside) of \(count) damaged pages had the ledger set aside")
        #expect(setAside >= count / 2, "\(setAside) of \(count)")
    }

    @Test("a log that was cut anywhere, or has a flipped byte, costs what was written last and nothing else")
    func log() throws {
        let node = try adopted()
        // Somebody who has it open keeps the log from being taken in.
        try node.holdOpen(database(node))
        defer { node.letGo() }
        try node.install("v1.31.5+k3s1")
        #expect(try node.inPlace("check").code == 0)
        let log = database(node) + "-wal"
        let bytes = try Data(contentsOf: URL(filePath: log))
        try #require(bytes.count > 4 * 4120)
        try node.keep()
        node.letGo()
        // A frame is 24 bytes and a page behind a head of 32.
        let cuts = [
            0, 1, 31, 32, 33, 32 + 24, 32 + 4120, 32 + 4120 * 2 - 1, bytes.count - 4120, bytes.count - 1,
        ]
        for cut in cuts {
            try node.putBack()
            try bytes.prefix(cut).write(to: URL(filePath: log))
            try converges(node, "cut at \(cut)")
        }
        for index in [3, 20, 32 + 9, 32 + 100, 32 + 4120 + 60, bytes.count - 2000] {
            try node.putBack()
            var flipped = bytes
            flipped[index] ^= 0x40
            try flipped.write(to: URL(filePath: log))
            try converges(node, "flipped at \(index)")
        }
    }

    private func converges(_ node: SampleNode, _ place: String) throws {
        _ = try? FileManager.default.removeItem(atPath: database(node) + "-shm")
        #expect(isAnswered(try node.inPlace("status")), "\(place)")
        let answer = try node.inPlace("check")
        #expect(answer.code == 0, "\(place): \(answer.errors)")
        #expect(try node.start() == 0, "\(place)")
        #expect(try node.verified().code == 0, "\(place)")
        #expect(try !node.stateNames().contains { $0.hasPrefix("ledger.db.corrupt-") }, "\(place)")
        #expect(try node.inPlace("status").output.contains("confirmed"), "\(place)")
    }

    struct Read: Sendable, CustomTestStringConvertible {
        var call: String
        /// What strace makes of it.
        var answer: String
        /// Of how many one is tried.
        var stride = 1
        var testDescription: String { "\(call) \(answer)" }
    }

    @Test(
        "a read that the disk refuses once is no damage and no absence: the ledger and every guard stay where they are",
        .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"),
        arguments: [
            Read(call: "pread64", answer: "error=EIO"), Read(call: "pread64", answer: "retval=0", stride: 3),
            Read(call: "pread64", answer: "retval=1", stride: 3),
            Read(call: "getdents64", answer: "error=EIO"),
            Read(call: "readlink", answer: "error=EIO", stride: 40),
        ])
    func failedRead(read: Read) throws {
        let node = try adopted()
        try node.keep()
        let whole = try node.listing()
        let reads = try node.count([read.call], of: ["check"])[read.call, default: 0]
        #expect(reads > 5)
        var tried = 0
        for count in Swift.stride(from: 1, through: reads, by: read.stride) {
            try node.putBack()
            guard
                let refused = try node.inPlace(["check"], injecting: read.answer, to: read.call, count),
                !RefusedCall.isLoaders(refused.line)
            else { continue }
            let answer = refused.answer
            if answer.errors.contains("loading shared libraries") { continue }
            tried += 1
            let place = "\(read) \(count): \(answer)"
            #expect([0, 1, 78].contains(answer.code), "\(place)")
            #expect(answer.code != 1 || answer.errors.contains("Error: "), "\(place)")
            #expect(try node.listing() == whole, "\(place)")
            #expect(try node.start() == 0, "\(place)")
            #expect(try node.inPlace("check").code == 0, "\(place)")
            #expect(try node.verified().code == 0, "\(place)")
            #expect(try node.listing() == whole, "\(place)")
            // What a disk makes up instead of a page is damage as far as anybody can tell.
            let isSetAside = try node.stateNames().contains { $0.hasPrefix("ledger.db.corrupt-") }
            #expect(!isSetAside || read.answer != "error=EIO", "\(place)")
        }
        // The others are the loader's.
        #expect(tried > reads / read.stride / 2, "\(tried) of \(reads)")
    }

    @Test(
        "damage that shows after the tick took what the gate left: what was put back is answered all the same",
        .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
    func afterTheSpool() throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try node.start() == 0)
        #expect(try node.inPlace("check").code == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        try node.keep()
        let words = ["check", "--exit-code"]
        let calls = ["-y", "-e", "trace=pread64,unlink,openat"]
        let lines = try node.trace(of: words, calls)
        let isTaken = { (line: Substring) in line.contains(" unlink(") && line.contains("/spool/") }
        let taken = try #require(lines.firstIndex(where: isTaken))
        // The reads of the ledger from then on, as strace counts reads.
        let reads = lines.indices.filter { lines[$0].contains(" pread64(") }
        let later = reads.indices.filter { reads[$0] > taken && lines[reads[$0]].contains("/ledger.db>") }
        var damaged = 0
        for read in later {
            try node.putBack()
            let answer = try node.traced(words, calls + ["-e", "inject=pread64:retval=0:when=\(read + 1)"])
            let trace = try node.traceLines()
            let noted = trace.firstIndex { $0.contains("/ledger.suspect\"") && $0.contains("O_CREAT") }
            guard let noted, let taken = trace.firstIndex(where: isTaken), taken < noted else { continue }
            damaged += 1
            #expect(answer.code == 11, "\(read): \(answer)")
            #expect(try node.verified().code == 0)
        }
        #expect(damaged > 0, "of \(later.count)")
    }

    @Test("while another process writes, a tick ends as busy, the start is let through, and reading goes on")
    func busy() throws {
        let node = try adopted()
        try node.lockLedger(at: database(node))
        try node.install("v1.31.5+k3s1")
        let check = try node.inPlace("check")
        #expect(check.code == 75 && check.errors.contains("another process"), "\(check)")
        #expect(try node.start() == 0)
        #expect(try node.inPlace("status").code == 0)
        #expect(try node.verified().code == 0)
        try node.unlockLedger()
        #expect(try node.inPlace("check").code == 0)
    }

    @Test(
        "what was cut off as the ledger was begun is told as what it is",
        .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
    func hotJournal() throws {
        let node = try SampleNode(policy: withGate)
        let fault = RefusedCall(call: "unlink", error: "EIO", count: 2)
        let begun = try #require(try node.inPlace(["adopt"], refusing: fault)).answer
        #expect(begun.code == 1 && begun.errors.contains("journalctl -k"), "\(begun)")
        let verified = try node.verified()
        #expect(verified.code == 1 && verified.errors.contains("'holdfast check' opens it"), "\(verified)")
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try node.verified().code == 0)
    }
}

extension SampleNode {
    private var held: String { directory + "/held" }

    /// Has another process keep a ledger open, until `letGo` or for a minute.
    func holdOpen(_ path: String) throws {
        let script = """
            { printf 'SELECT count(*) FROM entry;\\n.shell touch %s\\n' "$2"
              printf '.shell for i in $(seq 600); do [ -e %s ] || break; sleep 0.1; done\\n' "$2"
            } | /usr/bin/sqlite3 "$1" >/dev/null 2>&1 &
            for i in $(seq 100); do [ -e "$2" ] && exit 0; sleep 0.1; done
            exit 1
            """
        let outcome = try runProcess(
            ["/bin/sh", "-c", script, "sh", path, held], environment: ["PATH": "/usr/bin:/bin"],
            timeout: 20_000)
        try #require(outcome.succeeded)
    }

    /// Lets that process go.
    func letGo() { _ = try? FileManager.default.removeItem(atPath: held) }
}
