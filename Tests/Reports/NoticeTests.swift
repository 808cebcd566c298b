import FoundationEssentials
import Model
import Reports
import Testing

private let id = InstallationID(distribution: .k3s, name: "k3s")
private let at = Instant(seconds: 1_796_126_400)

private func decided(_ results: [(RuleName, RuleResult, Verdict)]) -> Event {
    let installation = Installation(id: id, role: .server, units: [], installed: nil, running: nil)
    let change = Change(
        id: "c1", installation: id, trigger: .fileReplaced, phase: .onDisk, from: Artifact(version: nil),
        to: Artifact(version: nil), origin: .unknown)
    return .decided(
        DecisionRecord(
            id: "d1",
            decision: Decision(
                reasons: results.map {
                    Reason(rule: $0.0, result: $0.1, text: "t", source: "s", consequence: $0.2)
                }),
            subject: Subject(
                node: NodeFacts(name: "n", cluster: "c", labels: [:], architecture: nil),
                installation: installation,
                change: change, clockSynchronised: true, zone: nil),
            policy: ResolvedPolicy(
                policy: Policy(), sources: [:], stages: [], stage: nil, sha256: .none, isCurrent: true),
            fleet: .alone, approvals: [], now: at, dataVersions: [:]))
}

private func gate(_ kind: GateAct.Kind) -> Event {
    .gateActed(
        GateAct(
            kind: kind, reason: "r", unit: "k3s.service", installation: id, at: at, invocationID: nil,
            text: "t",
            record: "x"))
}

private func step(_ outcome: StepEnd.Outcome) -> Event {
    let change = Change(
        id: "c1", installation: id, trigger: .rollout, phase: .offered, from: Artifact(version: nil),
        to: Artifact(version: nil), origin: .verified)
    let step = Step(
        id: "s1", change: change, decision: "d1", approvals: [], source: "/s", binary: "/b",
        since: ClockReading(now: at, monotonic: 0, bootID: "b", synchronised: true))
    return .stepEnded(StepEnd(step, outcome))
}

