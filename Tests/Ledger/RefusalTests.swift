import Glibc
import Model
import Ports
import Testing

@testable import Ledger

private let isRoot = geteuid() == 0

/// A small file system in memory, mounted for one test.
private final class Mount {
    let path: String

    init(options: String) throws {
        var template = Array("/tmp/holdfast-mount-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(mount("tmpfs", path, "tmpfs", 0, options) == 0)
    }

    func remountReadOnly() throws {
        // Another test's child has what is open here open too, between its fork and its exec.
        for _ in 0..<200 {
            if mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 { return }
            try #require(errno == EBUSY)
            usleep(50_000)
        }
        Issue.record("\(path) stays busy")
    }

    func remountWritable() throws { try #require(mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), nil) == 0) }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}

private let MS_REMOUNT = 32
private let MS_RDONLY = 1

@Suite("A file system that refuses", .serialized)
struct RefusalTests {
    func problems(_ count: Int, size: Int) -> [Event] {
        (0..<count).map { .problemBegan(Problem(code: "\($0)", text: String(repeating: "x", count: size))) }
    }

    @Test(
        "says so when the disk is full, loses nothing, and goes on when there is space again",
        .enabled(if: isRoot, "SKIPPED: a full disk needs root, to mount one"))
    func full() throws {
        let disk = try Mount(options: "size=400k,mode=700")
        let ledger = try Ledger.open(stateDirectory: disk.path, reading: reading(0))
        var state = try ledger.load().state
        var appended: Int64 = 1
        var failure: LedgerFailure?
        for second in 1...100 as ClosedRange<Int64> where failure == nil {
            let events = problems(2, size: 3000)
            let next = state.after(events, at: reading(second).now)
            do {
                try ledger.append(events, reading: reading(second), state: next)
                state = next
                appended += 2
            } catch { failure = error }
        }
        #expect(failure?.code == .full, "\(String(describing: failure))")
        #expect(appended > 3)
        #expect(try ledger.verify().findings == [])
        #expect(try ledger.verify().entries == appended)
        #expect(try ledger.load().state == state)
        // The coverage file too, and what was there stays.
        let filler = Glibc.open("\(disk.path)/filler", O_WRONLY | O_CREAT, 0o600)
        var page = [UInt8](repeating: 1, count: 4096)
        while write(filler, &page, page.count) > 0 {}
        close(filler)
        let refused = #expect(throws: LedgerFailure.self) {
            for _ in 0..<50 { _ = try ledger.extendCoverage(reading: reading(200), seal: false) }
        }
        #expect(refused?.code == .full)
        unlink("\(disk.path)/filler")
        try #require(mount("tmpfs", disk.path, "tmpfs", UInt(MS_REMOUNT), "size=4m") == 0)
        let events = problems(2, size: 3000)
        try ledger.append(events, reading: reading(300), state: state.after(events, at: reading(300).now))
        #expect(try ledger.verify().findings == [])
        #expect(try ledger.verify().entries == appended + 2)
    }

    @Test(
        "cannot begin where the disk is full from the start",
        .enabled(if: isRoot, "SKIPPED: a full disk needs root, to mount one"))
    func fullFromTheStart() throws {
        let disk = try Mount(options: "size=8k,mode=700")
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.open(stateDirectory: disk.path, reading: reading(0))
        }
        #expect(failure?.code == .full)
    }

    @Test(
        "is read where nothing can be written, and refuses to append there",
        .enabled(if: isRoot, "SKIPPED: a read-only file system needs root, to mount one"))
    func readOnly() throws {
        let disk = try Mount(options: "size=4m,mode=700")
        try Ledger.open(stateDirectory: disk.path, reading: reading(0))
            .append(
                problems(1, size: 10), reading: reading(1),
                state: NodeState().after(problems(1, size: 10), at: reading(1).now))
        try disk.remountReadOnly()
        let reader = try Ledger.openForReading(stateDirectory: disk.path)
        #expect(try reader.load().state.problems.count == 1)
        #expect(try reader.verify().findings == [])
        for attempt in 0..<3 {
            let failure = #expect(throws: LedgerFailure.self) {
                switch attempt {
                case 0: _ = try Ledger.open(stateDirectory: disk.path, reading: reading(2))
                case 1: try reader.append(problems(1, size: 1), reading: reading(2), state: NodeState())
                default: _ = try reader.extendCoverage(reading: reading(2), seal: false)
                }
            }
            #expect(failure?.code == .readOnly, "\(attempt) \(String(describing: failure))")
        }
    }

