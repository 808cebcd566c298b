import FoundationEssentials
import LedgerSuite
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("What every ledger has to do")
struct SuiteTests {
    @Test("the one on disk does it", arguments: LedgerCase.allCases)
    func onDisk(of case: LedgerCase) throws {
        let disk = try Disk()
        try `case`.check(at: disk.place)
    }
}

/// A state directory that can lose its power.
private final class Disk {
    private var directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    var place: LedgerPlace {
        LedgerPlace(
            open: { try Ledger.open(stateDirectory: self.directory.path, reading: reading(0)) },
            crash: crash, withBadEntry: withBadEntry)
    }

    /// Goes on with what lies in the files at this instant, without what a process would still do to them.
    private func crash() throws {
        let next = try TemporaryDirectory()
        // What is shared between processes is memory, and gone with them.
        for name in directory.names where !name.hasSuffix("-shm") {
            next.write(directory.bytes(name), to: name)
        }
        directory = next
    }

    private func withBadEntry(_ sequence: Int64, _ body: () throws -> Void) throws {
        let database = try Connection(
            path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        try database.execute(
            script: """
                CREATE TRIGGER bad BEFORE INSERT ON entry WHEN new.seq = \(sequence)
                BEGIN SELECT RAISE(ABORT, 'it cannot be written'); END
                """)
        try body()
        try database.execute(script: "DROP TRIGGER bad")
    }
}
