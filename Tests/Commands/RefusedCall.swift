import FoundationEssentials
import Host
import Model
import Testing

/// One system call of a run that the kernel refuses, by strace's injection.
struct RefusedCall: Sendable, CustomTestStringConvertible {
    var call: String
    var error: String
    /// Which of them, from 1.
    var count: Int
    /// Whether it was to bring the log into the database, which a later run does as well.
    var isOfCheckpoint = false
    var testDescription: String { "\(call) \(count) \(error)" }

    static let hasStrace = FileManager.default.fileExists(atPath: "/usr/bin/strace")

    /// Calls by which state is written, and by which the ledger and other files are read; not every machine has each.
    static let calls = [
        "openat", "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2",
        "link", "linkat", "unlink", "unlinkat", "fchmod", "fchown", "mkdir", "mkdirat", "rmdir", "utimensat",
        "copy_file_range", "flock", "pread64", "getdents64",
    ]

    /// The errors that a file system or a disk answers such a call with.
    ///
    /// - Parameter line: what strace noted of it where it was not refused.
    static func errors(of call: String, _ line: some StringProtocol) -> [String] {
        switch call {
        case "pread64", "getdents64", "flock": ["EIO"]
        case "openat" where !line.contains("O_CREAT"): ["EIO"]
        case "fsync", "fdatasync": ["EIO", "ENOSPC", "EDQUOT"]
        default: ["EIO", "ENOSPC", "EDQUOT", "EROFS"]
        }
    }

    /// What the loader opens and reads before main, by the line that strace noted of it.
    static func isLoaders(_ line: some StringProtocol) -> Bool {
        line.contains(".so\"") || line.contains(".so.") || line.contains(".so>")
    }
}

/// How a run fared of which one call was refused.
struct RefusedRun {
    var answer: SampleNode.Answer
    /// What strace noted of that call.
    var line: String

    /// Whether it was to write what has to be on the disk before a run may say that all is well: an entry of the
    /// ledger.
    ///
    /// `ledger.db` is not of it: until a log has been taken into it, which a later run does as well, the log is what
    /// counts. Nor is the guard file, which one run writes again after each change.
    var wasOfLedger: Bool {
        // `1234 fsync(5</var/lib/holdfast/ledger.db-wal>) = -1 EIO (Input/output error) (INJECTED)`
        guard ["fsync(", "fdatasync(", "pwrite64("].contains(where: line.contains),
            let path = line.split(separator: "<").dropFirst().first?.prefix(while: { $0 != ">" })
        else { return false }
        return ["/ledger.db-wal", "/ledger.db-journal"].contains(where: path.hasSuffix)
    }

    /// Whether it ended with an error that says where.
    var namesAPath: Bool {
        answer.errors.split(separator: "\n").contains { $0.hasPrefix("Error: ") && $0.contains("/") }
    }
}

extension SampleNode {
    private var kept: String { directory + "/kept" }
    private var trace: String { directory + "/trace" }

    private func run(_ words: [String]) throws -> ProcessOutcome {
        try runProcess(words, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], timeout: 60_000)
    }

    /// Remembers the whole root.
    func keep() throws {
        try #require(try run(["/bin/cp", "-a", root, kept]).succeeded)
    }

    /// Puts the whole root back as it was remembered; its inodes are others.
    func putBack() throws {
        try #require(try run(["/bin/rm", "-rf", root]).succeeded)
        try #require(try run(["/bin/cp", "-a", kept, root]).succeeded)
    }

    /// How often a run of a verb makes each of these calls.
    func count(_ calls: [String], of words: [String]) throws -> [String: Int] {
        _ = try traced(words, ["-e", "trace=\(calls.joined(separator: ","))"])
        var counts: [String: Int] = [:]
        for line in try traceLines() {
            guard let call = calls.first(where: { line.contains(" \($0)(") }) else { continue }
            counts[call, default: 0] += 1
        }
        return counts
    }

    /// Every call of a run of a verb that can be refused, with each error; of what the loader asks for none.
    func faults(of words: [String]) throws -> [RefusedCall] {
        let trace = RefusedCall.calls.map { "?" + $0 }.joined(separator: ",")
        _ = try traced(words, ["-y", "-e", "trace=" + trace])
        var found: [String: [RefusedCall]] = [:]
        var counts: [String: Int] = [:]
        let lines = try traceLines()
        for (index, line) in lines.enumerated() {
            guard let call = RefusedCall.calls.first(where: { line.contains(" \($0)(") }) else { continue }
            let count = counts[call, default: 0] + 1
            counts[call] = count
            if RefusedCall.isLoaders(line) { continue }
            let next = lines[(index + 1)...].first { $0.contains("/ledger.db") }
            let isOfCheckpoint = line.contains("/ledger.db-wal>") && next?.contains("/ledger.db>") == true
            found[call, default: []] += RefusedCall.errors(of: call, line)
                .map {
                    RefusedCall(call: call, error: $0, count: count, isOfCheckpoint: isOfCheckpoint)
                }
        }
        return RefusedCall.calls.flatMap { found[$0, default: []] }
    }

    /// Runs a verb of which one call is refused; nil where the run did not make it that often.
    func inPlace(_ words: [String], refusing fault: RefusedCall) throws -> RefusedRun? {
        try inPlace(words, injecting: "error=\(fault.error)", to: fault.call, fault.count)
    }

    /// Runs a verb of which strace makes something else of one call; nil where the run did not make it that often.
    func inPlace(
        _ words: [String], injecting what: String, to call: String, _ count: Int
    ) throws -> RefusedRun? {
        let answer = try traced(
            words, ["-y", "-e", "trace=\(call)", "-e", "inject=\(call):\(what):when=\(count)"])
        return try traceLines().first { $0.contains("(INJECTED)") }
            .map { RefusedRun(answer: answer, line: String($0)) }
    }

    /// What strace noted of the last run.
    func traceLines() throws -> [Substring] {
        String(decoding: try Data(contentsOf: URL(filePath: trace)), as: UTF8.self).split(separator: "\n")
    }

    /// Runs a verb, or another program, under strace with these options of it.
    func traced(
        _ words: [String], _ options: [String], program: String = SampleNode.program
    ) throws -> Answer {
        let outcome = try runProcess(
            ["/usr/bin/strace", "-f", "-qq", "-o", trace] + options + [program] + words + place(of: words),
            environment: ["LANG": "C.UTF-8"], timeout: 60_000)
        guard case .exited(let code) = outcome.end else {
            return Answer(
                code: -1, output: "\(outcome.end)", errors: String(decoding: outcome.errors, as: UTF8.self))
        }
        return Answer(
            code: code, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errors, as: UTF8.self))
    }

    /// What strace noted of the last run.
    func trace(of words: [String], _ options: [String]) throws -> [Substring] {
        _ = try traced(words, options)
        return try traceLines()
    }

    /// What `verify` says of the node's own ledger.
    func verified() throws -> Answer { try Self.run(["verify", "--root", root]) }

    /// Every file in the node's state directory, whatever it holds.
    func stateNames() throws -> Set<String> {
        let state = root + "/var/lib/holdfast"
        guard FileManager.default.fileExists(atPath: state) else { return [] }
        return Set(
            try FileManager.default.subpathsOfDirectory(atPath: state).filter {
                !isDirectory("\(state)/\($0)")
            })
    }

    /// Whether the guard file is whole; also where there is none.
    func guardFileIsWhole() throws -> Bool {
        guard let bytes = try readFileIfPresent(root + "/var/lib/holdfast/guard", limit: GuardFile.largest)
        else {
            return true
        }
        return (try? GuardFile.parse(bytes)) != nil
    }
}
