import Model
import Ports
import Testing

@testable import Agent

private let channel = "https://update.example.test/v1-release/channels/stable"

private func plan(_ latest: String?, channel: String? = channel, version: String? = nil) -> UpgradePlan {
    UpgradePlan(
        namespace: "system-upgrade", name: "server-plan", version: version, channel: channel,
        latestVersion: latest, names: [.k3s])
}

/// What a channel said, one look after the other, a day apart.
private func history(_ texts: [String?]) -> [PlanClaim] {
    var known: [String: [PlanClaim]] = [:]
    for (day, text) in texts.enumerated() {
        known = claims(after: known, [plan(text)], at: now + .days(Int64(day)))
    }
    return known["system-upgrade/server-plan"] ?? []
}

@Suite("What a channel says is a claim")
struct ClaimHistoryTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var said: [String?]
        /// A part of why it is distrusted; nil where it is not.
        var distrust: String?
    }

    static let rows = [
        Row(testDescription: "the first word stands", said: ["v1.31.4-k3s1"]),
        Row(testDescription: "nothing was said yet", said: [nil, nil]),
        Row(testDescription: "patches forward", said: ["v1.31.4-k3s1", "v1.31.5-k3s1", "v1.31.6-k3s1"]),
        Row(testDescription: "a build forward", said: ["v1.31.4-k3s1", "v1.31.4-k3s2"]),
        // One minor is what channels do; the policy's ceiling has its say about it.
        Row(testDescription: "one minor forward", said: ["v1.31.4-k3s1", "v1.32.0-k3s1"]),
        Row(
            testDescription: "a patch back", said: ["v1.31.5-k3s1", "v1.31.4-k3s1"],
            distrust: "went back from v1.31.5+k3s1 to v1.31.4+k3s1"),
        Row(
            testDescription: "a build back", said: ["v1.31.4-k3s2", "v1.31.4-k3s1"], distrust: "went back"),
        // k3s#14530: a real 1.36.3 became 1.26.3.
        Row(
            testDescription: "ten minors back", said: ["v1.36.3-k3s1", "v1.26.3-k3s1"],
            distrust: "went back"),
        Row(
            testDescription: "forward again, but not as far as before it went back",
            said: ["v1.31.6-k3s1", "v1.31.4-k3s1", "v1.31.5-k3s1"], distrust: "went back"),
        Row(
            testDescription: "forward, back, forward",
            said: ["v1.31.5-k3s1", "v1.31.4-k3s1", "v1.31.5-k3s1"],
            distrust: "from v1.31.5+k3s1 to v1.31.4+k3s1 and back"),
        Row(
            testDescription: "two minors at once", said: ["v1.31.4-k3s1", "v1.33.0-k3s1"],
            distrust: "jumped from v1.31.4+k3s1 to v1.33.0+k3s1"),
        Row(testDescription: "a major", said: ["v1.31.4-k3s1", "v2.0.0-k3s1"], distrust: "jumped"),
        Row(
            testDescription: "the last word of its own address", said: ["stable"],
            distrust: "took the last word"),
        Row(
            testDescription: "an error page", said: ["v1.31.4-k3s1", "<html>"],
            distrust: "\"<html>\", which is no version"),
        Row(testDescription: "well again after an error page", said: ["<html>", "v1.31.4-k3s1"]),
        Row(
            testDescription: "silence does not undo what it said",
            said: ["v1.31.5-k3s1", "v1.31.4-k3s1", nil], distrust: "went back"),
    ]

    @Test("and is distrusted where it goes back, flaps, jumps or is no version", arguments: rows)
    func distrusted(row: Row) throws {
        let found = distrust(of: history(row.said))
        guard let part = row.distrust else {
            #expect(found == nil)
            return
        }
        #expect(try #require(found).contains(part))
    }

    @Test("of this channel alone, and not of a version that a person wrote")
    func other() {
        let known = claims(after: [:], [plan("v1.31.5-k3s1")], at: now)
        let moved = claims(after: known, [plan("v1.30.1-k3s1", channel: channel + "2")], at: now)
        #expect(moved["system-upgrade/server-plan"]?.map(\.text) == ["v1.30.1-k3s1"])
        #expect(claims(after: known, [plan("v1.30.1-k3s1", version: "v1.30.1+k3s1")], at: now).isEmpty)
        #expect(claims(after: known, [], at: now).isEmpty)
    }

    @Test("a bounded number of claims is kept, and the newest however old")
    func bounded() {
        #expect(history((0..<100).map { "v1.31.\($0)-k3s1" }).count == mostClaims)
        let old = claims(after: [:], [plan("v1.31.5-k3s1")], at: now)
        let same = claims(after: old, [plan("v1.31.5-k3s1")], at: now + .days(90))
        #expect(same == old)
        let later = claims(after: old, [plan("v1.31.4-k3s1")], at: now + .days(90))
        // It was written down ninety days ago, so it no longer speaks against this one.
        #expect(later["system-upgrade/server-plan"]?.map(\.text) == ["v1.31.4-k3s1"])
    }

    @Test(
        "a version is read as the controller writes it, with - for +",
        arguments: [
            ("v1.31.4-k3s1", "v1.31.4+k3s1"), ("v1.31.4+k3s1", "v1.31.4+k3s1"),
            ("v1.31.4-rc1-k3s1", "v1.31.4-rc1+k3s1"), ("v1.32.1-k0s.0", "v1.32.1+k0s.0"),
            ("v1.31.4", "v1.31.4"), ("v1.31.4-rc.1", "v1.31.4-rc.1"), ("v1.31.4-rke2r1", "v1.31.4+rke2r1"),
        ])
    func versions(text: String, version: String) { #expect(planVersion(text) == Version(version)) }
}

