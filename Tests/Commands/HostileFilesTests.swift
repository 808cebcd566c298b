import FoundationEssentials
import Glibc
import Host
import Model
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

/// Something else in the place of each file that is read.
@Suite("huge, endless and silent files (invariant 3)")
struct HostileFilesTests {
    enum Kind: String, CaseIterable {
        /// A pipe whose other end nobody opens.
        case fifo
        /// A device that never ends, behind a link.
        case zero
        /// A tebibyte of nothing.
        case sparse
        case directory, socket
        /// Three megabytes of anything.
        case junk
    }

    static let places = [
        "etc/holdfast/policy.yaml", "etc/holdfast/node.yaml", "etc/hostname",
        "etc/systemd/system/k3s.service",
        "etc/systemd/system/k3s.service.d/x.conf", "etc/systemd/system/k3s.service.env",
        "etc/rancher/k3s/config.yaml", "usr/local/bin/k3s", "usr/local/bin/.k3s.holdfast-spare",
        "usr/local/bin/.holdfast-pending", "usr/local/bin/.holdfast-pending/k3s.1-2-3",
        "run/holdfast/artifact.lock",
        "run/snapd.socket", "var/lib/holdfast/guard", "var/lib/holdfast/ledger.db",
        "var/lib/holdfast/ledger.db-wal", "var/lib/holdfast/ledger.suspect", "var/lib/holdfast/coverage.json",
        "var/lib/holdfast/spool", "var/lib/holdfast/spool/1-2-3", "var/lib/holdfast/gate/last-ran",
        "var/lib/holdfast/vault",
    ]

    private static let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil

