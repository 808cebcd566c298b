import FoundationEssentials
import Model
import Testing

@testable import Agent

@Suite("The journal's catalogue (journalctl -x)")
struct JournalCatalogueTests {
    private let catalogue: [String: CatalogueEntry]
    private let order: [String]

    init() throws {
        let entries = try CatalogueEntry.all()
        order = entries.map(\.id)
        catalogue = Dictionary(entries.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("explains every message that the journal is told, each once, and none besides")
    func complete() {
        #expect(order.sorted() == JournalEntry.Message.allCases.map(\.rawValue).sorted())
    }

    @Test("says of each what it is, what it means and what to do", arguments: JournalEntry.Message.allCases)
    func text(message: JournalEntry.Message) throws {
        let entry = try #require(catalogue[message.rawValue])
        #expect(entry.headers["Subject"]?.isEmpty == false)
        #expect(entry.headers["Defined-By"] == "Holdfast")
        // A line of its own that can be pasted into a terminal.
        #expect(entry.body.contains { $0.hasPrefix("    holdfast ") || $0.hasPrefix("    journalctl ") })
        #expect(entry.body.allSatisfy { $0.utf8.count <= 80 }, "wider than a terminal on a bad night")
    }

    /// The journal leaves the name of a missing field standing between its @ signs.
    @Test("names no field that an entry of its message may lack", arguments: Event.barest)
    func fields(event: Event) throws {
        let entries = journalEntries(for: event)
        #expect(!entries.isEmpty)
        for entry in entries {
            let named = try #require(catalogue[entry.message.rawValue]).fields
            #expect(named.subtracting(entry.fields.keys).isEmpty, "\(entry.message)")
        }
    }

    @Test("is checked against an event of every message but the two that are told of no event")
    func covered() throws {
        let told = Set(Event.barest.flatMap(journalEntries).map(\.message))
        #expect(Set(JournalEntry.Message.allCases).subtracting(told) == [.ledgerBegun, .checkpointSigned])
        let checkpoint = checkpointEntry(
            for: Checkpoint(origin: "o", sequence: 1, hash: .none, at: Instant(seconds: 0)), note: "a\nb")
        let named = try #require(catalogue[JournalEntry.Message.checkpointSigned.rawValue]).fields
        #expect(!named.isEmpty && named.subtracting(checkpoint.fields.keys).isEmpty)
        #expect(try #require(catalogue[JournalEntry.Message.ledgerBegun.rawValue]).fields.isEmpty)
    }
}

/// An entry of Packaging/systemd/holdfast.catalog, whose format is systemd's (journal message catalogs).
private struct CatalogueEntry {
    var id: String
    var headers: [String: String] = [:]
    var body: [Substring] = []

    /// The fields that are put in, in the subject and in the text.
    var fields: Set<String> {
        var fields: Set<String> = []
        for line in headers.values.map({ Substring($0) }) + body {
            let parts = line.split(separator: "@", omittingEmptySubsequences: false)
            for index in parts.indices where index % 2 == 1 { fields.insert(String(parts[index])) }
        }
        return fields
    }

    static func all() throws -> [CatalogueEntry] {
        let top = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let path = top.joined(separator: "/") + "/Packaging/systemd/holdfast.catalog"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        var entries: [CatalogueEntry] = []
        var isInHeaders = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("#") {
            if line.hasPrefix("-- ") {
                entries.append(CatalogueEntry(id: String(line.dropFirst(3))))
                isInHeaders = true
            } else if !entries.isEmpty, line.isEmpty, isInHeaders {
                isInHeaders = false
            } else if !entries.isEmpty, isInHeaders {
                let colon = try #require(line.firstIndex(of: ":"), "a header without a value: \(line)")
                entries[entries.count - 1].headers[String(line[..<colon])] =
                    String(line[line.index(after: colon)...].drop { $0 == " " })
            } else if !entries.isEmpty {
                entries[entries.count - 1].body.append(line)
            }
        }
        return entries
    }
}

extension Event {
    /// An event of each kind that the journal is told of, with nothing in it that may be missing.
    fileprivate static let barest: [Event] = {
        let id = InstallationID(distribution: .k3s, name: "k3s")
        let bare = Artifact(version: nil)
        let installation = Installation(id: id, role: nil, units: [], installed: nil, running: nil)
        let change = Change(
            id: "a", installation: id, trigger: .unknown, phase: .offered, from: bare, to: bare,
            origin: .unknown)
        let policy = LoadedPolicy(
            document: PolicyDocument(), sources: PolicySources(file: "p", lines: [:]), sha256: .none)
        let record = DecisionRecord(
            id: "d", decision: Decision(reasons: []),
            subject: Subject(
                node: NodeFacts(name: "n", cluster: "c", labels: [:], architecture: .amd64),
                installation: installation, change: change, clockSynchronised: nil, zone: nil),
            policy: ResolvedPolicy(
                policy: Policy(), sources: [:], stages: [], stage: nil, sha256: .none, isCurrent: true),
            fleet: .alone, approvals: [], now: Instant(seconds: 0), dataVersions: [:])
        let problem = Problem(code: "snapd-silent", text: "")
        let approval = Approval(
            id: "p", distribution: .k3s, version: nil, digests: [:], revision: nil, from: [],
            scope: .node("n"),
            approvedAt: Instant(seconds: 0), expires: Instant(seconds: 1), waives: [], reason: "",
            claimedBy: "", spentBy: [])
        let denial = Denial(
            id: "y", distribution: .k3s, target: bare, deniedAt: Instant(seconds: 0), reason: "",
            claimedBy: "")
        let pause = Pause(until: Instant(seconds: 1), reason: "")
        let intent = Intent(id: "i", effect: .reloadUnits, before: .nothing)
        let reading = ClockReading(now: Instant(seconds: 0), monotonic: 0, bootID: "b", synchronised: nil)
        let step = Step(
            id: "s", change: change, decision: "d", approvals: [], source: "/s", binary: "/b", since: reading)
        return [
            .stepBegan(step), .stepMoved(StepMove(of: step, to: .probing, since: reading, invocation: nil)),
            .stepEnded(StepEnd(step, .abandoned(""))),
            .approvalSpent(SpentApproval(approval: "p", node: "n", step: "s", artifact: bare)),
            .quarantined(
                QuarantinedArtifact(installation: id, artifact: bare, reason: "", at: Instant(seconds: 0))),
            .rolloutSaid(
                RolloutWord(
                    distribution: .k3s, rollout: nil, version: nil, word: .pause, reason: "", claimedBy: "")),
            .seatTaken(
                SeatTaking(distribution: .k3s, seat: Seat(failing: ""), version: nil, isNews: true)),
            .adopted(Adoption(installation: id, artifact: bare, at: Instant(seconds: 0))), .released(id),
            .paused(pause), .resumed(Resumption(pause: pause, isByTime: true)),
            .effected(EffectEnd(of: intent, outcome: .done(nil))),
            .effected(EffectEnd(of: intent, outcome: .failed(""))),
            .guardBroken(BrokenGuard(summary: "s", found: nil)),
            .seeded(
                Seeding(
                    source: SeedSource(sequence: 1, hash: .none), entries: 0,
                    seed: Seed(installations: [], records: GuardRecords(), pause: nil))),
            .approved(approval), .denied(denial),
            .revoked(Revocation(revoked: .approval(approval), claimedBy: "")),
            .revoked(Revocation(revoked: .denial(denial), claimedBy: "")),
            .policyLoaded(policy), .policyRejected(PolicyRejection(file: "p", errors: [])),
            .installationFound(installation), .installationObserved(installation), .installationGone(id),
            .decided(record), .changeEnded(ChangeEnd(change: change)), .problemBegan(problem),
            .checkpointKey(CheckpointKey(verifier: "n+i+k", replaces: nil)),
            .bodiesDropped(
                Retention(
                    from: 1, through: 2, keep: .days(1), before: Instant(seconds: 0), kept: [], bodies: 1,
                    decisions: 0,
                    state: NodeState(), coverage: nil)),
            .problemEnded(problem), .catalogImported(CatalogImport(file: "f", sha256: .none, entries: [])),
        ]
            + GateAct.Kind.allCases.map { kind in
                .gateActed(
                    GateAct(
                        kind: kind, reason: "r", unit: "", installation: nil, at: Instant(seconds: 0),
                        invocationID: nil, text: "", record: ""))
            }
    }()
}

extension Seat {
    fileprivate init(failing reason: String) {
        self.init()
        phase = .failing(reason: reason)
    }
}
