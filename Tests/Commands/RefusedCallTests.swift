import FoundationEssentials
import Glibc
import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

/// The kernel refuses one call of a run, each in turn, by strace.
@Suite(
    "a disk that fails at any call (invariants 3, 7 and 8)",
    .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
struct RefusedCallTests {
    /// What a run begins with and does.
    struct Run: Sendable, CustomTestStringConvertible {
        var words: [String]
        var isAdopted = true
        /// Whether the gate has just put the spare back over another minor.
        var isRestored = false
        /// What is said before.
        var before: [String]?
        var testDescription: String { words[0] + (isRestored ? " after a start" : "") }
    }

    static let runs = [
        Run(words: ["adopt"], isAdopted: false),
        Run(words: ["check"], isRestored: true),
        Run(words: ["approve", "CHANGE"], isRestored: true, before: ["check"]),
        Run(words: ["pause", "--for", "2h", "--reason", "a test"]),
        Run(words: ["resume"], before: ["pause", "--for", "2h", "--reason", "a test"]),
        Run(words: ["release"]),
    ]

    /// What comes and goes by itself: a checkpoint that could not be signed is tried again after a day, a digest is
    /// remembered only of a file that has been quiet, and a log stays until the next one writes there. (A draft that the
    /// kernel would not let it take away has the name of the process.)
    private static let passing: Set = [
        "checkpoints", "checkpoint.key", "gate/known/k3s.service", "fleet.db-wal", "fleet.db-shm",
    ]
    private static let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil
    /// Places of each run that `make test` tries; `make soak` tries all, with each error.
    private static let places = 14

    @Test(
        "it ends with an error that says where, the unit starts, and the next run ends where a whole one does",
        arguments: runs)
    func refused(run: Run) throws {
        var run = run
        let node = try SampleNode(policy: withGate)
        if run.isAdopted {
            #expect(try node.inPlace("adopt").code == 0)
            #expect(try node.start() == 0)
        }
        if run.isRestored {
            try node.install("v1.32.1+k3s1")
            #expect(try node.start() == 0)
        }
        if let before = run.before { #expect(try node.inPlace(before).code == 0) }
        if let place = run.words.firstIndex(of: "CHANGE") {
            let status = try node.inPlace("status", "--output", "json").json(CheckAnswer.self)
            run.words[place] = try #require(status.installations.first?.changes.first).id
        }
        try node.keep()
        let all = try node.faults(of: run.words)
        #expect(all.count > 100)
        try node.putBack()
        try finish(run, on: node)
        let whole = try (node.listing(), node.stateNames())
        // A stride that is no multiple of the number of errors meets each of them, and each kind of call.
        let stride = Self.isSoak ? 1 : all.count / Self.places | 1
        var tried = 0
        for fault in Swift.stride(from: stride / 2, to: all.count, by: stride).map({ all[$0] }) {
            try node.putBack()
            guard let refused = try node.inPlace(run.words, refusing: fault) else { continue }
            let answer = refused.answer
            // What the loader asks for otherwise than by the name of a library.
            if answer.errors.contains("loading shared libraries") { continue }
            tried += 1
            let place = "\(run.words[0]), \(fault.testDescription): \(answer.code) \(answer.errors)"
            // 78 where it was the policy that could not be read.
            #expect([0, 1, 78].contains(answer.code), "\(place)")
            #expect(answer.code != 1 || refused.namesAPath, "\(place)")
            #expect(
                !refused.wasOfLedger || fault.isOfCheckpoint || answer.code == 1,
                "\(place): \(refused.line)")
            // A guard file that could not be written is written again by the next change, or the run ends with 1.
            let isOfGuardFile = refused.line.contains("/.guard.") && fault.call != "unlink"
            #expect(!isOfGuardFile || !answer.errors.isEmpty, "\(place): \(refused.line)")
            #expect(!answer.errors.contains("Fatal error"), "\(place)")
            #expect(try node.guardFileIsWhole(), "\(place)")
            #expect(try node.start() == 0, "\(place)")
            let verified = try node.verified()
            #expect(verified.code == 0 || !run.isAdopted, "\(place): \(verified)")
            try finish(run, on: node)
            #expect(try node.listing() == whole.0, "\(place)")
            let differing = try node.stateNames().symmetricDifference(whole.1).filter {
                !Self.passing.contains($0) && (fault.call != "unlink" || !$0.hasPrefix("coverage.json."))
            }
            #expect(differing == [], "\(place) \(differing)")
        }
        #expect(tried > (Self.isSoak ? all.count : Self.places) / 2)
        print("\(tried) of \(all.count) calls refused: \(run)")
    }

    /// What is done after each run: again, a start, a tick, and the whole ledger checked.
    private func finish(_ run: Run, on node: SampleNode) throws {
        let again = try SampleNode.run(run.words + ["--root", node.root, "--policy", node.policy])
        #expect(again.code == 0, "\(again.errors)")
        #expect(try node.start() == 0)
        #expect(try node.inPlace("check").code == 0)
        #expect(try node.verified().code == 0)
    }
}

/// What really is full, or cannot be written, rather than one call of it.
@Suite(
    "a state directory without room", .enabled(if: Machine.effectiveUser == 0, "SKIPPED: mounting needs root")
)
struct NoRoomTests {
    enum Disk: CaseIterable {
        case full, readOnly
        /// A quota that holds for root too, which those of other file systems do not.
        case quota

        /// A kernel without btrfs, or a system without its tools, has no such quota.
        static let possible = allCases.filter { disk in
            let known = try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)
            return disk != .quota
                || known?.contains("\tbtrfs\n") == true && access("/usr/bin/btrfs", X_OK) == 0
        }
    }

    @Test(
        "adopt, check and pause say so and change nothing, the unit starts, and with room they go on",
        arguments: Disk.possible)
    func noRoom(disk: Disk) throws {
        let node = try SampleNode(policy: withGate)
        let state = node.root + "/var/lib/holdfast"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try mount(disk, at: state, image: node.directory + "/image")
        defer { _ = try? runProcess(["/bin/umount", "-l", state], timeout: 10_000) }
        try refuse(disk, state)
        let early = try node.inPlace("adopt")
        #expect(early.code == 1 && early.errors.contains(says(disk)), "\(early.errors)")
        #expect(try node.start() == 0)
        try allow(disk, state)
        #expect(try node.inPlace("adopt").code == 0)
        // Without a start that is known nothing is ever put back.
        #expect(try node.start() == 0)
        let adopted = try node.listing().filter { !$0.key.hasPrefix("var/tmp/") }
        let approved = try hashFile(node.binary)
        try refuse(disk, state)
        for words in [["check"], ["pause", "--for", "2h", "--reason", "x"], ["release"]] {
            try node.install("v1.31.5+k3s1")
            let answer = try SampleNode.run(words + ["--root", node.root, "--policy", node.policy])
            #expect(answer.code == 1 && answer.errors.contains(says(disk)), "\(words) \(answer.errors)")
            #expect(try node.guardFileIsWhole())
            // Reading goes on, and says what is wrong.
            #expect(try node.inPlace("status").output.contains("k3s.service"))
            #expect(try node.start() == 0)
            #expect(try hashFile(node.binary) == approved)
        }
        try allow(disk, state)
        #expect(try node.inPlace("check").code == 0)
        #expect(try node.inPlace("check").code == 0)
        let left = try node.listing().filter {
            !$0.key.contains("holdfast-pending") && !$0.key.hasPrefix("var/tmp/")
        }
        let differing = Set(left.keys.filter { left[$0] != adopted[$0] }).union(
            Set(adopted.keys).subtracting(left.keys))
        #expect(differing == [], "\(differing)")
        #expect(try node.verified().code == 0)
    }

    private func says(_ disk: Disk) -> String {
        disk == .readOnly ? "remount it for writing" : "free some space"
    }

    private func mount(_ disk: Disk, at state: String, image: String) throws {
        guard disk == .quota else {
            return try mount(["-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", state])
        }
        #expect(
            FileManager.default.createFile(atPath: image, contents: nil) && truncate(image, 128 << 20) == 0)
        try run(["/usr/sbin/mkfs.btrfs", "-q", image])
        try mount(["-o", "loop", image, state])
        #expect(chmod(state, 0o700) == 0)
        try run(["/usr/bin/btrfs", "quota", "enable", state])
        try run(["/usr/bin/btrfs", "qgroup", "limit", "6M", state])
    }

    private func refuse(_ disk: Disk, _ state: String) throws {
        guard disk != .readOnly else { return try mount(["-o", "remount,ro", state]) }
        // Until not even a byte of it is left.
        _ = try runProcess(["/bin/dd", "if=/dev/zero", "of=\(state)/filler", "bs=4k"], timeout: 20_000)
    }

    private func allow(_ disk: Disk, _ state: String) throws {
        guard disk != .readOnly else { return try mount(["-o", "remount,rw", state]) }
        try FileManager.default.removeItem(atPath: state + "/filler")
    }

    private func mount(_ words: [String]) throws { try run(["/bin/mount"] + words) }

    private func run(_ words: [String]) throws {
        let outcome = try runProcess(words, timeout: 20_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
    }
}
