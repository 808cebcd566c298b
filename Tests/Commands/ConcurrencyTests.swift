import FoundationEssentials
import Host
import Model
import Synchronization
import Testing
import Threads

/// What programs that ran at once answered, by what they were asked.
private final class Answers: Sendable {
    private let codes = Mutex<[String: [Int32]]>([:])

    func add(_ code: Int32, of name: String) { codes.withLock { $0[name, default: []].append(code) } }

    func count(_ name: String, _ code: Int32) -> Int {
        codes.withLock { $0[name]?.count { $0 == code } ?? 0 }
    }

    /// What was answered besides what may be: done, and that another is at it.
    var strays: [String] {
        codes.withLock { all in
            all.flatMap { name, codes in codes.filter { $0 != 0 && $0 != 75 }.map { "\(name): \($0)" } }
        }
    }
}

/// A node root on which many programs are at work.
private struct BusyNode: Sendable {
    let root: String
    let policy: String
    let directory: String
    let answers = Answers()
    private static let built = URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()
        .path

    init(_ sample: SampleNode) throws {
        (root, policy, directory) = (sample.root, sample.policy, sample.directory)
        for version in ["v1.32.1+k3s1", "v1.31.4+k3s1"] {
            try sample.install(version)
            try FileManager.default.copyItem(atPath: sample.binary, toPath: "\(directory)/\(version)")
        }
        run("check")
        run("adopt")
        gate()
    }

    /// One program; its exit code is kept under its verb's name.
    @discardableResult
    func run(_ words: String...) -> String {
        let all = ["\(Self.built)/holdfast"] + words + ["--root", root, "--policy", policy]
        return end(all, named: words[0])
    }

    func gate() { end(["\(Self.built)/holdfast-gate", "--root", root, "k3s.service"], named: "gate") }

    @discardableResult
    private func end(_ words: [String], named name: String) -> String {
        let outcome = try? runProcess(
            words, environment: ["LANG": "C.UTF-8", "INVOCATION_ID": "0123456789abcdef0123456789abcdef"],
            timeout: 120_000)
        guard let outcome, case .exited(let code) = outcome.end else {
            answers.add(-1, of: name)
            return ""
        }
        if code != 0, code != 75 {
            Issue.record("\(words): \(code): \(String(decoding: outcome.errors, as: UTF8.self))")
        }
        answers.add(code, of: name)
        let errors = String(decoding: outcome.errors, as: UTF8.self)
        if name == "gate", errors.hasSuffix("[restored]\n") { answers.add(0, of: "put back") }
        if name == "gate", !errors.isEmpty { answers.add(0, of: "told") }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// Somebody puts a version in the binary's place by a rename.
    func bring(_ version: String) throws {
        let binary = root + "/usr/local/bin/k3s"
        try FileManager.default.copyItem(atPath: "\(directory)/\(version)", toPath: binary + ".new")
        try moveFile(binary + ".new", to: binary)
    }

    /// How many entries of each kind the ledger has, but for the proof that ticks ran.
    func entries() throws -> [String: Int] {
        let query = "SELECT kind, count(*) FROM entry WHERE kind <> 'coverage' GROUP BY kind"
        let outcome = try runProcess(
            ["/usr/bin/sqlite3", "\(root)/var/lib/holdfast/ledger.db", query], timeout: 10_000)
        var counts: [String: Int] = [:]
        for line in String(decoding: outcome.output, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: "|")
            counts[String(words[0])] = Int(words[1])
        }
        return counts
    }

    /// How many entries there are of which that holds.
    func count(_ condition: String) throws -> Int? {
        let query = "SELECT count(*) FROM entry JOIN body USING(seq) WHERE \(condition)"
        let outcome = try runProcess(
            ["/usr/bin/sqlite3", "\(root)/var/lib/holdfast/ledger.db", query], timeout: 10_000)
        return Int(String(decoding: outcome.output, as: UTF8.self).filter(\.isNumber))
    }

    /// The names in the state directory, and beside the binary.
    func names() throws -> Set<String> {
        var names: Set<String> = []
        for directory in ["/var/lib/holdfast", "/usr/local/bin", "/etc"] {
            for path in try FileManager.default.subpathsOfDirectory(atPath: root + directory)
            where !path.hasPrefix(".holdfast-pending/") {
                names.insert(directory + "/" + path)
            }
        }
        return names
    }

    func verify() throws {
        let answer = try SampleNode.run(["verify", "--state", root + "/var/lib/holdfast"])
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
    }
}

private let withGate = "apiVersion: holdfast/v1\norigin: claimed\nenforce: {gate: restore}\n"

@Suite("Many at once on one node root", .serialized)
struct ConcurrencyTests {
    private static let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil

