import Fleet
import FoundationEssentials
import Glibc
import Host
import Model
import Ports
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

/// Traces runs on a node root, and judges every path that they make, write, rename or take away, as the kernel was asked to.
private struct Watch {
    let node: SampleNode
    /// Where a program that heeds TMPDIR, HOME and the like would write.
    let bait: String
    /// The paths on the node, and which verbs changed something there.
    private(set) var seen: [String: Set<String>] = [:]
    /// Those that were opened to be made where they are missing.
    private(set) var made: Set<String> = []
    /// What was put in its place by a rename after it had been flushed, by the end of its path.
    private(set) var flushed: Set<String> = []
    /// By the path that they had: files whose bytes are on the disk.
    private var synced: Set<String> = []

    /// What a power cut must not leave empty: the gate acts by it, or nobody writes it again.
    static let lasting = ["/guard", "/gate/last-ran/", "/spool/", "/zz-holdfast.conf"]

    private static let calls =
        "open,openat,?openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,"
        + "mkdirat,rmdir,mknod,mknodat,chmod,fchmodat,chown,lchown,fchownat,truncate,setxattr,lsetxattr,bind,"
        + "fsync,fdatasync"

    /// Where a node's own directories are, none of which anybody but root may write in.
    private static let own = [
        "/var/lib/holdfast", "/run/holdfast", "/usr/local/bin", "/etc/systemd/system", "/etc/holdfast",
        "/var/lib/prometheus/node-exporter",
    ]

    init(_ node: SampleNode) throws {
        self.node = node
        bait = node.directory + "/bait"
        try FileManager.default.createDirectory(atPath: bait, withIntermediateDirectories: true)
    }

    /// Runs a verb that does what it is asked to.
    mutating func run(_ words: [String], program: String = SampleNode.program) throws {
        let bait = bait
        let answer = try node.traced(
            words,
            ["--seccomp-bpf", "-y", "-e", "trace=\(Self.calls)", "-s", "400"]
                + [
                    "TMPDIR", "TMP", "TEMP", "HOME", "SQLITE_TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
                    "XDG_CACHE_HOME",
                ].flatMap { ["-E", "\($0)=\(bait)"] }
                // Of a start, by which the gate lists it.
                + ["-E", "INVOCATION_ID=0123456789abcdef0123456789abcdef"], program: program)
        #expect((0...1).contains(answer.code), "\(words): \(answer)")
        synced = []
        for line in try node.traceLines() {
            if line.contains(" fsync(") || line.contains(" fdatasync(") {
                // `1234 fsync(5</var/lib/holdfast/.guard.1234.tmp>) = 0`
                if line.hasSuffix("= 0") {
                    synced.insert(String(line.split(separator: "<").last?.prefix { $0 != ">" } ?? ""))
                }
            } else {
                judge(line, of: words)
            }
        }
    }

    mutating func run(_ words: String...) throws { try run(words) }

    /// Runs what stands before a start.
    mutating func start() throws { try run(["--root", node.root, "k3s.service"], program: node.gateProgram) }

    /// Records the paths of one call, where it changes something.
    private mutating func judge(_ line: Substring, of words: [String]) {
        let isOpen = line.contains(" open(") || line.contains(" openat(") || line.contains(" openat2(")
        let isWriting = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].contains { line.contains($0) }
        guard !isOpen || isWriting, !line.contains("+++"), !line.contains("---") else { return }
        // One that is on the way and there.
        guard !line.contains("EEXIST") || !line.contains(" mkdir") else { return }
        let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
        var paths: [String] = []
        for index in stride(from: 1, to: parts.count, by: 2) {
            var path = String(parts[index])
            if path == "/dev/null" || path == "/dev/tty" { continue }
            // A name in a directory that was opened before: `openat(5</var/lib>, "name"`.
            if !path.hasPrefix("/") {
                let directory = parts[index - 1].split(separator: "<").last?.prefix { $0 != ">" } ?? ""
                path = "\(directory)/\(path)"
            }
            #expect(path.hasPrefix(node.root + "/"), "\(words): \(line)")
            let own = String(path.dropFirst(node.root.count))
            // The directories on the way are made where they are missing.
            #expect(
                Self.own.contains { own == $0 || own.hasPrefix($0 + "/") || $0.hasPrefix(own + "/") },
                "\(words): \(line)")
            seen[own, default: []].insert(words[0])
            if line.contains("O_CREAT") { made.insert(own) }
            paths.append(path)
        }
        if line.contains(" rename"), let from = paths.first, let to = paths.last,
            let kind = Self.lasting.first(where: {
                to.hasSuffix($0) || ($0.hasSuffix("/") && to.contains($0))
            })
        {
            #expect(synced.contains(from), "\(words): \(line)")
            flushed.insert(kind)
        }
        // Whoever planted a link under a name that is to be made finds it refused.
        if isOpen, line.contains("O_CREAT") {
            #expect(line.contains("O_NOFOLLOW") || line.contains("O_EXCL"), "\(words): \(line)")
        }
    }

    /// That it saw what there was to see, and that nothing heeded the environment.
    func expect(_ ends: String...) throws {
        for end in ends { #expect(seen.keys.contains { $0.hasSuffix(end) }, "\(end): \(seen.keys.sorted())") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: bait) == [])
    }
}