    @Test(
        "does not leave out what lies in the log of a read-only file system",
        .enabled(if: isRoot, "SKIPPED: a read-only file system needs root, to mount one"))
    func readOnlyWithLog() throws {
        let disk = try Mount(options: "size=4m,mode=700")
        // Not closed: what a killed tick leaves behind.
        let ledger = try Ledger.open(stateDirectory: disk.path, reading: reading(0))
        try ledger.append(problems(1, size: 10), reading: reading(1), state: NodeState())
        for name in ["ledger.db", "ledger.db-wal"] {
            _ = output(of: "cp \(disk.path)/\(name) \(disk.path)/copy-\(name)")
        }
        _ = output(
            of:
                "mkdir \(disk.path)/killed && cd \(disk.path) && for f in copy-*; do mv $f killed/${f#copy-}; done"
        )
        withExtendedLifetime(ledger) {}
        let other = disk.path + "/killed"
        _ = output(of: "mount --bind \(other) \(other) && mount -o remount,ro,bind \(other)")
        defer { umount2(other, Int32(MNT_DETACH)) }
        let failure = #expect(throws: LedgerFailure.self) { try Ledger.openForReading(stateDirectory: other) }
        #expect(failure?.code == .readOnly)
        #expect(failure?.description.contains("copy ledger.db and ledger.db-wal") == true)
    }

    @Test(
        "says who may open it where the system refuses",
        .enabled(if: isRoot, "SKIPPED: to be another user needs root"), arguments: ["", "/below"])
    func denied(place: String) async throws {
        let directory = try TemporaryDirectory()
        // Of what lies below a directory that cannot be searched nobody can say that it is missing.
        let path = directory.path + place
        _ = try Ledger.open(stateDirectory: path, reading: reading(0))
        await #expect(processExitsWith: .success) { [path = path as String] in
            // nobody
            try #require(seteuid(65_534) == 0)
            // The last is a directory that would have to be made first.
            for (reads, path) in [(true, path), (false, path), (false, path + "/new")] {
                let failure = #expect(throws: LedgerFailure.self) {
                    _ =
                        try reads
                        ? Ledger.openForReading(stateDirectory: path)
                        : Ledger.open(stateDirectory: path, reading: reading(1))
                }
                #expect(failure?.code == .denied, "\(String(describing: failure))")
                #expect(failure?.description.contains("run as root") == true)
            }
        }
    }

    struct Owner: Sendable {
        var user: uid_t
        var mode: mode_t
        var says: String?
    }

    @Test(
        "is not written where somebody else could put a file of theirs, and says what to do",
        .enabled(if: isRoot, "SKIPPED: to give a directory away needs root"),
        arguments: [
            Owner(user: 0, mode: 0o755), Owner(user: 0, mode: 0o2750),
            Owner(user: 0, mode: 0o777, says: "chmod go-w"), Owner(user: 0, mode: 0o1777, says: "chmod go-w"),
            Owner(user: 0, mode: 0o770, says: "chmod go-w"),
            Owner(user: 12345, mode: 0o700, says: "chown root"),
        ])
    func loose(owner: Owner) throws {
        let directory = try TemporaryDirectory()
        try #require(chown(directory.path, owner.user, 0) == 0 && chmod(directory.path, owner.mode) == 0)
        guard let says = owner.says else {
            _ = try Ledger.open(stateDirectory: directory.path, reading: reading(0))
            return
        }
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.open(stateDirectory: directory.path, reading: reading(0))
        }
        #expect(failure?.code == .denied && failure?.description.contains(says) == true)
        #expect(directory.names == [])
    }
}
