import FoundationEssentials
import Host
import KubernetesServer
import Model
import ScriptedServer
import Testing

/// A node root for `tick-load` (Tests/TickLoad), with what it takes turns in beside it, and servers for all that it asks.
final class LoadedNode {
    /// What happens on it; the names are those of `tick-load`'s stories.
    enum Story: String {
        /// Nothing.
        case quiet
        /// A K3s server with an API server behind TLS, releases over HTTPS, a webhook, a command and the embedded store.
        case k3s
        /// A snapd that goes through what was recorded of one.
        case microk8s
        /// A K3s server that is looked after, for a year.
        case year
    }

    private let node: SampleNode
    private let story: Story
    private var servers: [ScriptedServer] = []
    private var cluster: KubernetesServer?
    private var certificates: Certificates?

    private static let plain = "apiVersion: holdfast/v1\nunattended: patch\norigin: claimed\n"

    /// - Parameter keep: `ledger.keep`, in days.
    init(_ story: Story, keep: Int = 400) throws {
        self.story = story
        node = try SampleNode()
        let guarded = Self.plain + "enforce: {gate: restore}\nledger: {keep: \(keep)d}\n"
        switch story {
        case .quiet: try policies([Self.plain])
        case .k3s: try joined()
        case .microk8s: try snapd()
        case .year:
            try policies([guarded, guarded + "minimumReleaseAge: {minor: 14d}\n"])
            try versions((5...9).map { "v1.31.\($0)+k3s1" } + (1...9).map { "v1.32.\($0)+k3s1" })
        }
    }

    deinit { servers.forEach { $0.stop() } }

    /// Writes policies in the order in which they are put in place; one that is to be refused begins otherwise.
    private func policies(_ texts: [String]) throws {
        for (index, text) in texts.enumerated() {
            let isBad = !text.hasPrefix("apiVersion: holdfast/v1\n")
            try write(Array(text.utf8), to: "policies/\(index)\(isBad ? "-bad" : "").yaml")
        }
    }

    /// Makes other versions of the sample's binary, in the order in which they are put in place.
    private func versions(_ versions: [String]) throws {
        for (index, version) in versions.enumerated() {
            let name = "versions/\(index < 10 ? "0" : "")\(index)-\(version)"
            try write(try bytes(of: version), to: name)
        }
    }

