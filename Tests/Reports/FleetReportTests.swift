import Model
import Reports
import Testing

private let version = Version("v1.32.1+k3s1")
private let now = Instant(seconds: 1_800_000_000)

private func digest(_ letter: Character) -> Digest {
    Digest(String(repeating: letter, count: 64)) ?? .none
}

private func record(
    _ id: String, _ name: String, policy: Digest? = digest("a"), ago: TimeSpan = .minutes(5),
    change: (inout NodeRecord.Part) -> Void = { _ in }
) -> NodeRecord {
    var part = NodeRecord.Part(
        distribution: .k3s, name: "k3s", role: .server, running: Version("v1.31.4+k3s1"),
        bytes: digest("0").hex)
    change(&part)
    return NodeRecord(
        id: id, instance: "i", name: name, cluster: "shop", stage: "canary", architecture: "amd64",
        policy: policy, sequence: 1, at: now + TimeSpan(seconds: -ago.seconds), parts: [part])
}

private func document(
    holders: [String] = [], state: RolloutDocument.State = .running
) throws -> RolloutDocument {
    var canary = StageState(
        name: "canary", position: 0, need: 2, needsAll: true, max: 1, deadline: .hours(24))
    canary.granted = holders.map { Grant(node: $0, id: "g-\($0)") }
    return RolloutDocument(
        generation: 7, id: "r1", distribution: .k3s,
        artifact: RolloutArtifact(version: try #require(version), bytes: ["amd64": digest("b").hex]),
        policy: digest("a"), state: state,
        tracks: [Track(cluster: "shop", kind: .controlPlane, stages: [canary])])
}

private func report(
    _ records: [NodeRecord], _ documents: [RolloutDocument] = [], quarantine: [FleetQuarantine] = [],
    problems: [String] = []
) -> FleetReport {
    var stage = Stage(name: "canary")
    stage.soak = .hours(2)
    return FleetReport(
        seesOthers: true, documents: documents, records: records, quarantine: quarantine, own: digest("a"),
        stages: [stage], now: now, problems: problems)
}

@Suite("A fleet's report")
struct FleetReportTests {
    @Test("has every key that scripts rely on, null where something is not known")
    func shape() throws {
        var rollout = try document(holders: ["n1"])
        rollout.tracks[0].stages[0].begun = now
        rollout.tracks[0].stages[0].evicted = ["n9"]
        rollout.reason = "a person looks"
        rollout.then = [try #require(Version("v1.33.1+k3s1"))]
        rollout.gates = [
            "shop": RolloutDocument.GateAnswer(at: now, node: "one", text: "nothing was asked for")
        ]
        let one = record("n1", "one") { part in
            part.phase = "soaking"
            part.grant = "g-n1"
            part.soak = .minutes(30)
        }
        var two = record("n2", "two") { part in
            part.role = nil
            part.running = nil
            part.bytes = nil
        }
        two.policy = nil
        two.stage = nil
        let failed = FleetQuarantine(
            bytes: "revision:7", distribution: .microk8s, version: nil, reason: "it did not get ready",
            node: "three", at: now)
        let text = try CanonicalJSON.text(
            of: report([two, one], [rollout], quarantine: [failed], problems: ["node/x: no JSON"]))
        let a = digest("a").hex
        #expect(
            text == """
                {"findings":["node/x: no JSON","the nodes decide by different policies (none on two; aaaaaaaaaaaa on one): \
                a node whose policy is not the rollout's takes no part in it; bring /etc/holdfast/policy.yaml to the same \
                on all"],"nodes":[{"architecture":"amd64","bytes":null,"cluster":"shop","distribution":"k3s",\
                "grant":null,"hasSamePolicy":false,"id":"n2","name":"two","phase":null,"policy":null,"role":null,\
                "running":null,"seen":"2027-01-15T07:55:00Z","soakLeft":null,"stage":null},{"architecture":"amd64",\
                "bytes":"\(digest("0").hex)","cluster":"shop","distribution":"k3s","grant":"g-n1",\
                "hasSamePolicy":true,"id":"n1","name":"one","phase":"soaking","policy":"\(a)","role":"server",\
                "running":"v1.31.4+k3s1","seen":"2027-01-15T07:55:00Z","soakLeft":5400,"stage":"canary"}],\
                "quarantine":[{"at":"2027-01-15T08:00:00Z","bytes":"revision:7","distribution":"microk8s",\
                "node":"three","reason":"it did not get ready","version":null}],"rollouts":[{"bytes":{"amd64":\
                "\(digest("b").hex)"},"distribution":"k3s","gates":{"shop":"nothing was asked for"},"generation":7,\
                "id":"r1","policy":"\(a)","reason":"a person looks","state":"running","then":["v1.33.1+k3s1"],\
                "tracks":[{"cluster":"shop","kind":"control-plane","stages":[{"begun":"2027-01-15T08:00:00Z",\
                "deadline":"2027-01-16T08:00:00Z","evicted":["n9"],"granted":[{"grant":"g-n1","name":"one",\
                "node":"n1"}],"met":false,"name":"canary","need":1,"proven":{}}]}],"version":"v1.32.1+k3s1"}],\
                "seesOthers":true}
                """)
    }

    @Test("an empty store is an empty report")
    func empty() throws {
        #expect(
            try CanonicalJSON.text(of: report([]))
                == #"{"findings":[],"nodes":[],"quarantine":[],"rollouts":[],"seesOthers":true}"#)
    }

    // MARK: Findings

    struct Finding: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var records: [NodeRecord]
        var holders: [String] = []
        var state = RolloutDocument.State.running
        /// What the only finding has in it; empty where there is to be none.
        var says: [String] = []
    }

    static let everyFinding = [
        Finding(
            testDescription: "nothing where all is as it should be",
            records: [record("n1", "one"), record("n2", "two")]),
        Finding(
            testDescription: "policies that differ, the one that most have first",
            records: [
                record("n1", "one", policy: digest("c")), record("n2", "two"), record("n3", "three"),
            ], says: ["(aaaaaaaaaaaa on three, two; cccccccccccc on one)", "bring /etc/holdfast/policy.yaml"]),
        Finding(
            testDescription: "of many names five and a number",
            records: [record("n0", "zero", policy: nil)] + (1...7).map { record("n\($0)", "m\($0)") },
            says: ["aaaaaaaaaaaa on m1, m2, m3, m4, m5 and 2 more; none on zero"]),
        Finding(
            testDescription: "two machines of one name",
            records: [record("n1", "one"), record("n2", "one"), record("n3", "three")],
            says: ["2 machines are called one (n1, n2)", "'holdfast rollout evict ID'", "node.yaml"]),
        Finding(
            testDescription: "a holder without a record", records: [record("n1", "one")],
            holders: ["n1", "gone"],
            says: [
                "gone holds a grant of rollout r1 (stage canary of shop)", "'holdfast rollout evict gone'",
            ]),
        Finding(
            testDescription: "a holder that is silent",
            records: [record("n1", "one", ago: TimeSpan(seconds: 3 * 3600 + 1))], holders: ["n1"],
            says: [
                "one holds a grant of rollout r1 and was last heard of at 2027-01-15T04:59:59Z",
                "'holdfast rollout evict one'",
            ]),
        // A record is written each hour; three were missed.
        Finding(
            testDescription: "nothing of a holder that was heard of three hours ago",
            records: [record("n1", "one", ago: .hours(3))], holders: ["n1"]),
        Finding(
            testDescription: "nothing of a silent node that holds no grant",
            records: [record("n1", "one", ago: .days(9))]),
        Finding(
            testDescription: "a paused rollout's holders too", records: [record("n1", "one", ago: .days(1))],
            holders: ["n1"], state: .paused, says: ["was last heard of"]),
        Finding(
            testDescription: "nothing of the holders of a rollout that has ended",
            records: [record("n1", "one", ago: .days(1))], holders: ["n1", "gone"], state: .aborted),
        // Nobody writes such a time but to do harm.
        Finding(
            testDescription: "a holder whose clock is from the beginning of time",
            records: [record("n1", "one", ago: TimeSpan(seconds: .max))], holders: ["n1"],
            says: ["was last heard of"]),
    ]

    @Test("finds what a person should look at, and what to do about it", arguments: everyFinding)
    func finds(finding: Finding) throws {
        let found = report(finding.records, [try document(holders: finding.holders, state: finding.state)])
            .findings
        #expect(found.count == (finding.says.isEmpty ? 0 : 1), "\(found)")
        for word in finding.says { #expect(found.joined().contains(word), "\(found)") }
    }

    @Test("the same in whatever order the store lists it, and where two policies have as many nodes")
    func order() throws {
        let records = [
            record("n1", "one"), record("n2", "one", policy: digest("c")), record("n3", "two"),
            record("n4", "two", policy: digest("c")),
        ]
        let texts = Set(
            try (0..<20).map { _ in try CanonicalJSON.text(of: report(records.shuffled())) })
        #expect(texts.count == 1, "\(texts)")
    }
}
