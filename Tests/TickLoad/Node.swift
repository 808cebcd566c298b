import Commands
import FoundationEssentials
import Glibc
import Host

/// A node root in a directory, and the program's verbs, run in this process, that look at it.
///
/// Beside `node` lie `policy.yaml`, which is put there, and what it and the node's binary are replaced by in turn, in the
/// order of their names: `policies`, `versions`.
final class Node {
    private let directory: String
    private var policies: Turn
    private var versions: Turn
    /// Whether the policy is meant to be refused.
    private(set) var isPolicyBad = false
    var root: String { directory + "/node" }
    var state: String { root + "/var/lib/holdfast" }
    private var policy: String { directory + "/policy.yaml" }

    init(_ directory: String) throws {
        self.directory = directory
        policies = try Turn(directory + "/policies")
        versions = try Turn(directory + "/versions")
        try changePolicy()
    }

    /// Files that come one after the other, and then again from the first.
    private struct Turn {
        private let paths: [String]
        private var next = 0

        init(_ directory: String) throws {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            paths = names.sorted().map { "\(directory)/\($0)" }
        }

        mutating func take() throws -> String {
            guard !paths.isEmpty else { throw Trouble("there is nothing to take turns") }
            defer { next = (next + 1) % paths.count }
            return paths[next]
        }
    }

    /// Runs a verb as the program does; anything else than one of these exit codes is trouble.
    func holdfast(_ words: String..., codes: Set<Int32> = [0]) throws {
        try run(words + ["--policy", policy], codes)
    }

    /// The same of a verb that asks no policy.
    func holdfast(ofLedger words: String..., codes: Set<Int32> = [0]) throws { try run(words, codes) }

    private func run(_ words: [String], _ codes: Set<Int32>) throws {
        let code = Commands.run(words + ["--root", root], environment: ["LANG": "C.UTF-8"])
        guard codes.contains(code) else { throw Trouble("\(words.joined(separator: " ")) answers \(code)") }
    }

    /// A tick.
    func check() throws { try holdfast("check", codes: isPolicyBad ? [78] : [0]) }

    /// Somebody puts the next policy in place.
    func changePolicy() throws {
        let next = try policies.take()
        isPolicyBad = next.hasSuffix("-bad.yaml")
        try put(next, at: policy, mode: 0o644)
    }

    /// Somebody's installer replaces the binary by the next version, by a rename.
    func install() throws { try put(try versions.take(), at: root + "/usr/local/bin/k3s", mode: 0o755) }

    private func put(_ source: String, at path: String, mode: mode_t) throws {
        let bytes = try readFile(source, limit: 1 << 24)
        let draft = path + ".new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC, mode)
        guard file >= 0 else { throw Trouble("\(draft) cannot be written: \(errno)") }
        let written = write(file, bytes, bytes.count)
        close(file)
        guard written == bytes.count, rename(draft, path) == 0 else {
            throw Trouble("\(path) cannot be replaced: \(errno)")
        }
    }

    /// The gate looks at the unit, as before a start of it.
    func start() throws {
        guard let beside = Machine.programDirectory else {
            throw Trouble("nobody knows where this program is")
        }
        let outcome = try runProcess(
            [beside + "/holdfast-gate", "--root", root, "k3s.service"],
            environment: ["INVOCATION_ID": "0123456789abcdef0123456789abcdef"], timeout: 60_000)
        guard outcome.succeeded else { throw Trouble("the gate ended as \(outcome.end)") }
    }

    /// A person lets what waits pass, change by change as `approve` lists them.
    func approveAll() throws {
        let listed = try captured("approve", "--output", "json")
        for change in listed.ranges(of: "\"change\":\"").map({
            listed[$0.upperBound...].prefix { $0 != "\"" }
        }) {
            try holdfast("approve", String(change))
        }
    }

    /// What a verb prints.
    private func captured(_ words: String...) throws -> String {
        let path = directory + "/captured"
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        let before = dup(STDOUT_FILENO)
        guard file >= 0, before >= 0, dup2(file, STDOUT_FILENO) >= 0 else {
            throw Trouble("\(path) cannot take standard output: \(errno)")
        }
        close(file)
        defer {
            dup2(before, STDOUT_FILENO)
            close(before)
        }
        try run(words + ["--policy", policy], [0])
        return String(decoding: try readFile(path, limit: 1 << 20), as: UTF8.self)
    }
}