    @Test("invariant 8: of ticks at once one records what happened, and the others nothing again")
    func ticks() throws {
        let rounds = Self.isSoak ? 100 : 6
        func play(ticks: Int) throws -> (entries: [String: Int], names: Set<String>) {
            let sample = try SampleNode(policy: withGate)
            defer { withExtendedLifetime(sample) {} }
            let node = try BusyNode(sample)
            for round in 0..<rounds {
                try node.bring(round.isMultiple(of: 2) ? "v1.32.1+k3s1" : "v1.31.4+k3s1")
                runAtOnce(Array(repeating: { node.run("check") }, count: ticks))
                // Who found the ledger busy has left it to the next one.
                node.run("check")
            }
            #expect(node.answers.strays == [])
            try node.verify()
            return (try node.entries(), try node.names())
        }
        let alone = try play(ticks: 1)
        let many = try play(ticks: 8)
        #expect(many.entries == alone.entries)
        #expect(many.names == alone.names)
    }

    @Test(
        "invariants 3, 6, 8 and 10: ticks, a person and the gate at once: each is done once, and nothing is lost or left over"
    )
    func everybody() throws {
        let sample = try SampleNode(policy: withGate)
        defer { withExtendedLifetime(sample) {} }
        let node = try BusyNode(sample)
        let names = try node.names()
        try node.bring("v1.32.1+k3s1")
        node.gate()
        node.run("check")
        let waiting = try SampleNode.run([
            "status", "--output", "json", "--root", node.root, "--policy", node.policy,
        ]).json(CheckAnswer.self)
        let change = try #require(waiting.installations.first?.changes.first).id
        let rounds = Self.isSoak ? 100 : 6
        for _ in 0..<rounds {
            // A pause that another round began is over, so that the gate puts the spare back.
            node.run("resume")
            node.run("check")
            try node.bring("v1.32.1+k3s1")
            runAtOnce(
                Array(repeating: { node.gate() }, count: 3)
                    + Array(repeating: { node.run("check") }, count: 2))
            runAtOnce(
                [
                    { node.run("pause", "--for", "2h", "--reason", "a test") },
                    { node.run("approve", change) }, { node.run("resume") },
                ] + Array(repeating: { node.run("check") }, count: 2)
                    + Array(repeating: { node.gate() }, count: 2)
                    + Array(repeating: { node.run("status") }, count: 2))
        }
        node.run("resume")
        node.run("check")
        #expect(node.answers.strays == [])
        #expect(node.answers.count("gate", 0) == 2 + rounds * 5 && node.answers.count("status", 75) == 0)
        try node.verify()
        let entries = try node.entries()
        let putBack = try node.count("kind = 'gate-acted' AND content LIKE '%\"put-back\"%'")
        #expect(putBack == node.answers.count("put back", 0) && putBack != 0)
        #expect(entries["gate-acted"] == node.answers.count("told", 0), "\(entries)")
        #expect(entries["paused"] == node.answers.count("pause", 0), "\(entries)")
        #expect(entries["approved"] == node.answers.count("approve", 0), "\(entries)")
        #expect(entries["adopted"] == 1)
        #expect(entries["intended"] == entries["effected"])
        // What the gate makes where it tells something, or keeps something aside.
        let more = try node.names().subtracting(names)
        #expect(
            more.isSubset(of: ["/var/lib/holdfast/spool", "/usr/local/bin/.holdfast-pending"]), "\(more)")
    }

    /// All thousand at once in the long form: each is a process, and whatever else runs here would wait for them.
    private static let readers = isSoak ? 1000 : 32

    @Test(
        "a thousand status, many at a time beside ticks: each answers, none waits, and no tick waits for one")
    func status() throws {
        let sample = try SampleNode(policy: withGate)
        defer { withExtendedLifetime(sample) {} }
        let node = try BusyNode(sample)
        let ahead = Mutex(1000)
        let readers: [@Sendable () -> Void] = Array(
            repeating: {
                while ahead.withLock({ left in
                    left -= 1
                    return left >= 0
                }) { node.run("status") }
            }, count: Self.readers)
        let ticker: @Sendable () -> Void = {
            var version = 0
            while ahead.withLock({ $0 > 0 }) {
                version += 1
                try? node.bring(version.isMultiple(of: 2) ? "v1.31.4+k3s1" : "v1.32.1+k3s1")
                node.run("check")
            }
        }
        let before = node.answers.count("check", 0)
        runAtOnce([ticker] + readers)
        #expect(node.answers.count("status", 0) == 1000)
        #expect(node.answers.strays == [] && node.answers.count("check", 75) == 0)
        let ticks = node.answers.count("check", 0) - before
        #expect(ticks > 0)
        print("1000 status, \(Self.readers) at a time, beside \(ticks) ticks")
        try node.verify()
    }
}
