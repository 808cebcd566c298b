import Gate
import Glibc
import Model
import Testing

/// Whatever is broken, the unit starts, and a person is told; nothing of this may ever refuse.
@Suite("invariant 3: a broken guard is never the outage")
struct GateFailureTests {
    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: GateReason
        var says: String
        /// What is at the binary's path afterwards; nil for nothing.
        var binary: String? = "a new minor"
        var breaking: @Sendable (GateNode) throws -> Void
        var testDescription: String { name }
    }

    static let states = [
        Broken(name: "no guard file", reason: .guardMissing, says: "holdfast adopt") {
            $0.remove($0.state.guardFile)
        },
        Broken(name: "no state directory", reason: .guardMissing, says: "holdfast adopt") {
            GateNode.run(["/bin/rm", "-rf", $0.root + "/var"])
        },
        Broken(name: "an empty guard file", reason: .guardUnreadable, says: "it is empty") {
            try $0.write($0.state.guardFile, "")
        },
        Broken(name: "a torn guard file", reason: .guardUnreadable, says: "checksum is wrong") {
            try $0.write($0.state.guardFile, String($0.file.text.dropLast(30)))
        },
        Broken(name: "a guard file of zeroes", reason: .guardUnreadable, says: "first line") {
            try $0.write($0.state.guardFile, String(repeating: "\0", count: 4096))
        },
        Broken(name: "a guard file of another format", reason: .guardUnreadable, says: "another version") {
            try $0.write($0.state.guardFile, SealedLines(title: "holdfast-guard 2").text)
        },
        Broken(name: "a guard file that is too long", reason: .guardUnreadable, says: "longer than 65536") {
            try $0.write($0.state.guardFile, String(repeating: "x", count: 70_000))
        },
        Broken(name: "a directory for a guard file", reason: .guardUnreadable, says: "not a regular file") {
            $0.remove($0.state.guardFile)
            mkdir($0.root + $0.state.guardFile, 0o755)
        },
        Broken(name: "a FIFO for a guard file", reason: .guardUnreadable, says: "not a regular file") {
            $0.remove($0.state.guardFile)
            mkfifo($0.root + $0.state.guardFile, 0o600)
        },
        Broken(name: "a guard file about others", reason: .notGuarded, says: "holdfast adopt") {
            $0.file.installations[0].units = ["k3s-agent.service"]
            try $0.writeGuard()
        },
        Broken(name: "nothing approved", reason: .noReplacement, says: "holdfast doctor") {
            $0.file.installations[0].approved = []
            try $0.writeGuard()
        },
        Broken(name: "neither spare nor vault", reason: .noReplacement, says: "holdfast doctor") {
            $0.remove($0.spare)
            $0.remove($0.vault)
        },
        Broken(name: "a strange spare, and an empty vault", reason: .noReplacement, says: "holdfast doctor") {
            try $0.write($0.spare, "another minor", mode: 0o755)
            $0.remove($0.vault)
        },
        Broken(name: "a vault with other bytes", reason: .restoreFailed, says: "does not have the digest") {
            $0.remove($0.spare)
            try $0.write($0.vault, "another minor")
        },
        Broken(name: "a spare that cannot be executed", reason: .restoreFailed, says: "not executable") {
            chmod($0.root + $0.spare, 0o644)
            $0.file.installations[0].spare?.identity = try $0.identity($0.spare)
            try $0.writeGuard()
        },
        Broken(
            name: "a directory for a binary", reason: .binaryUnusable, says: "not a regular file", binary: ""
        ) {
            $0.remove($0.binary)
            mkdir($0.root + $0.binary, 0o755)
        },
        Broken(
            name: "no binary, no spare, no vault", reason: .binaryMissing, says: "is not there", binary: nil
        ) {
            $0.remove($0.binary)
            $0.remove($0.spare)
            $0.remove($0.vault)
        },
        Broken(
            name: "no directory for a binary", reason: .restoreFailed, says: "holdfast doctor", binary: nil
        ) {
            GateNode.run(["/bin/rm", "-rf", $0.root + "/usr"])
        },
        Broken(name: "no place for pending", reason: .restoreFailed, says: "could not be kept") {
            $0.file.installations[0].pending = "/usr/local/bin/k3s/pending"
            $0.file.installations[0].spare = nil
            try $0.writeGuard()
        },
        Broken(name: "a torn record of what last ran", reason: .noProof, says: "checksum is wrong") {
            try $0.write($0.state.lastRan(dataDirectory: $0.data), "holdfast-last-ran 1\nda")
        },
        Broken(name: "no record of what last ran", reason: .noProof, says: "holdfast explain") {
            $0.remove($0.state.lastRan(dataDirectory: $0.data))
        },
        Broken(name: "an unknown data directory", reason: .noProof, says: "data directory") {
            $0.file.installations[0].dataDirectory = nil
            try $0.writeGuard()
        },
    ]

    @Test("the unit starts, the journal and the ledger are told what to do", arguments: states)
    func starts(broken: Broken) throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        try broken.breaking(node)
        let outcome = node.gate()
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains(broken.says))
        #expect(outcome.errors.contains("[\(broken.reason.rawValue)]"))
        #expect(node.read(node.binary) == broken.binary)
        #expect(node.spool.contains { $0.reason == broken.reason })
        // What started is known to be unknown, in whichever way that could be written down.
        let isDoubtful = node.lastRan.map { $0.unproven != nil } ?? true
        #expect(node.isMissed || isDoubtful || broken.binary == nil || broken.binary == "")
        // And it starts again, and again.
        #expect(node.gate().status == 0)
    }

    @Test("whoever holds the artifact lock and sleeps is waited for a tenth of a second")
    func stoppedLockHolder() throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        try node.write(GatePlaces.artifactLock, "")
        let lock = open(node.root + GatePlaces.artifactLock, O_RDWR)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors.contains("[locked]"))
        #expect(node.read(node.binary) == "a new minor" && node.isMissed)
        // An approved binary needs no lock.
        let quiet = try GateNode()
        try quiet.write(GatePlaces.artifactLock, "")
        let other = open(quiet.root + GatePlaces.artifactLock, O_RDWR)
        defer { close(other) }
        #expect(flock(other, LOCK_EX) == 0)
        #expect(quiet.gate().status == 0 && !quiet.isMissed)
    }

    @Test(
        "a directory in the place of each of its own files or directories",
        arguments: ["spool", "gate", "run"])
    func blockedPlaces(name: String) throws {
        let node = try GateNode(role: .agent)
        try node.write(node.binary, "a new minor", mode: 0o755)
        let path = name == "run" ? "/run" : "/var/lib/holdfast/\(name)"
        GateNode.run(["/bin/rm", "-rf", node.root + path])
        try node.write(path, "a file")
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == (name == "run" ? "a new minor" : "approved"))
    }

    static let isRoot = getuid() == 0

    @Test(
        "a full disk under our state: the spare still comes in", .enabled(if: isRoot, "mounting needs root"))
    func fullState() throws {
        let node = try GateNode()
        try node.mount("/var/lib/holdfast", "size=64k")
        try node.writeGuard()
        try node.record(GateNode.version)
        try node.write(node.binary, "a new minor", mode: 0o755)
        GateNode.run(["/bin/dd", "if=/dev/zero", "of=\(node.root)/var/lib/holdfast/filler", "bs=4k"])
        let outcome = node.gate()
        #expect(outcome.status == 0 && node.read(node.binary) == "approved" && node.kept == ["a new minor"])
        #expect(outcome.errors.contains("the next tick will not know"))
    }

    @Test(
        "invariant 12: on a full disk an unrecorded start still takes the proof away",
        .enabled(if: isRoot, "mounting needs root"), arguments: ["size=256k", "size=256k,nr_inodes=40"])
    func fullDisk(options: String) throws {
        let node = try GateNode()
        // The whole node on it, /run too.
        try node.mount("/", options)
        node.file.installations[0].spare = nil
        node.file.installations[0].vault = nil
        try node.writeGuard()
        try node.record(GateNode.version)
        try node.write(node.binary, "a new minor", mode: 0o755)
        GateNode.run(["/bin/dd", "if=/dev/zero", "of=\(node.root)/filler", "bs=4k"])
        if options.contains("nr_inodes") {
            for count in 0..<40 { GateNode.run(["/bin/mkdir", "\(node.root)/filler-\(count)"]) }
        }
        #expect(node.gate().status == 0 && node.read(node.binary) == "a new minor")
        let isDoubtful = node.lastRan.map { $0.unproven != nil } ?? true
        #expect(node.isMissed || isDoubtful)
    }

    @Test("on a read-only disk everything starts", .enabled(if: isRoot, "mounting needs root"))
    func readOnly() throws {
        let node = try GateNode()
        try node.mount("/", "size=1m")
        try node.write(node.binary, "approved", mode: 0o755)
        try node.write(node.spare, "approved", mode: 0o755)
        node.file.installations[0].approved[0].identities = [try node.identity(node.binary)]
        node.file.installations[0].spare?.identity = try node.identity(node.spare)
        try node.writeGuard()
        try node.record(GateNode.version)
        try node.remountReadOnly("/")
        #expect(node.gate().status == 0)
        GateNode.run(["/bin/mount", "-o", "remount,rw", node.root])
        try node.write(node.binary, "a new minor", mode: 0o755)
        try node.remountReadOnly("/")
        #expect(node.gate().status == 0 && node.read(node.binary) == "a new minor")
    }
}
