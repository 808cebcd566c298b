import Model
import Testing

private let start = Instant(seconds: 1_800_000_000)

@Suite("How far a receiver was told, and what is wrong with it")
struct OutletTests {
    private func outlet() -> Outlet { Outlet(id: "notify-a", name: "notify[0] (host)", told: 7) }

    @Test("rests longer after each failure, an hour and a quarter at most, and does not ask before")
    func rest() throws {
        var outlet = outlet()
        var now = start
        var rests: [Int64] = []
        for _ in 0..<20 {
            outlet.fail(because: "it hangs", at: now)
            let next = try #require(outlet.notBefore)
            #expect(!outlet.isDue(at: now))
            #expect(!outlet.isDue(at: next + TimeSpan(seconds: -1)))
            #expect(outlet.isDue(at: next))
            rests.append((next - now).seconds)
            now = next
        }
        #expect((45...75).contains(rests[0]))
        #expect(rests[3] > rests[0] * 3)
        #expect(rests.allSatisfy { $0 <= 4500 })
        #expect(rests.suffix(8).allSatisfy { $0 >= 2700 })
        #expect(outlet.told == 7)
        #expect(outlet.failingSince == start)
    }

    @Test("is not told apart by chance, but two that fail together do not come back together")
    func jitter() {
        var one = outlet()
        var again = outlet()
        var other = Outlet(id: "notify-b", name: "", told: 7)
        for _ in 0..<7 {
            one.fail(because: "x", at: start)
            again.fail(because: "x", at: start)
            other.fail(because: "x", at: start)
        }
        #expect(one == again)
        #expect(one.notBefore != other.notBefore)
    }

    @Test("a clock that was set back does not keep it waiting")
    func setBack() {
        var outlet = outlet()
        outlet.fail(because: "x", at: start)
        #expect(outlet.isDue(at: start + .days(-30)))
    }

    /// How long a receiver has failed, and how old what it is to be told is.
    struct Age: Sendable {
        var failures: Int
        var failing: TimeSpan
        var entry: TimeSpan
        var isGivenUp: Bool
    }

    @Test(
        "gives a message up after a day of trouble, and only what is a day old",
        arguments: [
            Age(failures: 8, failing: .days(1), entry: .days(1), isGivenUp: true),
            // A second less of either.
            Age(failures: 8, failing: TimeSpan(seconds: 86_399), entry: .days(1), isGivenUp: false),
            Age(failures: 8, failing: .days(1), entry: TimeSpan(seconds: 86_399), isGivenUp: false),
            // A node that was off for a week tells late rather than never.
            Age(failures: 0, failing: .zero, entry: .days(7), isGivenUp: false),
            // A clock that jumped by years after one failure at boot.
            Age(failures: 1, failing: .days(9000), entry: .days(9000), isGivenUp: false),
        ])
    func givingUp(_ age: Age) {
        var outlet = outlet()
        let now = start
        for _ in 0..<age.failures {
            outlet.fail(because: "x", at: now + TimeSpan(seconds: -age.failing.seconds))
        }
        let at = now + TimeSpan(seconds: -age.entry.seconds)
        #expect(outlet.isGivenUp(recordedAt: at, now: now) == age.isGivenUp)
    }

    @Test("is a problem from the third failure on, and no longer once it was delivered")
    func failing() {
        var outlet = outlet()
        for _ in 0..<2 { outlet.fail(because: "it hangs", at: start) }
        #expect(outlet.problem(at: start) == nil)
        outlet.fail(because: "it hangs", at: start)
        let problem = outlet.problem(at: start)
        #expect(problem?.code == "notify-undelivered")
        #expect(problem?.text.contains("notify[0] (host)") == true)
        #expect(problem?.text.contains("it hangs") == true)
        outlet.deliver(8)
        #expect(outlet.problem(at: start) == nil)
        #expect(outlet.told == 8)
    }

    @Test("what was given up is a problem for a day, whatever is delivered meanwhile")
    func lost() {
        var outlet = outlet()
        outlet.giveUp(8, because: "it answers 401", at: start)
        outlet.giveUp(9, because: "it answers 401", at: start)
        outlet.deliver(10)
        #expect(
            outlet.problem(at: start + .hours(23))?.text.contains("2 messages were given up: it answers 401")
                == true)
        #expect(outlet.problem(at: start + .days(1)) == nil)
        outlet.giveUp(11, because: "it answers 404", at: start + .days(2))
        #expect(outlet.lost == 1)
        #expect(outlet.told == 11)
    }

    @Test("of what retention dropped first nobody is sent to the history")
    func dropped() {
        var outlet = outlet()
        outlet.giveUp(8, because: Outlet.dropped, at: start)
        let text = outlet.problem(at: start)?.text
        #expect(text?.contains("1 message was given up: ledger.keep") == true)
        #expect(text?.contains("holdfast history") == false)
    }

    @Test("the file of metrics is a problem of its own")
    func metrics() {
        var outlet = Outlet(id: Outlet.metrics, name: "holdfast.prom", told: 0)
        for _ in 0..<3 { outlet.fail(because: "the disk is full", at: start) }
        #expect(outlet.problem(at: start)?.code == "metrics-unwritten")
    }
}
