import Glibc
import Model
import Ports
import Testing

@testable import Ledger

@Suite("A process that is killed", .serialized)
struct CrashTests {
    @Test(
        "leaves a ledger that opens and verifies, each append there as a whole or not at all (invariant 8)",
        arguments: 1...12)
    func killed(round: UInt32) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, round = round as UInt32] in
            let killer = Thread(after: round * 9_000)
            defer { killer.join() }
            for second in 1...Int64(1_000_000) {
                let ledger = try Ledger.open(stateDirectory: path, reading: reading(second))
                let events = (0..<3).map { Event.problemBegan(Problem(code: "\($0)", text: "\(second)")) }
                let state = try ledger.load().state.after(events, at: reading(second).now)
                try ledger.append(events, reading: reading(second), state: state)
            }
        }
        let ledger = try Ledger.open(stateDirectory: path, reading: reading(0))
        let report = try ledger.verify()
        #expect(report.findings == [])
        #expect(report.entries % 3 == 1)
        let texts = try ledger.load().state.problems.map(\.text)
        #expect(Set(texts).count <= 1)
        #expect(texts == Array(repeating: "\((report.entries - 1) / 3)", count: report.entries > 1 ? 3 : 0))
        #expect(directory.names.allSatisfy { !$0.contains("corrupt") })
    }
}

/// A thread that kills its own process after a while.
private struct Thread {
    private var thread = pthread_t()

    init(after microseconds: UInt32) {
        let argument = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        argument.initialize(to: microseconds)
        pthread_create(
            &thread, nil,
            { argument in
                usleep(argument?.load(as: UInt32.self) ?? 0)
                kill(getpid(), SIGKILL)
                return nil
            }, argument)
    }

    func join() { pthread_join(thread, nil) }
}
