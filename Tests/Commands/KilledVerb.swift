import FoundationEssentials
import Glibc
import Host
import Model
import Testing

/// A program that is killed in the midst of its work on a node root, and what comes before and after it.
struct KilledVerb: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What is run, without the options that name the node.
    var words: [String]
    /// Brings the node to where it begins, from wherever the last one left it.
    var prepare: @Sendable (KillNode) throws -> Void
    /// Whether a person asks for it again who was cut off; else the next tick alone comes to the end.
    var isAskedAgain = true

    static let all = [
        KilledVerb(testDescription: "adopt", words: ["adopt"]) { try $0.does("release") },
        KilledVerb(testDescription: "release", words: ["release"]) { try $0.does("adopt") },
        KilledVerb(testDescription: "pause", words: ["pause", "--for", "2h", "--reason", "a test"]) {
            try $0.does("adopt")
            try $0.does("resume")
        },
        KilledVerb(testDescription: "resume", words: ["resume"]) {
            try $0.does("adopt")
            try $0.does("pause", "--for", "2h", "--reason", "a test")
        },
        KilledVerb(testDescription: "approve", words: ["approve", "all"]) { node in
            try node.does("adopt")
            try node.keepMinor()
            try node.does("check")
        },
        KilledVerb(
            testDescription: "check, once the gate has put the spare back", words: ["check"],
            prepare: { node in
                try node.does("adopt")
                try node.bringMinor()
                try #require(try node.sample.start() == 0)
            }, isAskedAgain: false),
        KilledVerb(
            testDescription: "the gate, as it puts the spare back", words: [],
            prepare: { node in
                try node.does("adopt")
                try node.bringMinor()
            }, isAskedAgain: false),
    ]
}

/// A sample node for kills: a K3s server, a minor to bring to it, and how it stands.
final class KillNode {
    let sample: SampleNode
    private let minor: String
    private let approved: String

    init() throws {
        sample = try SampleNode(
            policy: "apiVersion: holdfast/v1\norigin: claimed\nenforce: {gate: restore}\n")
        minor = sample.directory + "/minor"
        try sample.install("v1.32.1+k3s1")
        try FileManager.default.copyItem(atPath: sample.binary, toPath: minor)
        try sample.install("v1.31.4+k3s1")
        approved = try hashFile(sample.binary).hex
        try does("adopt")
        try #require(try sample.start() == 0)
    }

    /// Runs a verb that has to succeed.
    func does(_ words: String...) throws { try does(words) }

    func does(_ words: [String]) throws {
        let answer = try SampleNode.run(words + place)
        #expect(answer.code == 0, "\(words.joined(separator: " ")): \(answer.output)\(answer.errors)")
    }

    private var place: [String] { ["--root", sample.root, "--policy", sample.policy] }

    /// Somebody replaces the binary by a rename; nothing is kept of an earlier time.
    func bringMinor() throws {
        try? FileManager.default.removeItem(atPath: pending)
        try does("check")
        try FileManager.default.copyItem(atPath: minor, toPath: sample.binary + ".new")
        try moveFile(sample.binary + ".new", to: sample.binary)
    }

    /// The gate has turned the minor away, and it waits to be approved.
    func keepMinor() throws {
        guard (try? FileManager.default.contentsOfDirectory(atPath: pending))?.isEmpty != false else {
            return
        }
        try bringMinor()
        try #require(try sample.start() == 0)
    }

    private var pending: String { sample.root + "/usr/local/bin/.holdfast-pending" }

    /// The change that waits.
    var waiting: String {
        get throws {
            let node = try SampleNode.run(["status", "--output", "json"] + place).json(CheckAnswer.self)
            return try #require(node.installations.first?.changes.first).id
        }
    }

    // MARK: Killing

    /// A call that changes something, and how many of its name there were before it.
    struct Instant: Sendable { var call: String, number: Int }

    /// Calls that change what is on the disk, as strace names them; a question mark where not every machine has it.
    private static let calls = [
        "openat", "write", "pwrite64", "?rename", "?renameat", "renameat2", "?link", "linkat", "?unlink",
        "unlinkat",
        "fsync", "fdatasync", "ftruncate", "?mkdir", "mkdirat", "?rmdir", "fchmod", "?chmod", "fchmodat",
        "fchown",
        "symlinkat", "copy_file_range", "ioctl", "utimensat",
    ]