@Suite("k0s's autopilot")
struct AutopilotTests {
    private func config(_ window: Autopilot.Window?) -> Autopilot {
        Autopilot(configs: [.init(name: "default", channel: "stable", server: "https://u", window: window)])
    }

    @Test("that can act is told with what disables it")
    func active() {
        let problems = autopilotProblems(config(nil), isDisabled: false)
        #expect(problems.map(\.code) == ["autopilot-active"])
        #expect(problems[0].text.contains("follows channel stable"))
        #expect(problems[0].text.contains("--disable-components autopilot"))
    }

    @Test("is no problem where it is disabled, or has nothing before it")
    func quiet() {
        #expect(autopilotProblems(config(nil), isDisabled: true).isEmpty)
        #expect(
            autopilotProblems(
                Autopilot(plan: .init(version: "v1.32.1+k0s.0", state: "Completed")), isDisabled: nil
            ).isEmpty)
    }

    @Test("on its way is told with its states")
    func onItsWay() {
        let plan = Autopilot.AutopilotPlan(
            version: "v1.32.1+k0s.0", state: "SchedulableWait", nodeStates: ["SignalSent"])
        let problems = autopilotProblems(Autopilot(plan: plan), isDisabled: nil)
        #expect(problems.map(\.code) == ["autopilot-active"])
        #expect(problems[0].text.contains("v1.32.1+k0s.0 (SchedulableWait), here SignalSent"))
    }

    @Test(
        "windows that never match, or end at midnight, are told",
        arguments: [
            (["Tuesdays"], "02:00", "2h", "never match"),
            (["tue", "Monday"], "02:00", "2h", "\"tue\" never match"),
            (["Monday"], "23:00", "2h", "crosses midnight"), ([], "22:30", "1h31m", "crosses midnight"),
            // To the minute.
            (["Monday"], "22:00", "2h", nil), ([], "00:00", "24h", nil),
            (["Monday", "Sunday"], "02:00", "90m", nil), (["Monday"], "02:00", "soon", nil),
        ] as [([String], String, String, String?)])
    func windows(days: [String], start: String, length: String, trap: String?) {
        let window = Autopilot.Window(days: days, start: start, length: length)
        let found = autopilotProblems(config(window), isDisabled: false).filter {
            $0.code == "autopilot-window"
        }
        #expect(found.count == (trap == nil ? 0 : 1))
        if let trap { #expect(found.first?.text.contains(trap) == true) }
    }
}
