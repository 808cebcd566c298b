import Model
import Rules
import Testing

/// A label as the program makes it, but for the digest.
private func label(_ text: String) -> String { String(text.reversed().prefix(10)) }

extension Scene {
    /// The record that a tick would have made of it.
    fileprivate var record: DecisionRecord {
        decide(
            policy: resolved, subject: subject, fleet: fleet, approvals: approvals, denials: denials,
            now: now,
            zoneData: "2026a", label: label)
    }
}

private func replayed(_ record: DecisionRecord, text: String? = nil) throws -> Replayed {
    try replay(record, text: Array((text ?? CanonicalJSON.text(of: record)).utf8), label: label)
}

@Suite("Replay (invariant 5)")
struct ReplayTests {
    struct Decided: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout Scene) -> Void
    }

    static let decided: [Decided] = [
        Decided(testDescription: "an allowed patch") { _ in },
        Decided(testDescription: "a minor that waits") { $0.to = Version("v1.32.1+k3s1") },
        Decided(testDescription: "a downgrade") { $0.to = Version("v1.30.1+k3s1") },
        Decided(testDescription: "an unread version") { $0.to = nil },
        Decided(testDescription: "an approved minor") {
            $0.to = Version("v1.32.1+k3s1")
            $0.approvals = [.of($0)]
        },
        Decided(testDescription: "a window that opens later") {
            $0.policy.windows = [Window(days: Weekday.allCases, start: 60, duration: .hours(1))]
        },
    ]

    @Test("a decision comes out with the same bytes", arguments: decided)
    func same(_ one: Decided) throws {
        let record = Scene.patching(one.change).record
        let result = try replayed(record)
        #expect(result.outcome == .sameBytes && result.differences.isEmpty && result.isSameEngine)
        #expect(result.made == (try CanonicalJSON.text(of: record)))
    }

    @Test("what was changed after the fact is named: the verdict, the rule, the words, the time, the label")
    func planted() throws {
        let record = Scene.patching { $0.to = Version("v1.32.1+k3s1") }.record
        func differences(_ change: (inout DecisionRecord) -> Void) throws -> [Replayed.Difference] {
            var record = record
            change(&record)
            let result = try replayed(record)
            #expect(result.outcome == .different && result.isSameEngine)
            return result.differences
        }
        let verdict = try differences { $0.decision.verdict = .allow }
        #expect(
            verdict.map(\.what) == ["verdict"] && verdict[0].stored == "allow" && verdict[0].made == "hold")
        let rule = try differences { $0.decision.reasons[0].result = .met }
        #expect(rule.map(\.what) == ["ceiling"])
        #expect(rule[0].stored.hasPrefix("met (") && rule[0].made.hasPrefix("unmet ("))
        #expect(try differences { $0.decision.reasons[0].text += "!" }.map(\.what) == ["ceiling"])
        #expect(try differences { $0.decision.reasons[3].source = "x:1" }.map(\.what) == ["denied-version"])
        #expect(try differences { $0.decision.reasons.removeLast() }.map(\.what) == ["identity"])
        #expect(try differences { $0.decision.earliest = $0.now }.map(\.what) == ["earliest"])
        #expect(try differences { $0.id = "another" }.map(\.what) == ["decision"])
        // What went into it was changed: the outcome is another one.
        #expect(try differences { $0.policy.policy.unattended = .minor }.map(\.what).contains("verdict"))
    }

    @Test("bytes that this engine would not write are a difference, though nothing in them reads otherwise")
    func bytes() throws {
        let record = Scene.patching().record
        let text = try CanonicalJSON.text(of: record)
        let result = try replayed(record, text: "{\"zz\":1," + text.dropFirst())
        #expect(result.outcome == .different && result.differences.map(\.what) == ["bytes"])
        #expect(result.differences[0].stored.contains("\"zz\""))
    }

    @Test("another engine's decision needs the same verdict and rule results, not the same words")
    func another() throws {
        var record = Scene.patching { $0.to = Version("v1.32.1+k3s1") }.record
        record.dataVersions["rules"] = "0"
        record.decision.reasons[0].text = "in other words"
        record.decision.earliest = nil
        let same = try replayed(record)
        #expect(same.outcome == .sameResults && !same.isSameEngine && same.differences.isEmpty)
        record.decision.reasons[0].consequence = .deny
        record.decision.verdict = .deny
        let different = try replayed(record)
        #expect(
            different.outcome == .different && different.differences.map(\.what) == ["verdict", "ceiling"])
        record.dataVersions = [:]
        #expect(try replayed(record).storedRules == nil)
    }

    @Test(
        "a record of extreme numbers, as somebody may write by hand, is made again without a trap",
        arguments: [Int64.min, -1, 0, 1, .max])
    func extremes(_ number: Int64) throws {
        let instant = Instant(seconds: number)
        var dates: [CivilDate] = []
        for text in ["0001-01-01", "9999-12-31"] { dates.append(try #require(CivilDate(text))) }
        for distance in [Int64.min, -1, 0, .max] {
            let span = TimeSpan(seconds: distance)
            var canary = Stage(name: "canary")
            (canary.soak, canary.maxConcurrent) = (span, Int(clamping: number))
            let scene = Scene.patching { scene in
                scene.now = instant
                (scene.published, scene.firstSeen) = (instant, Instant(seconds: distance))
                (scene.stages, scene.stage) = ([canary, .everyone], Int(clamping: number))
                scene.policy.windows = [
                    Window(days: Weekday.allCases, start: Int(clamping: number), duration: span)
                ]
                scene.policy.freezes = [Freeze(from: dates[0], until: dates[1], scope: .all, reason: "ever")]
                scene.policy.minimumReleaseAge.patch = span
                scene.policy.approval.required = Int(clamping: number)
                scene.fleet.stages = [
                    FleetSummary.StageProgress(stage: "canary", change: "c0ffee", met: false, soakLeft: span)
                ]
                scene.approvals = [.of(scene) { ($0.approvedAt, $0.expires) = (instant, instant + span) }]
            }
            let record = scene.record
            #expect(try replayed(record).outcome == .sameBytes)
            _ = judgeAgain(
                record,
                under: LoadedPolicy(
                    document: PolicyDocument(base: scene.policy, stages: scene.stages),
                    sources: PolicySources(file: "p", lines: [:]), sha256: record.policy.sha256)
            ) { _ in .utc }
        }
    }

    @Test("another policy judges a past decision alone, with the zone of its own name")
    func again() throws {
        let record = Scene.patching { $0.to = Version("v1.32.1+k3s1") }.record
        var document = PolicyDocument()
        document.base.unattended = .minor
        func again(zone: (String) -> Zone?) -> Decision {
            judgeAgain(
                record,
                under: LoadedPolicy(
                    document: document, sources: PolicySources(file: "new.yaml", lines: ["unattended": 2]),
                    sha256: record.policy.sha256), zone: zone)
        }
        let allowed = again { _ in nil }
        #expect(allowed.verdict == .allow)
        #expect(allowed.reasons.first { $0.rule == .ceiling }?.source == "new.yaml:2")
        document.base.timezone = "Nowhere/Else"
        document.base.windows = [Window(days: Weekday.allCases, start: 60, duration: .hours(1))]
        #expect(again { _ in nil }.reasons.first { $0.rule == .window }?.result == .unknown)
        var asked: [String] = []
        _ = again {
            asked.append($0)
            return .utc
        }
        #expect(asked == ["Nowhere/Else"])
    }
}
