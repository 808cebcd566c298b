import FoundationEssentials
import Glibc
import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

/// Every path that a run makes, writes, renames or takes away, as the kernel was asked to.
@Suite(
    "what root writes", .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
struct WrittenPathsTests {
    private static let calls =
        "open,openat,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
        + "mknod,mknodat,chmod,fchmodat,chown,lchown,fchownat,truncate,setxattr,lsetxattr,bind"

    private static let verbs: [[String]] = [
        ["adopt"], ["check"], ["check"], ["approve", "v1.32.1+k3s1", "--reason", "x"],
        ["deny", "v1.33.0+k3s1", "--reason", "x"], ["pause", "--for", "2h", "--reason", "x"], ["resume"],
        ["check"],
        ["status"], ["status", "--paths"], ["explain"], ["doctor"], ["verify"],
        ["history", "--output", "html"],
        ["history", "--output", "csv"], ["simulate", "--incident", "k3s-channel"], ["catalog", "list"],
        ["policy", "lint", "POLICY"], ["upgrade", "--plan", "--to", "v1.32.1+k3s1"], ["rollback"],
        ["release"],
    ]

    /// Where a node's own directories are, none of which anybody but root may write in.
    private static let own = [
        "/var/lib/holdfast", "/run/holdfast", "/usr/local/bin", "/etc/systemd/system", "/etc/holdfast",
        "/var/lib/prometheus/node-exporter",
    ]

    @Test(
        "nothing lies where others may write, whatever the environment says, and no link is followed on the way"
    )
    func everyPath() throws {
        let node = try SampleNode(policy: withGate)
        let metrics = node.root + "/var/lib/prometheus/node-exporter"
        try FileManager.default.createDirectory(atPath: metrics, withIntermediateDirectories: true)
        // Where a program that heeds TMPDIR, HOME and the like would write.
        let bait = node.directory + "/bait"
        try FileManager.default.createDirectory(atPath: bait, withIntermediateDirectories: true)
        let environment = Dictionary(
            uniqueKeysWithValues: [
                "TMPDIR", "TMP", "TEMP", "HOME", "SQLITE_TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
                "XDG_CACHE_HOME",
            ]
            .map { ($0, bait) })
        var seen: [String: Set<String>] = [:]
        for (index, words) in Self.verbs.enumerated() {
            if index == 2 { try node.install("v1.32.1+k3s1"); #expect(try node.start() == 0) }
            let lines = try node.trace(
                of: words.map { $0 == "POLICY" ? node.policy : $0 },
                ["-e", "trace=\(Self.calls)", "-s", "400"]
                    + environment.flatMap { ["-E", "\($0.key)=\($0.value)"] })
            for line in lines { try judge(line, of: words, below: node.root, &seen) }
        }
        // It saw what there was to see.
        #expect(
            seen.keys.contains { $0.hasSuffix("/guard") }
                && seen.keys.contains { $0.hasSuffix(".holdfast-spare") })
        #expect(
            seen.keys.contains { $0.hasSuffix("/zz-holdfast.conf") }
                && seen.keys.contains { $0.hasSuffix("ledger.db-wal") })
        #expect(seen.keys.contains { $0.hasSuffix("holdfast.prom") })
        #expect(seen.count > 20)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bait) == [])
    }

    /// Records the paths of one call, where it changes something.
    private func judge(
        _ line: Substring, of words: [String], below root: String, _ seen: inout [String: Set<String>]
    ) throws {
        let isOpen = line.contains(" open(") || line.contains(" openat(")
        let isWriting = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].contains { line.contains($0) }
        guard !isOpen || isWriting, !line.contains("+++"), !line.contains("---") else { return }
        // One that is on the way and there.
        guard !line.contains("EEXIST") || !line.contains(" mkdir") else { return }
        let paths = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        for path in paths where path != "/dev/null" && path != "/dev/tty" {
            // A name in a directory that was opened before, and not through a link (`publish`).
            if !path.hasPrefix("/") {
                #expect(
                    path.hasPrefix("holdfast.prom") || path.hasPrefix(".holdfast.prom."), "\(words): \(line)")
                seen[path, default: []].insert(words[0])
                continue
            }
            #expect(path.hasPrefix(root + "/"), "\(words): \(line)")
            let own = String(path.dropFirst(root.count))
            // The directories on the way are made where they are missing.
            #expect(
                Self.own.contains { own == $0 || own.hasPrefix($0 + "/") || $0.hasPrefix(own + "/") },
                "\(words): \(line)")
            seen[own, default: []].insert(words[0])
        }
        // Whoever planted a link under a name that is to be made finds it refused.
        if isOpen, line.contains("O_CREAT") {
            #expect(line.contains("O_NOFOLLOW") || line.contains("O_EXCL"), "\(words): \(line)")
        }
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
