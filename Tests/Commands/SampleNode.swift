import FoundationEssentials
import Host
import Testing

/// A node root of its own with a K3s server in it, and the built program to look at it with.
///
/// The root is made by the script that `make run` uses; the program is the one that was built beside the tests.
final class SampleNode {
    let directory: String
    var root: String { directory + "/node" }
    var state: String { directory + "/state" }
    var policy: String { directory + "/policy.yaml" }
    var binary: String { root + "/usr/local/bin/k3s" }

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().path

    init(_ version: String = "v1.31.4+k3s1", policy: String = "apiVersion: holdfast/v1\nunattended: patch\n")
        throws
    {
        directory = FileManager.default.temporaryDirectory.path + "/holdfast-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try install(version)
        try write(policy)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Does what an installer does: the binary is replaced by a rename.
    func install(_ version: String) throws {
        let outcome = try runProcess(
            [Self.repository + "/Packaging/scripts/sample-root", root, version],
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory,
                "HOLDFAST_BUILD": directory + "/build",
            ], timeout: 60_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    /// Writes the policy file.
    func write(_ policy: String) throws { try Data(policy.utf8).write(to: URL(filePath: self.policy)) }

    /// The release's checksum file of a version that was installed.
    func checksums(_ version: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: root + "/var/tmp")
        let name = try #require(names.first { $0.hasSuffix("-\(version).txt") })
        return root + "/var/tmp/" + name
    }

    /// What a run of the program gave.
    struct Answer {
        let code: Int32
        let output: String
        let errors: String

        /// The output as JSON.
        func json<T: Decodable>(_ type: T.Type) throws -> T {
            try JSONDecoder().decode(type, from: Data(output.utf8))
        }
    }

    /// Runs a verb that looks at this node.
    func holdfast(_ words: String...) throws -> Answer {
        try Self.run(words + ["--root", root, "--policy", policy, "--state", state])
    }

    /// Runs the program with just these words.
    static func run(_ words: [String], environment: [String: String] = [:]) throws -> Answer {
        let program =
            URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
        let outcome = try runProcess(
            [program] + words, environment: environment.merging(["LANG": "C.UTF-8"]) { $1 }, timeout: 60_000)
        guard case .exited(let code) = outcome.end else {
            Issue.record("holdfast \(words.joined(separator: " ")) ended as \(outcome.end)")
            return Answer(code: -1, output: "", errors: "")
        }
        return Answer(
            code: code, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errors, as: UTF8.self))
    }
}

/// What `check --output json` prints, as a script would read it.
struct CheckAnswer: Decodable {
    struct Policy: Decodable {
        let path: String
        let sha256: String?
        let valid: Bool
    }
    struct Installed: Decodable {
        let version: String?
        let sha256: String?
        let evidence: String
        let origin: String
        let path: String
    }
    struct Approved: Decodable {
        let version: String?
        let confirmed: Bool
    }
    struct Reason: Decodable {
        let rule: String
        let result: String
        let text: String
        let source: String
    }
    struct Decision: Decodable {
        let id: String
        let verdict: String
        let reasons: [Reason]
    }
    struct Change: Decodable {
        let id: String
        let trigger: String
        let updateType: String
        let skipsMinor: Bool
        let phase: String
        let from: String?
        let to: String?
        let decision: Decision
    }
    struct Installation: Decodable {
        let distribution: String
        let role: String?
        let units: [String]
        let installed: Installed
        let approved: Approved?
        let changes: [Change]
    }
    struct Problem: Decodable { let code: String }

    let node: String
    let policy: Policy
    let installations: [Installation]
    let problems: [Problem]
}

extension SampleNode {
    /// Runs SQL on a ledger with the sqlite3 shell, as somebody would who wants to change it.
    static func edit(_ state: String, _ sql: String) throws -> Int32 {
        let outcome = try runProcess(["/usr/bin/sqlite3", state + "/ledger.db", sql], timeout: 10_000)
        guard case .exited(let code) = outcome.end else { return -1 }
        return code
    }
}

extension SampleNode {
    /// A node on which a patch and then a minor were put, each of which a tick decided on.
    static func decided(policy: String? = nil) throws -> SampleNode {
        let node = try SampleNode()
        if let policy { try node.write(policy) }
        for version in ["v1.31.4+k3s1", "v1.31.5+k3s1", "v1.32.1+k3s1"] {
            try node.install(version)
            _ = try node.holdfast("check")
        }
        return node
    }

    /// Replaces the binary by other bytes, in its place.
    func rewriteBinary(_ change: (Data) throws -> Data) throws {
        let file = URL(filePath: binary)
        try change(Data(contentsOf: file)).write(to: file)
    }

    private var lock: String { directory + "/locked" }

    /// Has another process begin a transaction in the ledger, and stay in it until `unlockLedger`, or for a minute.
    ///
    /// - Parameter path: of the database; nil for the one of `--state`.
    func lockLedger(at path: String? = nil) throws {
        let script = """
            { printf 'BEGIN IMMEDIATE;\\n.shell touch %s\\n' "$2"
              printf '.shell for i in $(seq 600); do [ -e %s ] || break; sleep 0.1; done\\n' "$2"
            } | /usr/bin/sqlite3 "$1" >/dev/null 2>&1 &
            for i in $(seq 100); do [ -e "$2" ] && exit 0; sleep 0.1; done
            exit 1
            """
        let outcome = try runProcess(
            ["/bin/sh", "-c", script, "sh", path ?? state + "/ledger.db", lock],
            environment: ["PATH": "/usr/bin:/bin"], timeout: 20_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    /// Lets that process go.
    func unlockLedger() throws { try FileManager.default.removeItem(atPath: lock) }
}
