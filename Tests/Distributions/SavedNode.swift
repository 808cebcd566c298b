import FoundationEssentials
import Host
import Model
import Ports
import SQLite
import ScriptedServer
import Synchronization
import Testing

@testable import Distributions

/// Runs programs as they are, in place of systemd; where it is told to, one goes on until it is let end.
final class ProcessUnits: TransientUnits, Sendable {
    private struct Board {
        var states: [String: TransientState] = [:]
        var started: [TransientTask] = []
        var holds = false
        var refuses = false
    }
    private let board = Mutex(Board())

    var started: [TransientTask] { board.withLock(\.started) }

    func hold(_ isHeld: Bool) { board.withLock { $0.holds = isHeld } }

    /// Has it refuse to begin anything, as systemd does where there is no such program.
    func refuse() { board.withLock { $0.refuses = true } }

    func start(_ task: TransientTask) throws(HostError) {
        guard !board.withLock(\.refuses) else { throw HostError(description: "failed to find executable") }
        let isThere = board.withLock { $0.states[task.unit] != nil }
        guard !isThere else { throw HostError(description: "\(task.unit) was already loaded") }
        board.withLock { $0.started.append(task) }
        if board.withLock(\.holds) {
            board.withLock { $0.states[task.unit] = .running }
            return
        }
        try run(task)
    }

    /// Lets what was held go on to its end.
    func finish(_ unit: String) throws {
        let task = board.withLock { $0.started.last { $0.unit == unit } }
        if let task { try run(task) }
    }

    private func run(_ task: TransientTask) throws(HostError) {
        var environment = task.environment
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        let outcome = try runProcess(task.arguments, environment: environment, timeout: 20_000)
        board.withLock {
            $0.states[task.unit] = outcome.succeeded ? .ended : .failed("it failed (exit-code)")
        }
    }

    func state(of unit: String) throws(HostError) -> TransientState {
        board.withLock { $0.states[unit] ?? .absent }
    }

    func forget(_ unit: String) throws(HostError) { board.withLock { $0.states[unit] = nil } }

    var loaded: [String] { board.withLock { $0.states.keys.sorted() } }
}

/// A node with a distribution's program and data, both made up.
struct SavedNode {
    let node: NodeRoot
    let units = ProcessUnits()
    let guards: NodeGuards
    var installation: InstallationID
    var program: String

    static let snapshot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/etcd/snapshot.db").path

    /// - Parameter script: what its program does; `$SNAPSHOT` is a snapshot that etcd made.
    init(_ distribution: Distribution, script: String = "exit 1") throws {
        node = try NodeRoot()
        guards = NodeGuards(root: node.root, state: "/var/lib/holdfast", transientUnits: units)
        installation = InstallationID(distribution: distribution, name: distribution.rawValue)
        program = distribution == .microk8s ? "/snap/bin/microk8s" : "/usr/local/bin/\(distribution.rawValue)"
        try replaceProgram("#!/bin/sh\nset -e\nSNAPSHOT='\(Self.snapshot)'\n\(script)\n")
        try node.directory.write("K10token", to: "data/server/token")
        try node.directory.write("admin", to: "data/server/cred/passwd")
        try node.directory.write("key", to: "data/server/tls/server-ca.key")
    }

    func replaceProgram(_ text: String) throws {
        makeExecutable(try node.directory.write(text, to: String(program.dropFirst())))
    }

    func path(_ place: String) -> String { node.directory.path + place }

    func backUp(
        _ method: BackupMethod, _ store: DataStore, label: String = "5f1c0a", artifact: Artifact? = nil
    ) throws -> BackUp {
        BackUp(
            installation: installation, method: method, store: store, dataDirectory: "/data", binary: program,
            artifact: try artifact ?? Artifact(version: nil, sha256: hashFile(path(program))),
            directory: "/var/lib/holdfast/backups/\(installation.name)/\(label)", step: label,
            at: Instant(seconds: 1000))
    }

    /// Performs it as the effect loop does.
    @discardableResult
    func perform(_ backUp: BackUp) throws -> EffectProbe {
        let effect = Effect.backUp(backUp)
        let intent = Intent(id: "i", effect: effect, before: try guards.fingerprint(of: effect))
        try guards.perform(effect, before: intent.before)
        return guards.probe(intent)
    }

    func refusal(_ backUp: BackUp) throws -> String {
        let error = try #require(throws: EffectFailure.self) { try perform(backUp) }
        #expect(kept.isEmpty)
        // Nothing of it is left: neither a draft nor a unit.
        let left = (try? listDirectory(path("/var/lib/holdfast/backups/\(installation.name)"))) ?? []
        #expect(left.isEmpty, "\(left)")
        #expect(units.loaded.isEmpty)
        return error.description
    }

    var backups: NodeBackups { NodeBackups(root: node.root, state: "/var/lib/holdfast", units: units) }
    var kept: [KeptBackup] { (try? backups.backups(of: installation)) ?? [] }

    func makeDatabase() throws -> Connection {
        try node.directory.write("", to: "data/server/db/placeholder")
        let writer = try Connection(path: path("/data/server/db/state.db"), mode: .create, busyTimeout: 1000)
        try writer.execute(script: "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
        try writer.execute(script: "CREATE TABLE kine (id INTEGER PRIMARY KEY, value TEXT);")
        for number in Int64(0)..<100 {
            try writer.execute("INSERT INTO kine VALUES (?, 'v')", [.integer(number)])
        }
        return writer
    }
}
