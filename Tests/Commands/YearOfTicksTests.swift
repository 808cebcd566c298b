import FoundationEssentials
import Model
import ScriptedServer
import Testing

/// Where `make soak` asks for the long form.
private let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil

/// Ticks over many days of a node that is looked after: `tick-load`'s story `year`.
@Suite("What a year of ticks leaves in the state directory")
struct YearOfTicksTests {
    struct Span {
        var days: Int
        /// From tick to tick: coverage is sealed once an hour, so that more ticks leave no more.
        var seconds: Int
        /// `ledger.keep`, in days.
        var keep: Int
        /// From line to line.
        var step: Int

        /// A month by the hour, so that what is older than ten days is dropped; or a year as it is.
        static let all =
            isSoak
            ? [
                Span(days: 365, seconds: 300, keep: 400, step: 30),
                Span(days: 365, seconds: 300, keep: 90, step: 30),
            ] : [Span(days: 30, seconds: 3600, keep: 10, step: 10)]
    }

    /// What a day whose bodies are kept may add to the ledger in bytes: 24 stretches of coverage, and some events.
    private static let aDay = 6 << 10
    /// What of any day may stay for ever: the chain.
    private static let aDayForEver = 5 << 9

    @Test(
        "is bounded: so much a day in the ledger, and everything else stays as small as it is",
        arguments: Span.all)
    func bounded(_ span: Span) throws {
        let day = 86_400 / span.seconds
        let node = try LoadedNode(.year, keep: span.keep)
        let figures =
            try node
            .tick(span.days * day, seconds: span.seconds, every: span.step * day)
        if isSoak {
            for figure in figures {
                print("keep \(span.keep)d, day \(figure.tick / day): \(figure.stateText)")
            }
        }
        let last = try #require(figures.last)
        #expect(last.tick == span.days / span.step * span.step * day)
        func bytes(_ name: String) -> Int { last.state[name]?.bytes ?? 0 }
        let ledger = bytes("ledger.db") + bytes("ledger.db-wal") + bytes("ledger.db-shm")
        // The tables of an empty one, the days that are kept, and what stays of all; of a year that is kept the first is
        // the closer bound.
        let kept = min(span.keep, span.days)
        #expect(ledger < (72 << 10) + span.days * Self.aDay, "\(last.stateText)")
        #expect(
            ledger < (72 << 10) + kept * Self.aDay + span.days * Self.aDayForEver, "\(last.stateText)")
        #expect(try (node.entries(of: Event.bodiesDroppedKind) > 0) == (span.keep < span.days))
        // Sources/Ledger/CheckpointFiles.swift: a note a day, and half a mebibyte at most.
        #expect(bytes("checkpoints") <= 512 << 10)
        // What is approved, and what was before it.
        #expect(last.state["vault"]?.files ?? 0 <= 2)
        #expect(last.state["spool"]?.files ?? 0 <= 2 && last.state["spool-unreadable"] == nil)
        let known = [
            "ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoints", "vault", "spool",
        ]
        let others = last.state.filter { !known.contains($0.key) }
        #expect(others.values.map(\.bytes).reduce(0, +) < 64 << 10, "\(last.stateText)")
    }
}

extension TickFigures {
    fileprivate var stateText: String {
        "\(stateBytes) bytes: "
            + state.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.bytes)" }.joined(separator: ", ")
    }
}
