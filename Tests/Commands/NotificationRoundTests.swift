import FoundationEssentials
import Host
import Ledger
import Model
import Ports
import Testing

@testable import Commands

@Suite("One round of telling, over a ledger")
struct NotificationRoundTests {
    private let directory: String
    private let ledger: Ledger
    private let receiver = Notification(
        target: .command(["/bin/true"]), on: [.held, .paused, .undone, .guardBroken])

    private static let start = Instant(seconds: 1_796_126_400)

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/holdfast-\(UUID().uuidString)"
        ledger = try Ledger.open(stateDirectory: directory, reading: Self.reading(0))
    }

    private static func reading(_ seconds: Int64) -> ClockReading {
        ClockReading(
            now: start + TimeSpan(seconds: seconds), monotonic: seconds * 1_000_000_000, bootID: "b",
            synchronised: true)
    }

    private func append(_ events: [Event], _ seconds: Int64) throws {
        try ledger.append(events, reading: Self.reading(seconds), state: try ledger.load().state)
    }

    private func paused(_ count: Int) -> [Event] {
        (0..<count).map { .paused(Pause(until: Self.start + .days(9), reason: "\($0)")) }
    }

    /// Runs a round at a second; each look at the clock after the first one finds it so much later.
    private func run(
        _ seconds: Int64, looks milliseconds: Int64 = 0, _ send: @escaping () -> Reception
    ) throws {
        var looks: Int64 = -1
        let round = NotificationRound(
            ledger: ledger, node: "n",
            clock: {
                looks += 1
                var reading = Self.reading(seconds)
                reading.monotonic += looks * milliseconds * 1_000_000
                return reading
            }, send: { _, _, _ in send() })
        try round.run([receiver])
    }

    private func outlet() throws -> Outlet { try #require(try ledger.outlets().first) }

    @Test("a round that finds nothing new reads no body, whatever was told or passed over before")
    func quiet() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try run(0) { .delivered }
        let guardian = Intent(id: "i1", effect: .reloadUnits, before: .nothing)
        // What is told, what is told to nobody, and what is none of this receiver's concern.
        try append(
            paused(1) + [
                .intended(guardian), .effected(EffectEnd(of: guardian, outcome: .done(nil))),
                .problemBegan(Problem(code: "c", text: "t")),
            ], 1)
        var told = 0
        try run(2) {
            told += 1
            return .delivered
        }
        #expect(told == 1)
        try append([.problemEnded(Problem(code: "c", text: "t"))], 3)
        let outcome = try runProcess(
            ["/usr/bin/sqlite3", ledger.file, "ALTER TABLE body RENAME TO elsewhere"], timeout: 10_000)
        #expect(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
        try run(4) {
            told += 1
            return .delivered
        }
        #expect(told == 1)
        // With something new there is no way around them.
        let back = try runProcess(
            ["/usr/bin/sqlite3", ledger.file, "ALTER TABLE elsewhere RENAME TO body"], timeout: 10_000)
        #expect(back.succeeded)
        try append(paused(1), 5)
        try run(6) {
            told += 1
            return .delivered
        }
        #expect(told == 2)
    }

    @Test("to give up takes of the round's time too, and goes on where it was")
    func givingUp() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try run(0) { .delivered }
        try append(paused(100), 1)
        for time in 0..<10 as Range<Int64> { try run(10 + time * 7200) { .failed("it hangs") } }
        let late: Int64 = 10 * 86_400
        let before = try outlet()
        try run(late, looks: 100) { .failed("it hangs") }
        let after = try outlet()
        #expect(after.lost > before.lost && after.lost < 100)
        // The ledger's beginning is none of them.
        #expect(after.told == Int64(after.lost) + 1)
        try run(late + 1, looks: 100) { .failed("it hangs") }
        #expect(try outlet().lost > after.lost)
    }
}
