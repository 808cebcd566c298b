import Model
import Testing

@Suite("Watching for APIs that go")
struct DeprecatedAPIWatchTests {
    private static let flow = DeprecatedAPI(
        group: "flowcontrol.apiserver.k8s.io", version: "v1beta3", resource: "flowschemas", removedIn: "1.32")
    private static let later = DeprecatedAPI(
        group: "storage.k8s.io", version: "v1beta1", resource: "volumeattributesclasses", removedIn: "1.37")
    private static let never = DeprecatedAPI(
        group: "", version: "v1", resource: "componentstatuses", removedIn: "")

    private static func at(_ hours: Int64) -> Instant { Instant(seconds: 1_000_000 + hours * 3600) }

    private static func sample(
        _ address: String, start: Int64 = 0, used: [DeprecatedAPI] = []
    ) -> APIServerSample {
        APIServerSample(address: address, said: .init(start: Instant(seconds: start), used: used))
    }

    private static func silent(_ address: String) -> APIServerSample {
        APIServerSample(address: address, said: nil, silence: "no answer in time")
    }

    /// One round at an hour.
    struct Round: Sendable {
        var hour: Int64
        var samples: [APIServerSample]
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rounds: [Round]
        /// When the gate asks; coverage asked for is 24 hours.
        var asked: Int64
        /// How the verdict begins.
        var verdict: String
    }

    static let rows = [
        Row(
            testDescription: "a day of one server with nothing that goes",
            rounds: [
                Round(hour: 0, samples: [sample("a", used: [later, never])]),
                Round(hour: 24, samples: [sample("a", used: [later, never])]),
            ], asked: 24, verdict: "no client has asked for an API that goes, watched for 1d"),
        Row(
            testDescription: "an hour less is not enough",
            rounds: [Round(hour: 0, samples: [sample("a")]), Round(hour: 23, samples: [sample("a")])],
            asked: 23,
            verdict: "not every API server has been watched for that long; watched for 23h of the 1d"),
        Row(
            testDescription: "a use counts however short it was watched",
            rounds: [Round(hour: 0, samples: [sample("a", used: [flow])])], asked: 0,
            verdict:
                "clients ask for APIs that go: flowschemas.flowcontrol.apiserver.k8s.io v1beta3 (gone in 1.32) of a"
        ),
        Row(
            testDescription: "a use of one of two servers is a use",
            rounds: [Round(hour: 0, samples: [sample("a"), sample("b", used: [flow])])], asked: 0,
            verdict: "clients ask for APIs that go: flowschemas"),
        Row(
            testDescription: "the server that was watched shortest counts",
            rounds: [
                Round(hour: 0, samples: [sample("a")]), Round(hour: 10, samples: [sample("a"), sample("b")]),
                Round(hour: 24, samples: [sample("a"), sample("b")]),
            ], asked: 24,
            verdict: "not every API server has been watched for that long; watched for 14h of the 1d"),
        Row(
            testDescription: "a server that was started anew has forgotten",
            rounds: [
                Round(hour: 0, samples: [sample("a", start: 1)]),
                Round(hour: 20, samples: [sample("a", start: 2)]),
                Round(hour: 24, samples: [sample("a", start: 2)]),
            ], asked: 24,
            verdict: "not every API server has been watched for that long; watched for 4h of the 1d"),
        Row(
            testDescription: "a server that cannot be asked now counts for nothing (invariant 2)",
            rounds: [
                Round(hour: 0, samples: [sample("a"), sample("b")]),
                Round(hour: 24, samples: [sample("a"), silent("b")]),
            ], asked: 24,
            verdict: "the API server at b cannot be asked: no answer in time; watched for 0s of the 1d"),
        Row(
            testDescription: "one that answers again, as the same process, tells of the time in between",
            rounds: [
                Round(hour: 0, samples: [sample("a")]), Round(hour: 12, samples: [silent("a")]),
                Round(hour: 24, samples: [sample("a")]),
            ], asked: 24, verdict: "no client has asked"),
        Row(
            testDescription: "an answer that is too old is none of now (invariant 2)",
            rounds: [Round(hour: 0, samples: [sample("a")]), Round(hour: 24, samples: [sample("a")])],
            asked: 25,
            verdict: "the API server at a cannot be asked: its last answer is too old"),
        Row(
            testDescription: "a server that is no longer there is not waited for",
            rounds: [
                Round(hour: 0, samples: [sample("a"), sample("b")]), Round(hour: 24, samples: [sample("a")]),
            ], asked: 24, verdict: "no client has asked"),
        Row(
            testDescription: "a clock that was set back makes what was watched worth nothing",
            rounds: [
                Round(hour: 30, samples: [sample("a")]), Round(hour: 0, samples: [sample("a")]),
                Round(hour: 1, samples: [sample("a")]),
            ], asked: 1, verdict: "not every API server has been watched for that long; watched for 1h"),
        Row(
            testDescription: "what goes with something that is no minor is unknown (invariant 2)",
            rounds: [
                Round(
                    hour: 0,
                    samples: [
                        sample(
                            "a",
                            used: [
                                DeprecatedAPI(group: "x", version: "v1", resource: "ys", removedIn: "soon")
                            ])
                    ])
            ], asked: 0, verdict: "a says that ys goes with 'soon', which is no minor"),
        Row(
            testDescription: "nobody was asked (invariant 2)", rounds: [], asked: 0,
            verdict: "no API server was asked yet"),
    ]

    @Test("what it comes to", arguments: rows)
    func verdict(row: Row) throws {
        var watch = DeprecatedAPIWatch(askedAt: Self.at(0))
        for round in row.rounds { watch.take(round.samples, at: Self.at(round.hour)) }
        let target = try #require(Version("v1.32.1+k3s1"))
        let verdict = watch.verdict(goingTo: target, coverage: .hours(24), at: Self.at(row.asked))
        #expect(verdict.text.hasPrefix(row.verdict), "\(verdict.text)")
    }

    @Test("an API goes with its own minor and every later one")
    func minors() throws {
        let uses = ["v1.31.9+k3s1": false, "v1.32.0+k3s1": true, "v1.33.1+k3s1": true, "v2.0.0": true]
        for (version, isUsed) in uses {
            var watch = DeprecatedAPIWatch(askedAt: Self.at(0))
            watch.take([Self.sample("a", used: [Self.flow])], at: Self.at(0))
            let target = try #require(Version(version))
            let verdict = watch.verdict(goingTo: target, coverage: .zero, at: Self.at(0))
            if case .used = verdict { #expect(isUsed, "\(version)") } else { #expect(!isUsed, "\(version)") }
        }
    }
}