    /// Where the program could be killed, in the order of a run that is not.
    func instants(of verb: KilledVerb) throws -> [Instant] {
        let log = sample.directory + "/calls"
        let outcome = try strace(verb, ["-o", log, "-e", "trace=" + Self.calls.joined(separator: ",")])
        guard case .exited(0) = outcome.end else {
            throw KillFailure(
                text: "\(verb): \(outcome.end) \(String(decoding: outcome.errors, as: UTF8.self))")
        }
        var counts: [String: Int] = [:]
        let lines = try String(contentsOf: URL(filePath: log), encoding: .utf8).split(separator: "\n")
        return lines.compactMap { line in
            // `1234  openat(AT_FDCWD, "…", O_RDONLY) = 3`: what is short of five digits is filled up.
            guard let text = line.split(separator: " ", maxSplits: 1).last?.drop(while: { $0 == " " }),
                let end = text.firstIndex(of: "(")
            else { return nil }
            let call = String(text[..<end])
            counts[call, default: 0] += 1
            // What opens or asks alone changes nothing.
            if call == "openat", !text.contains("O_CREAT") { return nil }
            if call == "ioctl", !text.contains("FICLONE") { return nil }
            return Instant(call: call, number: counts[call] ?? 0)
        }
    }

    /// Runs the program and kills it before that call; false where it came to its end without it.
    ///
    /// Whatever else ends it is an issue: neither a program that fails nor a strace that does is a kill.
    func kill(_ verb: KilledVerb, at instant: Instant) throws -> Bool {
        let outcome = try strace(
            verb,
            [
                "-o", "/dev/null", "-e", "trace=\(instant.call)", "-e",
                "inject=\(instant.call):signal=KILL:when=\(instant.number)",
            ])
        switch outcome.end {
        // strace ends as what it traced.
        case .signalled(SIGKILL): return true
        case .exited(0): return false
        default:
            Issue.record(
                "\(verb), killed before \(instant.call) \(instant.number): \(outcome.end) \(String(decoding: outcome.errors, as: UTF8.self))"
            )
            return false
        }
    }

    private func strace(_ verb: KilledVerb, _ options: [String]) throws -> ProcessOutcome {
        let built = URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
        var words = verb.words
        if words.last == "all" { words[words.count - 1] = try waiting }
        let program =
            words.isEmpty
            ? ["\(built)/holdfast-gate", "--root", sample.root, "k3s.service"]
            : ["\(built)/holdfast"] + words + place
        return try runProcess(
            ["/usr/bin/strace", "-f", "-qq"] + options + program,
            environment: ["LANG": "C.UTF-8", "INVOCATION_ID": "0123456789abcdef0123456789abcdef"],
            timeout: 60_000)
    }

    /// What comes after a kill, or a run that was none: a start of the unit, a tick, and the person's word again.
    func goOn(_ verb: KilledVerb) throws {
        #expect(isExecutable(sample.binary))
        let there = try hashFile(sample.binary).hex
        #expect(try there == approved || (verb.words.isEmpty && there == hashFile(minor).hex))
        #expect(try sample.start() == 0)
        #expect(try hashFile(sample.binary).hex == approved)
        try does("check")
        guard verb.isAskedAgain else { return }
        var words = verb.words
        if words.last == "all" { words[words.count - 1] = try waiting }
        try does(words)
    }

    /// Every file of the node, with its bytes but for those of the ledger; what is kept aside is told by its bytes alone.
    func standing() throws -> [String: String] {
        var files = try sample.listing()
        for (path, text) in files where path.contains(".holdfast-pending/") {
            files[path] = nil
            files["kept aside: " + text] = ""
        }
        let state = "var/lib/holdfast"
        for path in try FileManager.default.subpathsOfDirectory(atPath: sample.root + "/" + state) {
            // The gate makes these at a start that finds no guard, or a binary that is older than two seconds; what a gate
            // that was killed had begun to tell is taken an hour later.
            let ofGate = ["spool/.", "gate/missed", "gate/known"]
            if path == "spool" || ofGate.contains(where: path.hasPrefix) { continue }
            // SQLite's own beside a database, until somebody opens it next.
            if path.hasSuffix("-wal") || path.hasSuffix("-shm") { continue }
            files[state + "/" + path] = ""
        }
        let guardFile = "\(sample.root)/\(state)/guard"
        if let text = try? String(contentsOf: URL(filePath: guardFile), encoding: .utf8) {
            for line in text.split(separator: "\n") {
                let word = line.prefix { $0 != " " }
                // Since when, by which inode, and how many entries there were, is another time each time.
                if word == "paused-until" { files["guard: paused"] = "" }
                if ["mode", "unit", "binary", "vault", "pending"].contains(word) {
                    files["guard: \(line)"] = ""
                }
                if word == "approved" { files["guard: \(line.split(separator: " ").prefix(3))"] = "" }
                if word == "intent" { files["guard: an open intent"] = "" }
            }
        }
        return files
    }

    func verify() throws {
        let answer = try SampleNode.run(["verify", "--state", sample.root + "/var/lib/holdfast"])
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
    }
}

struct KillFailure: Error { var text: String }