    private func bytes(of version: String) throws -> [UInt8] {
        try readFile(node.binary, limit: 1 << 24)
            .replacing(Array("v1.31.4+k3s1".utf8), with: Array(version.utf8))
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        let file = URL(filePath: "\(node.directory)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    private func joined() throws {
        let release = ServedFile(try bytes(of: "v1.31.9+k3s1"))
        let digest = try #require(hashBytes(release.bytes)).hex
        let checksums = "\(digest)  k3s\n\(digest)  k3s-arm64\n"
        let certificates = try Certificates()
        self.certificates = certificates
        let site = try ScriptedServer.tcp(tls: certificates.serverIdentity) { request, _ in
            request.target.contains("sha256sum") ? [.answer(checksums)] : release.answer(to: request)
        }
        let receiver = try ScriptedServer.tcp { _, _ in [.answer("")] }
        servers = [site, receiver]
        let source =
            "releases: \"https://127.0.0.1:\(site.port)\", caFile: \(certificates.directory.path)/ca.crt"
        let guarded =
            Self.plain + "gates: none\nbackup: {mode: off}\nenforce: {gate: restore, plans: block}\n"
            + "source: {\(source)}\nledger: {keep: 90d}\nnotify:\n"
            + "  - {webhook: \"http://127.0.0.1:\(receiver.port)/hook\", on: [held, denied, undone, guard-broken, paused]}\n"
            + "  - {command: [/bin/true], on: [held, paused]}\n"
        try policies([
            guarded,
            guarded + "timezone: Europe/Berlin\nwindows: [{days: [sat], start: \"02:00\", duration: 3h}]\n",
            "unattended: pach\n", guarded + "deny: [{versions: \"=1.31.8\", reason: \"it is bad\"}]\n",
        ])
        try versions(["v1.31.5+k3s1", "v1.32.1+k3s1", "v1.31.4+k3s1", "v1.31.8+k3s1", "v1.30.9+k3s1"])
        try write(Array("0123456789abcdef0123456789abcdef\n".utf8), to: "node/etc/machine-id")
        let cluster = try KubernetesServer(
            tls: certificates.serverIdentity, access: .credentials(tokens: [])
        ) { Issue.record("\($0)") }
        self.cluster = cluster
        for name in ["ca.crt", "client.crt", "client.key"] {
            try write(certificates.read(name), to: "node/etc/holdfast/\(name)")
        }
        try write(
            Array(cluster.kubeconfig(certificates: "/etc/holdfast").utf8), to: "node/etc/holdfast/kubeconfig")
        try write(
            Array("kubeconfig: /etc/holdfast/kubeconfig\n".utf8), to: "node/etc/holdfast/node.yaml")
        cluster.put(
            "/api/v1/nodes/sample",
            ["kind": "Node", "metadata": ["labels": ["kubernetes.io/hostname": "sample"]]])
        cluster.put(
            "/apis/upgrade.cattle.io/v1/namespaces/system-upgrade/plans/server-plan",
            [
                "kind": "Plan",
                "spec": [
                    "channel": "https://update.example.test/channels/stable", "nodeSelector": [:],
                    "upgrade": ["image": "rancher/k3s-upgrade"],
                ],
                "status": ["latestVersion": "v1.32.1-k3s1", "latestHash": "0f3c"],
            ])
    }

    private func snapd() throws {
        try FileManager.default.removeItem(atPath: node.root)
        let fixtures = "\(#filePath)".components(separatedBy: "/Commands/")[0] + "/Fixtures/snapd"
        let states = try readFile(fixtures + "/states-2.68.3.jsonl", limit: 1 << 22)
            .split(separator: UInt8(ascii: "\n")).map { try AnyJSON(bytes: $0) }
        let changes = try readFile(fixtures + "/changes-2.68.3.json", limit: 1 << 22)
        let gone = "{\"type\":\"error\",\"status-code\":404,\"status\":\"Not Found\",\"result\":{}}"
        try write([], to: "node/run/placeholder")
        let server = try ScriptedServer.unix("\(node.root)/run/snapd.socket") { request, number in
            // Each for a while.
            let state = states[number / 100 % states.count]
            return switch request.target {
            case "/v2/snaps/microk8s": [.answer(state["snap"]?.bytes ?? [])]
            case "/v2/find?select=refresh": [.answer(state["find"]?.bytes ?? [])]
            case "/v2/system-info": [.answer(state["information"]?.bytes ?? [])]
            case "/v2/changes?select=all&for=microk8s": [.chunked(changes)]
            default: [.answer(gone, status: "404 Not Found")]
            }
        }
        servers.append(server)
        try policies([Self.plain, Self.plain + "pin: {channel: 1.31/stable}\n"])
    }

    /// How many requests it has answered.
    var answered: Int { servers.map(\.received.count).reduce(cluster?.requests.count ?? 0, +) }

    /// Ticks in one process, and says what it held each time so many ticks were over.
    ///
    /// - Parameters:
    ///   - seconds: from tick to tick, by the program's clock.
    ///   - losing: bytes that each tick is to lose.
    func tick(_ ticks: Int, seconds: Int, every: Int, losing: Int? = nil) throws -> [TickFigures] {
        // A sanitizer would have its own way of finding what is lost.
        let program = losing == nil ? Self.program : Self.beside
        var words =
            [program, node.directory, story.rawValue] + [ticks, seconds, every].map(String.init)
        if let losing { words.append("\(losing)") }
        let outcome = try runProcess(
            words, environment: Self.environment,
            timeout: 6 * 3_600_000)
        let errors = String(decoding: outcome.errors.suffix(4000), as: UTF8.self)
        let isDone = outcome.succeeded
        #expect(isDone, "\(outcome.end): \(errors)")
        return try String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(
            TickFigures.init)
    }

    /// How many entries of a kind its ledger has.
    func entries(of kind: String) throws -> Int {
        let outcome = try runProcess(
            [
                "/usr/bin/sqlite3", node.root + "/var/lib/holdfast/ledger.db",
                "SELECT count(*) FROM entry WHERE kind = '\(kind)'",
            ], timeout: 10_000)
        let text = String(decoding: outcome.output, as: UTF8.self)
        return try #require(
            Int(text.filter(\.isNumber)), "\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    /// No cache of freed pieces for each thread, which are counted as if they were in use; and of a build with a sanitizer
    /// also what can no longer be reached at the end.
    private static let environment = [
        "LANG": "C.UTF-8", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
        // What was freed is kept from being used again for a while, which is counted as memory.
        "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=16",
    ]

    /// What was built beside the tests.
    private static let beside =
        URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/tick-load"
    /// That, or `HOLDFAST_TICK_LOAD`: a build with a sanitizer.
    private static let program = ProcessInfo.processInfo.environment["HOLDFAST_TICK_LOAD"] ?? beside
}

/// What a process held, and what lay in the state directory, after so many ticks.
struct TickFigures {
    var tick = 0
    /// In memory, in bytes.
    var resident = 0
    /// Open.
    var descriptors = 0
    /// Allocated and not freed, in bytes.
    var allocated = 0
    /// Bytes, and files, by the first name below the state directory.
    var state: [String: (bytes: Int, files: Int)] = [:]

    init(_ line: Substring) throws {
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            let numbers = try #require(parts.last).split(separator: "/").compactMap { Int($0) }
            let number = try #require(numbers.first, "\(line)")
            switch parts[0] {
            case "tick": tick = number
            case "resident": resident = number
            case "descriptors": descriptors = number
            case "allocated": allocated = number
            default: state[String(parts[0])] = (number, try #require(numbers.last))
            }
        }
    }

    /// All that lies in the state directory.
    var stateBytes: Int { state.values.map(\.bytes).reduce(0, +) }
}
