import Model
import Testing

@testable import Rollout

/// One look at a node that soaks.
struct Look: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Seconds since boot, boot, start and bytes; nil for a look that was not healthy.
    var samples: [(at: Int64, boot: String, start: String, bytes: String)?]
    var earned: Int64
}

private let looks = [
    Look(
        testDescription: "samples at the interval earn what lies between them",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), (60, "b", "s", "x")], earned: 60),
    Look(
        testDescription: "twice the interval still earns",
        samples: [(0, "b", "s", "x"), (60, "b", "s", "x")],
        earned: 60),
    Look(
        testDescription: "a longer gap earns nothing and loses nothing",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), (91, "b", "s", "x"), (121, "b", "s", "x")],
        earned: 60),
    Look(
        testDescription: "a reboot earns nothing and loses nothing",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), (5, "c", "t", "x"), (35, "c", "t", "x")],
        earned: 60),
    Look(
        testDescription: "a restart that nobody asked for starts it again",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), (40, "b", "t", "x"), (50, "b", "t", "x")],
        earned: 10),
    Look(
        testDescription: "another artifact starts it again, over a reboot too",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), (5, "c", "t", "y"), (15, "c", "t", "y")],
        earned: 10),
    Look(
        testDescription: "a failure starts it again",
        samples: [(0, "b", "s", "x"), (30, "b", "s", "x"), nil, (60, "b", "s", "x"), (70, "b", "s", "x")],
        earned: 10),
    Look(
        testDescription: "a clock that stands or goes back earns nothing",
        samples: [(30, "b", "s", "x"), (30, "b", "s", "x"), (10, "b", "s", "x"), (20, "b", "s", "x")],
        earned: 10),
]

@Suite("Soak")
struct SoakTests {
    @Test("is earned between healthy samples of one start", arguments: looks)
    func earned(_ look: Look) {
        var soak = Soak()
        for sample in look.samples {
            guard let sample else {
                soak = soak.failing()
                continue
            }
            soak = soak.taking(
                Soak.Sample(
                    bootID: sample.boot, invocationID: sample.start, bytes: sample.bytes,
                    monotonic: sample.at * 1_000_000_000),
                interval: TimeSpan(seconds: 30))
        }
        #expect(soak.credit.seconds == look.earned)
    }

    @Test("of no length is over with the first healthy sample, and not before")
    func none() {
        let soak = Soak()
        #expect(!soak.isOver(.zero))
        let sample = Soak.Sample(bootID: "b", invocationID: "s", bytes: "x", monotonic: 1)
        #expect(soak.taking(sample, interval: TimeSpan(seconds: 30)).isOver(.zero))
        #expect(!soak.taking(sample, interval: TimeSpan(seconds: 30)).isOver(TimeSpan(seconds: 1)))
    }

    @Test("keeps what is left of a second for the next sample")
    func fractions() {
        var soak = Soak()
        for tenth in 0...100 {
            soak = soak.taking(
                Soak.Sample(
                    bootID: "b", invocationID: "s", bytes: "x", monotonic: Int64(tenth) * 1_100_000_000),
                interval: TimeSpan(seconds: 30))
        }
        #expect(soak.credit.seconds == 110)
    }
}