    @Test(
        "none hangs a tick, a look, a start or the way out, ends it by a signal, costs memory, or lifts a guard",
        arguments: places)
    func instead(place: String) throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        let etc = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: node.policy, toPath: etc + "/policy.yaml")
        try node.keep()
        let guards = try node.guards(but: place)
        #expect(guards.count >= 3)
        let number = Self.places.firstIndex(of: place) ?? 0
        for (index, kind) in Kind.allCases.enumerated()
        // Two kinds of each place, and each kind at some; `make soak` has all.
        where Self.isSoak || [number % 6, (number + 3) % 6].contains(index) {
            try node.putBack()
            try put(kind, at: "\(node.root)/\(place)")
            for words in Self.isSoak
                ? [["check"], ["status", "--paths"], ["doctor"], ["verify"], ["release"]]
                : [["check"], ["doctor"]]
            {
                let outcome = try runProcess(
                    // 1.5 GiB of addresses: the program and its libraries take a fifth of it.
                    ["/bin/sh", "-c", "ulimit -v 1500000; exec \"$@\"", "sh", node.holdfastProgram] + words
                        + ["--root", node.root], environment: ["LANG": "C.UTF-8"], timeout: 30_000)
                guard case .exited(let code) = outcome.end else {
                    Issue.record("\(kind) at \(place), \(words): \(outcome.end)")
                    continue
                }
                #expect([0, 1, 10, 11, 75, 78].contains(code), "\(kind) at \(place), \(words): \(code)")
                #expect(outcome.errors.count < 20_000)
                guard words != ["release"] else { continue }
                #expect(try node.guards(but: place) == guards, "\(kind) at \(place), \(words)")
            }
            #expect(try node.start() == 0, "\(kind) at \(place)")
        }
    }

    private func put(_ kind: Kind, at path: String) throws {
        _ = try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]),
            withIntermediateDirectories: true)
        switch kind {
        case .fifo: #expect(mkfifo(path, 0o600) == 0)
        case .zero: #expect(symlink("/dev/zero", path) == 0)
        case .directory: #expect(mkdir(path, 0o700) == 0)
        case .sparse:
            try Data().write(to: URL(filePath: path))
            #expect(truncate(path, 1 << 40) == 0)
        case .junk:
            var generator = SystemRandomNumberGenerator()
            try Data(
                (0..<375_000).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
            )
            .write(to: URL(filePath: path))
        case .socket:
            // Nobody listens on it.
            let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(number) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
            let code = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(code == 0)
        }
    }

    struct Loose: Sendable, CustomTestStringConvertible {
        var name: String
        var file: mode_t = 0o644
        var directory: mode_t = 0o755
        var owner: uid_t = 0
        var isTrusted = false
        var testDescription: String { name }
    }

    private static let modes: [Loose] = [
        Loose(name: "root's alone", isTrusted: true),
        Loose(name: "readable by all", file: 0o444, isTrusted: true),
        Loose(name: "writable by its group", file: 0o664), Loose(name: "writable by all", file: 0o666),
        Loose(name: "of another user", owner: 12345),
        Loose(name: "in a loose directory", directory: 0o777),
        Loose(name: "in one like /tmp", directory: 0o1777),
        Loose(name: "in the group's", directory: 0o775),
    ]

    @Test(
        "node.yaml that others could have written is not used on the node itself, and it says what to do",
        .enabled(if: geteuid() == 0, "SKIPPED: to put another /etc in place needs root"), arguments: modes)
    func looseNode(_ loose: Loose) throws {
        // As the node has it, in a mount namespace of its own: what is asked of the live root is not asked of others.
        let script = """
            set -e
            for place in /etc /var/lib /run; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
            mkdir /etc/holdfast
            echo 'name: edge-1' >/etc/holdfast/node.yaml
            chown "$1" /etc/holdfast/node.yaml
            chmod "$2" /etc/holdfast/node.yaml
            chmod "$3" /etc/holdfast
            exec "$4" check --dry-run --output json
            """
        let words = [
            "\(loose.owner)", String(loose.file, radix: 8), String(loose.directory, radix: 8),
            SampleNode.program,
        ]
        let outcome = try runProcess(
            ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh"] + words,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"], timeout: 30_000)
        let errors = String(decoding: outcome.errors, as: UTF8.self)
        guard loose.isTrusted else {
            #expect(outcome.end == .exited(78), "\(errors)")
            #expect(errors.contains("/etc/holdfast"))
            #expect(["chmod", "chown", "keep the file"].contains { errors.contains($0) }, "\(errors)")
            return
        }
        let answer = try JSONDecoder().decode(CheckAnswer.self, from: Data(outcome.output))
        #expect(answer.node == "edge-1", "\(errors)")
    }

    @Test(
        "a policy that others could have written allows nothing, and says what to do (invariant 2)",
        .enabled(if: geteuid() == 0, "SKIPPED: to give a file away needs root"), arguments: modes)
    func loose(_ loose: Loose) throws {
        let node = try SampleNode()
        let etc = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: true)
        let policy = "apiVersion: holdfast/v1\nunattended: minor\norigin: claimed\nclock: trusted\n"
        try Data(policy.utf8).write(to: URL(filePath: etc + "/policy.yaml"))
        try Data("name: edge-1\n".utf8).write(to: URL(filePath: etc + "/node.yaml"))
        for file in ["policy.yaml", "node.yaml"] { #expect(chmod("\(etc)/\(file)", 0o644) == 0) }
        #expect(
            chown("\(etc)/policy.yaml", loose.owner, 0) == 0 && chmod("\(etc)/policy.yaml", loose.file) == 0)
        #expect(chmod(etc, loose.directory) == 0)
        func check() throws -> SampleNode.Answer {
            try SampleNode.run(["check", "--output", "json", "--root", node.root])
        }
        _ = try check()
        try node.install("v1.31.5+k3s1")
        let second = try check()
        if loose.isTrusted {
            let answer = try second.json(CheckAnswer.self)
            #expect(answer.policy.valid && answer.node == "edge-1")
            #expect(answer.installations.first?.changes.first?.decision.verdict == "allow")
            return
        }
        let answer = try second.json(CheckAnswer.self)
        #expect(!answer.policy.valid && answer.problems.contains { $0.code.hasPrefix("policy") })
        #expect(
            second.output.contains("chmod") || second.output.contains("chown")
                || second.output.contains("keep the file"))
        #expect(answer.installations.allSatisfy { $0.changes.allSatisfy { $0.decision.verdict != "allow" } })
    }
}

extension SampleNode {
    /// Every guard that is in place and what it holds, but for what lies at a path.
    fileprivate func guards(but place: String) throws -> [String: String] {
        var guards: [String: String] = [:]
        for path in [
            "etc/systemd/system/k3s.service.d/zz-holdfast.conf", "usr/local/bin/.k3s.holdfast-spare",
        ]
        where path != place {
            guards[path] = (try? hashFile("\(root)/\(path)"))?.hex
        }
        let vault = "var/lib/holdfast/vault"
        if place != vault {
            for name in (try? listDirectory("\(root)/\(vault)/sha256")) ?? [] { guards[name] = vault }
        }
        let file = "var/lib/holdfast/guard"
        if place != file, let bytes = try readFileIfPresent("\(root)/\(file)", limit: GuardFile.largest) {
            // Its sequence moves with the ledger.
            guards[file] = try GuardFile.parse(bytes).installations
                .map { "\($0.mode) \($0.units) \($0.approved.map(\.artifact.summary))" }.joined()
        }
        return guards
    }

    /// The program that was built beside the tests.
    var holdfastProgram: String {
        URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
    }
}
