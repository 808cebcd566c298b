import Model
import Testing

@testable import Agent

private func entry(
    _ message: JournalEntry.Message, _ text: String = "what happened", _ fields: [String: String] = [:]
) -> JournalEntry {
    JournalEntry(message: message, priority: .notice, text: text, fields: fields)
}

@Suite("Events of the Node")
struct KubernetesEventTests {
    @Test(
        "are told of what matters, each under a reason of its own",
        arguments: [
            (
                entry(.decided, "t", ["HOLDFAST_VERDICT": "hold", "HOLDFAST_RULES": "ceiling origin"]),
                "UpgradeHeld"
            ),
            (
                entry(.decided, "t", ["HOLDFAST_VERDICT": "hold", "HOLDFAST_RULES": "ceiling"]),
                "UpgradeNeedsApproval"
            ),
            (
                entry(.decided, "t", ["HOLDFAST_VERDICT": "deny", "HOLDFAST_RULES": "downgrade"]),
                "UpgradeDenied"
            ),
            (entry(.decided, "t", ["HOLDFAST_VERDICT": "allow"]), "UpgradeAllowed"),
            (entry(.gatePutBack), "UpgradePutBack"), (entry(.gateRefused), "StartRefused"),
            (entry(.gateLetThrough), "StartLetThrough"), (entry(.guardBroken), "GuardBroken"),
            (entry(.guardFailed), "GuardFailed"),
            (entry(.policyRejected), "PolicyRejected"), (entry(.adopted), "Adopted"),
            (entry(.released), "Released"), (entry(.paused), "GuardsPaused"),
            (entry(.resumed), "GuardsResumed"), (entry(.gateUntold), "StartUntold"),
            (entry(.seeded), "LedgerSeeded"), (entry(.stepBegan), "UpgradeBegan"),
            (entry(.stepEnded), "UpgradeEnded"), (entry(.quarantined), "ArtifactQuarantined"),
        ])
    func reasons(entry: JournalEntry, reason: String) throws {
        let event = try #require(kubernetesEvent(for: entry, at: now, label: label))
        #expect(event.reason == reason)
        #expect(event.message == entry.text)
    }

    @Test(
        "are not told of what is for the journal alone, least of all that they could not be told",
        arguments: [
            JournalEntry.Message.problem, .problemEnded, .artifactChanged, .guardChanged, .installationFound,
        ])
    func silent(message: JournalEntry.Message) {
        #expect(kubernetesEvent(for: entry(message), at: now, label: label) == nil)
    }

    @Test("one entry is one event, and another text or time is another")
    func keys() {
        let events = nodeEvents(
            for: [entry(.adopted), entry(.adopted), entry(.adopted, "other")], at: now, label: label)
        #expect(events.map(\.message) == ["what happened", "other"])
        let again = nodeEvents(for: [entry(.adopted)], at: now, label: label)
        #expect(again.first?.key == events.first?.key)
        let later = nodeEvents(for: [entry(.adopted)], at: now + .minutes(1), label: label)
        #expect(later.first?.key != events.first?.key)
    }

    @Test("a flood is counted, not told")
    func flood() {
        let entries = (0..<1000).map { entry(.guardBroken, "guard \($0)") }
        let events = nodeEvents(for: entries, at: now, label: label)
        #expect(events.count == 20)
        #expect(events.last?.message.hasPrefix("981 more things") == true)
    }
}