@Suite("Which entries somebody is told of")
struct NoticeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var event: Event
        var occasions: [Notification.Occasion]
    }

    @Test(
        "each kind of entry has its occasions, the narrowest first",
        arguments: [
            Case(testDescription: "allowed", event: decided([(.ceiling, .met, .hold)]), occasions: []),
            Case(
                testDescription: "held by a window",
                event: decided([(.ceiling, .met, .hold), (.window, .unmet, .hold)]),
                occasions: [.held]),
            Case(
                testDescription: "held by the ceiling alone",
                event: decided([(.ceiling, .unmet, .hold), (.window, .met, .hold)]),
                occasions: [.needsApproval, .held]),
            // An approval would not let it through yet.
            Case(
                testDescription: "held by the ceiling and a window",
                event: decided([(.ceiling, .unmet, .hold), (.window, .unmet, .hold)]), occasions: [.held]),
            Case(
                testDescription: "held since the type is not known",
                event: decided([(.ceiling, .unknown, .hold)]),
                occasions: [.held]),
            Case(testDescription: "denied", event: decided([(.pin, .unmet, .deny)]), occasions: [.denied]),
            Case(testDescription: "put back by the gate", event: gate(.putBack), occasions: [.undone]),
            Case(testDescription: "refused by the gate", event: gate(.refused), occasions: [.undone]),
            Case(testDescription: "let through", event: gate(.letThrough), occasions: [.guardBroken]),
            Case(testDescription: "not recorded", event: gate(.unrecorded), occasions: []),
            Case(testDescription: "done", event: step(.done), occasions: [.done]),
            Case(testDescription: "taken back", event: step(.putBack("r")), occasions: [.failed]),
            Case(testDescription: "needs a person", event: step(.needsPerson("r")), occasions: [.failed]),
            Case(testDescription: "left", event: step(.abandoned("r")), occasions: []),
            Case(
                testDescription: "a broken guard", event: .guardBroken(BrokenGuard(summary: "s", found: nil)),
                occasions: [.guardBroken]),
            Case(
                testDescription: "paused", event: .paused(Pause(until: at, reason: "r")), occasions: [.paused]
            ),
            Case(
                testDescription: "resumed",
                event: .resumed(Resumption(pause: Pause(until: at, reason: "r"), isByTime: true)),
                occasions: [.paused]),
            Case(testDescription: "released", event: .released(id), occasions: [.paused]),
            Case(
                testDescription: "a problem", event: .problemBegan(Problem(code: "c", text: "t")),
                occasions: []),
        ])
    func table(_ row: Case) {
        var table = NoticeTable()
        #expect(table.occasions(of: row.event) == row.occasions)
        #expect(NoticeTable.occasions[row.event.kind]?.isSuperset(of: row.occasions) != false)
        for occasion in row.occasions {
            #expect(NoticeTable.kinds(for: [occasion]).contains(row.event.kind))
        }
    }

    @Test("for an occasion only the kinds are asked that can bring it, and intents where ends of effects are")
    func kinds() {
        #expect(NoticeTable.kinds(for: [.held]) == ["decided"])
        #expect(
            NoticeTable.kinds(for: [.paused, .failed]) == [
                "paused", "resumed", "released", "step-ended", "seat-taken",
            ])
        #expect(NoticeTable.kinds(for: [.undone]) == ["gate-acted", "effected", "intended"])
        #expect(NoticeTable.kinds(for: []) == [])
    }

    @Test(
        "the end of an effect is told where its intent undoes a change, and not where it guards or carries one out"
    )
    func undone() {
        func told(_ purpose: Replacement.Purpose, _ outcome: EffectEnd.Outcome) -> [Notification.Occasion] {
            let intent = Intent(
                id: "i1",
                effect: .replace(
                    Replacement(
                        installation: id, artifact: Artifact(version: nil), source: .vault("/v"),
                        binary: "/b",
                        seen: nil, pending: nil, purpose: purpose)), before: .nothing)
            var table = NoticeTable()
            #expect(table.occasions(of: .intended(intent)) == [])
            return table.occasions(of: .effected(EffectEnd(of: intent, outcome: outcome)))
        }
        #expect(told(.undo, .done(nil)) == [.undone])
        #expect(told(.undo, .undone) == [])
        #expect(told(.step("s"), .done(nil)) == [])
        #expect(told(.step("s"), .failed("full")) == [.guardBroken])
        #expect(told(.undo, .unknown("?")) == [.guardBroken])
    }

    private struct CloudEvent: Decodable {
        struct Payload: Decodable {
            var node: String
            var kind: String
            var text: String
            var sequence: Int
            var change: String?
        }
        var id: String
        var source: String
        var specversion: String
        var type: String
        var time: String?
        var subject: String?
        var datacontenttype: String
        var data: Payload
    }

    private func notice(node: String, text: String, at: Instant = at) -> Notice {
        let entry = LedgerEntry(
            sequence: 7, kind: "paused", at: at, clockSynchronised: nil, bootID: "b", hash: .none,
            content: .event(.paused(Pause(until: at, reason: "r"))))
        return Notice(
            ledger: "ab12", node: node, entry: entry, occasion: .needsApproval, text: text,
            fields: [
                "HOLDFAST_CHANGE": "c1", "HOLDFAST_INSTALLATION": "k3s", "OTHER": "x",
                "HOLDFAST_NODE": "spoofed",
            ])
    }

    // https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, "Required Attributes".
    @Test(
        "is a CloudEvent with the attributes that 1.0 requires, none of them empty, the same bytes each time")
    func cloudEvent() throws {
        let notice = notice(node: "edge 1/é", text: "held")
        let event = try JSONDecoder().decode(CloudEvent.self, from: Data(notice.bytes))
        #expect(event.specversion == "1.0")
        #expect(event.id == "ab12-7")
        #expect(event.source == "/holdfast/edge%201%2F%C3%A9")
        #expect(event.type == "dev.holdfast.needs-approval")
        #expect(event.time == "2026-12-01T12:00:00Z")
        #expect(event.subject == "k3s")
        #expect(event.datacontenttype == "application/json")
        #expect(event.data.node == "edge 1/é")
        #expect(event.data.change == "c1")
        #expect(event.data.sequence == 7)
        #expect(notice.bytes == notice.bytes)
        #expect(!String(decoding: notice.bytes, as: UTF8.self).contains("\"other\""))
    }

    @Test("stays small and one line of JSON, whatever a reason holds")
    func hostile() throws {
        let text = String(repeating: "\u{0}\"\\\n\u{202e}🦊", count: 100_000)
        let bytes = notice(node: "n", text: text, at: Instant(seconds: .max)).bytes
        #expect(bytes.count < 64 << 10)
        #expect(!bytes.contains(UInt8(ascii: "\n")))
        let event = try JSONDecoder().decode(CloudEvent.self, from: Data(bytes))
        #expect(event.time == nil)
        #expect(event.data.text.hasSuffix(" …"))
    }
}