@Suite(
    "what root writes", .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
struct WrittenPathsTests {
    @Test(
        "nothing lies where others may write, whatever the environment says, and no link is followed on the way"
    )
    func everyPath() throws {
        let node = try SampleNode(
            policy: withGate + "notify: [{command: [/bin/true], on: [held, paused]}]\n")
        for path in ["/var/lib/prometheus/node-exporter", "/etc/holdfast"] {
            try FileManager.default.createDirectory(
                atPath: node.root + path, withIntermediateDirectories: true)
        }
        var watch = try Watch(node)
        try watch.run("init", "--team", "homelab", "--policy", node.root + "/etc/holdfast/policy.yaml")
        try watch.run(
            "init", "--team", "frozen", "--replace", "--policy", node.root + "/etc/holdfast/policy.yaml")
        try watch.run("adopt")
        try watch.start()
        try watch.run("check")
        try node.install("v1.32.1+k3s1")
        try watch.run("check")
        try watch.start()
        // Its spare is the binary now, so this start takes a copy of what the vault has.
        try node.install("v1.32.1+k3s1")
        try watch.start()
        try watch.run("check")
        let change = try #require(
            node.inPlace("check", "--dry-run", "-o", "json").json(CheckAnswer.self).installations.first?
                .changes.first
        ).id
        try watch.run("approve", change, "--reason", "x")
        try watch.run("revoke", try word(node))
        try watch.run("deny", change, "--reason", "x")
        try watch.run("revoke", try word(node))
        try watch.run("pause", "--for", "2h", "--reason", "x")
        try watch.run("resume")
        try watch.run(
            "catalog", "import", try node.checksums("v1.32.1+k3s1"), "--version", "v1.32.1+k3s1")
        let support = node.directory + "/kubernetes.json"
        try Data(
            #"[{"cycle":"1.33","releaseDate":"2025-04-23","eol":"2026-06-28","latest":"1.33.15","latestReleaseDate":"2026-10-01"}]"#
                .utf8
        ).write(to: URL(filePath: support))
        try watch.run("catalog", "import", support)
        try watch.run("check")
        let state = node.root + "/var/lib/holdfast"
        for words in [
            ["status"], ["status", "--paths"], ["status", "--output", "prometheus"], ["explain"],
            ["doctor", "--deep"], ["verify"], ["history", "--output", "html"],
            ["history", "--output", "csv"], ["history", "--absence", "k3s.service", "--since", "1d"],
            ["merge", state], ["replay", "--all"], ["simulate", "--policy", node.policy],
            ["simulate", "--incident", "all", "--corpus", DocumentedNode.repository + "/Policies/incidents"],
            ["catalog", "list"], ["policy", "lint", node.policy], ["policy", "show", node.policy],
            ["policy", "test", DocumentedNode.repository + "/Policies/homelab.cases.yaml"],
            ["manual", "holdfast.1"], ["completions", "bash"], ["rollback", "--reason", "x"], ["release"],
        ] { try watch.run(words) }
        try watch.expect(
            "/guard", ".holdfast-spare", "/zz-holdfast.conf", "ledger.db-wal", "/holdfast.prom",
            "/policy.yaml", "/policy.yaml.old", "/support.tsv", "/notify.lock", "/gate/starts/k3s.service",
            "/artifact.lock", "/.k3s.holdfast-copy")
        #expect(watch.seen.keys.contains { $0.contains("/.holdfast-pending/k3s.") })
        #expect(watch.flushed == Set(Watch.lasting))
        #expect(watch.seen.count > 30)
    }

    /// What a person said that can be taken back.
    private func word(_ node: SampleNode) throws -> String {
        struct Named: Decodable { let id: String }
        struct Words: Decodable {
            let approvals: [Named]
            let denials: [Named]
        }
        let words = try node.inPlace("approve", "-o", "json").json(Words.self)
        return try #require((words.approvals + words.denials).first).id
    }

    @Test("nor what the verbs of a fleet write, nor a step as far as one comes without systemd")
    func fleet() throws {
        let fleet = try FleetNode(
            "stages: [{name: all}]\norigin: claimed\n", releases: ["v1.31.8+k3s1", "v1.31.9+k3s1"])
        try fleet.join("gone") { $0.stage = "all" }
        try fleet.book().quarantine(
            FleetQuarantine(
                bytes: String(repeating: "a", count: 64), distribution: .k3s, version: nil, reason: "x",
                node: "gone", at: Instant(seconds: 1_700_000_000)), isNew: true)
        try fleet.node.write(
            FleetNode.policy("stages: [{name: all}]\norigin: claimed\n", releases: fleet.mirror)
                .replacing("backup: {mode: off}\n", with: ""))
        var watch = try Watch(fleet.node)
        try watch.run("check", "--fleet")
        try watch.run("upgrade", "k3s", "v1.31.9+k3s1", "--reason", "x")
        for words in [
            ["rollout", "pause", "--reason", "x"], ["rollout", "resume"], ["rollout", "status"],
            ["rollout", "evict", "gone"], ["quarantine", "clear", "aa"], ["fleet", "forget", "gone"],
            ["fleet", "join"], ["check", "--fleet"], ["status", "--fleet"], ["check"], ["step"], ["check"],
            ["step"], ["rollout", "abort", "--reason", "x"], ["check"],
        ] { try watch.run(words) }
        try watch.expect("/fleet.db-wal", "/fleet.lock", "/step.lock")
    }

    @Test("nor what is done about a ledger that is damaged")
    func damaged() throws {
        let node = try SampleNode(policy: withGate)
        var watch = try Watch(node)
        try watch.run("adopt")
        try watch.run("check")
        let state = "/var/lib/holdfast"
        let database = node.root + state + "/ledger.db"
        try node.keep()
        // Of some pages it is seen when the ledger is opened, of others when they are read.
        let count = try Data(contentsOf: URL(filePath: database)).count / 4096
        for page in 1..<count {
            try node.putBack()
            let file = open(database, O_WRONLY)
            for offset in [0, 512, 2048, 3584] {
                _ = pwrite(file, [UInt8](repeating: 0xa5, count: 64), 64, page * 4096 + offset)
            }
            close(file)
            for _ in 1...2 { try watch.run("check") }
            if watch.made.contains(state + "/ledger.suspect") { break }
        }
        #expect(watch.made.contains(state + "/ledger.suspect"))
        #expect(watch.seen.keys.contains { $0.contains("/ledger.db.corrupt-") })
        try watch.expect()
    }

    @Test("links planted under every name that it wrote lead nowhere: what they lead to stays as it is")
    func planted() throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        let victim = node.directory + "/victim"
        try Data("theirs".utf8).write(to: URL(filePath: victim))
        #expect(chmod(victim, 0o600) == 0)
        let state = node.root + "/var/lib/holdfast"
        var planted = 0
        for name in try node.stateNames().sorted() where !isDirectory("\(state)/\(name)") {
            // SQLite's own are opened by SQLite, which follows a link to a database that root put there.
            guard !name.hasPrefix("ledger.db") else { continue }
            try node.keepOnce()
            try node.putBack()
            #expect(unlink("\(state)/\(name)") == 0 && symlink(victim, "\(state)/\(name)") == 0)
            planted += 1
            for words in [["check"], ["pause", "--for", "1h", "--reason", "x"], ["resume"]] {
                let answer = try SampleNode.run(words + ["--root", node.root, "--policy", node.policy])
                #expect((0...1).contains(answer.code), "\(name), \(words): \(answer)")
            }
            #expect(try node.start() == 0)
            #expect(try String(contentsOf: URL(filePath: victim), encoding: .utf8) == "theirs", "\(name)")
            var status = stat()
            #expect(stat(victim, &status) == 0 && status.st_mode & 0o7777 == 0o600, "\(name)")
        }
        #expect(planted >= 3)
    }
}

extension SampleNode {
    /// Remembers the whole root, the first time.
    func keepOnce() throws {
        guard !FileManager.default.fileExists(atPath: directory + "/kept") else { return }
        try keep()
    }
}
