import Gate
import Glibc
import Model
import Testing

/// What a local user without rights, or somebody with rights over one directory alone, puts in the gate's way.
@Suite(
    "the gate beside a hostile local user",
    .enabled(if: geteuid() == 0, "SKIPPED: being another user needs root"))
struct GateHostileTests {
    struct Owner: Sendable {
        var user: uid_t
        var mode: mode_t
    }

    @Test(
        "a guard file that others could have written is none: its spare is not put in, and the unit starts",
        arguments: [
            Owner(user: 0, mode: 0o666), Owner(user: 0, mode: 0o620), Owner(user: 12345, mode: 0o600),
        ])
    func looseGuardFile(owner: Owner) throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        let file = node.root + node.state.guardFile
        #expect(chown(file, owner.user, 0) == 0 && chmod(file, owner.mode) == 0)
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors.contains("[guard-unreadable]"))
        #expect(outcome.errors.contains("can be written by others than root"))
        #expect(node.read(node.binary) == "a new minor")
        #expect(chown(file, 0, 0) == 0 && chmod(file, 0o600) == 0)
    }

    @Test("a link where turned away artifacts are kept costs no file behind it")
    func pendingLink() throws {
        let node = try GateNode()
        for count in 0..<12 { try node.write("/precious/\(count)", "theirs") }
        #expect(symlink(node.root + "/precious", node.root + node.pending) == 0)
        try node.write(node.binary, "a new minor", mode: 0o755)
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors.contains("is not a directory"))
        #expect(node.list("/precious").count == 12 && node.read(node.binary) == "a new minor")
    }

    @Test("whatever else lies where they are kept is left alone, however much it is")
    func strangersInPending() throws {
        let node = try GateNode()
        for count in 0..<12 { try node.write("\(node.pending)/notes-\(count)", "theirs") }
        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().status == 0 && node.read(node.binary) == "approved")
        #expect(node.list(node.pending).count == 13)
    }

    enum Name: CaseIterable { case copy, lastRan, starts, known, lock }

    @Test("links under the names that it writes are not followed", arguments: Name.allCases)
    func planted(name: Name) throws {
        let node = try GateNode()
        try node.record("v1.30.1+k3s1")
        node.remove(node.spare)
        try node.write(node.binary, "a new minor", mode: 0o755)
        try node.write("/victim", "theirs", mode: 0o600)
        func draft(_ path: String) -> String {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            return "\(path[...slash]).\(path[path.index(after: slash)...]).new"
        }
        let path =
            switch name {
            case .copy: "/usr/local/bin/.k3s.holdfast-copy"
            case .lastRan: draft(node.state.lastRan(dataDirectory: node.data))
            case .starts: draft(node.state.starts(unit: "k3s.service"))
            case .known: draft(node.state.known(unit: "k3s.service"))
            case .lock: GatePlaces.artifactLock
            }
        try node.write(path, "")
        node.remove(path)
        #expect(symlink(node.root + "/victim", node.root + path) == 0)
        #expect(node.gate().status == 0)
        var status = stat()
        #expect(stat(node.root + "/victim", &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(node.read("/victim") == "theirs")
    }

    @Test("snapd's socket in the hands of another user is not asked, and refuses nothing")
    func squattedSocket() async throws {
        // The kernel notes whose process listens; a process of its own, since that is every thread's.
        await #expect(processExitsWith: .success) {
            let unit = "snap.microk8s.daemon-kubelite.service"
            let node = try GateNode()
            node.file.installations = [VetoTests.guarded()]
            node.file.installations[0].ran = SeenRunning(
                revision: "11", bootID: VetoTests.boot, since: Instant(seconds: 2))
            try node.writeGuard()
            for revision in ["11", "12"] { try node.write("/snap/microk8s/\(revision)/meta", "") }
            try #require(symlink("12", node.root + "/snap/microk8s/current") == 0)
            _ = GateNode.run(["/bin/mkdir", "-p", node.root + "/run"])
            try #require(chmod(node.root, 0o755) == 0 && chmod(node.root + "/run", 0o777) == 0)
            try #require(seteuid(65_534) == 0)
            let squatter = try Listener(node.root + "/run/snapd.socket")
            try #require(seteuid(0) == 0)
            let outcome = node.gate(unit: unit)
            try #require(outcome.status == 0)
            try #require(node.spool.map(\.reason) == [.vetoDoubt])
            try #require(outcome.errors.contains("is served by user 65534"))
            withExtendedLifetime(squatter) {}
        }
    }

    @Test(
        "other bytes under the same inode, size and times but the one that nobody can set are not let through"
    )
    func reusedInode() throws {
        let node = try GateNode()
        // Old enough for its digest to be cached, so that nothing but the identity is left to tell.
        usleep(2_100_000)
        #expect(node.gate().status == 0)
        let before = try node.identity(node.binary)
        let file = open(node.root + node.binary, O_WRONLY)
        #expect(pwrite(file, "hostile!", 8, 0) == 8)
        var times = [
            timespec(tv_sec: 0, tv_nsec: Int(UTIME_OMIT_)),
            timespec(
                tv_sec: Int(before.modified / 1_000_000_000), tv_nsec: Int(before.modified % 1_000_000_000)),
        ]
        #expect(futimens(file, &times) == 0)
        close(file)
        let after = try node.identity(node.binary)
        #expect(after.inode == before.inode && after.size == before.size && after.modified == before.modified)
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == "approved" && node.kept == ["hostile!"])
    }

    /// What is replaced while the gate waits for the lock.
    enum Moved: CaseIterable { case binary, guardFile, record }

    @Test(
        "what is swapped while the gate decides is decided on again (invariant 12): what starts is what is approved by then, or may be",
        .enabled(if: GateKillTests.hasStrace, "strace is not installed"), arguments: Moved.allCases)
    func swapped(moved: Moved) throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        try node.write("/theirs", "another minor", mode: 0o755)
        // It has seen the one, and waits for the lock while the other takes its place.
        let process = GateNode.spawn(
            [
                "/usr/bin/strace", "-f", "-qq", "-o", "\(node.root).trace", "-e", "trace=flock", "-e",
                "inject=flock:delay_enter=1000000:when=1", GateNode.program, "--root", node.root,
                "k3s.service",
            ], errorsTo: "\(node.root).errors")
        func seen() -> String {
            String(decoding: (try? GateNode.bytes(of: "\(node.root).trace")) ?? [], as: UTF8.self)
        }
        for _ in 0..<6000 where !seen().contains("flock(") { usleep(1000) }
        switch moved {
        case .binary: #expect(rename(node.root + "/theirs", node.root + node.binary) == 0)
        case .guardFile:
            // Somebody has approved it meanwhile.
            node.file.installations[0].approved = [
                GuardedArtifact(
                    Artifact(version: Version("v1.32.1+k3s1"), sha256: GateNode.digest("a new minor")))
            ]
            try node.writeGuard()
        // Somebody has started it meanwhile.
        case .record: try node.record("v1.32.1+k3s1")
        }
        #expect(GateNode.wait(process, errorsAt: "\(node.root).errors").status == 0)
        #expect(seen().contains("(DELAYED)"))
        #expect(node.read(node.binary) == (moved == .binary ? "approved" : "a new minor"))
        #expect(node.kept == (moved == .binary ? ["another minor"] : []))
    }

    @Test("a binary that never holds still is started as it is, told, and put right at the next start")
    func restless() throws {
        let node = try GateNode()
        let draft = node.root + "/usr/local/bin/draft"
        try node.write("/runs", "")
        let script =
            "while [ -e \(node.root)/runs ]; do printf 'minor one' >\(draft); chmod 755 \(draft); mv \(draft) \(node.root)\(node.binary); done"
        let swapper = GateNode.spawn(["/bin/sh", "-c", script], errorsTo: "/dev/null")
        var (told, kept) = (0, 0)
        for _ in 0..<20 {
            let outcome = node.gate()
            #expect(outcome.status == 0)
            if !outcome.errors.isEmpty { told += 1 }
            // Only what was approved is ever put there, and only what was there is ever kept.
            #expect(["approved", "minor one"].contains(node.read(node.binary) ?? "none"))
            #expect(Set(node.kept).isSubset(of: ["minor one", "approved"]))
            kept = max(kept, node.kept.count)
            if !node.exists(node.spare) { try node.write(node.spare, "approved", mode: 0o755) }
            node.file.installations[0].spare?.identity = try node.identity(node.spare)
            try node.writeGuard()
        }
        node.remove("/runs")
        _ = GateNode.wait(swapper, errorsAt: "/dev/null")
        #expect(told > 0 && kept > 0, "\(told) told, \(kept) kept")
        // What ran meanwhile is unknown; a person has looked.
        for mark in node.state.missed(unit: "k3s.service") { node.remove(mark) }
        try node.record(GateNode.version)
        try node.write(node.binary, "minor one", mode: 0o755)
        #expect(node.gate().status == 0 && node.read(node.binary) == "approved")
    }
}

/// `UTIME_OMIT` of utimensat(2), which is a macro that does not reach Swift.
private let UTIME_OMIT_ = (1 << 30) - 2
