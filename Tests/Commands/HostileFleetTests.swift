import Fleet
import FoundationEssentials
import Host
import KubernetesServer
import Model
import Ports
import ScriptedServer
import Testing

/// What others of the fleet, and of the cluster, have written is hostile, wherever it is shown.
@Suite("hostile texts of a fleet's store and of a cluster, however they are shown")
struct HostileFleetTests {
    private static let told =
        "notify: [{command: [/bin/sh, -c, \"cat >>$0\", TOLD], on: [held, denied, failed]}]\n"

    private func makeMetrics(_ node: SampleNode) throws {
        try FileManager.default.createDirectory(
            atPath: node.root + "/var/lib/prometheus/node-exporter", withIntermediateDirectories: true)
    }

    // MARK: The store

    /// What another node, or whoever has its account, can write under keys that are its own, and in the rollout.
    private func write(_ fleet: FleetNode) throws {
        let text = HostileText.whole
        try fleet.join(text, id: "id-stranger") { record in
            (record.cluster, record.stage, record.architecture) = (text, text, text)
            (record.instance, record.boot) = (text, text)
        }
        try fleet.join("\(text)2", id: "id-canary") { record in
            record.stage = "canary"
            record.parts[0].name = text
            record.parts[0].phase = text
            record.parts[0].grant = text
            record.parts[0].bytes = text
            record.parts[0].proven = text
            record.parts.append(record.parts[0])
        }
        try fleet.join("app-7")
        let store = try SQLiteFleetStore(stateDirectory: fleet.state)
        struct Broken: Encodable { var format = HostileText.whole }
        let broken = String(decoding: try JSONEncoder().encode(Broken()), as: UTF8.self)
        for (key, value) in [
            ("id-broken", broken), ("id-none", text), ("id-odd", "{\"format\":9,\"x\":\(broken)}"),
        ] {
            _ = try store.create(FleetKey(.node, key), value)
        }
        try fleet.change { document in
            document.reason = text
            document.artifact.bytes[text] = text
            document.artifact.channel = text
            document.gates = [
                "default": .init(at: Instant(seconds: 0), node: text, text: text),
                text: .init(at: Instant(seconds: 0), node: text, text: text),
            ]
            document.tracks[0].stages[0].granted = [
                Grant(node: text, id: text), Grant(node: "id-canary", id: "g"),
            ]
            document.tracks[0].stages[0].evicted = [text, "id-stranger"]
            document.tracks[0].stages[0].proven = [text: 1]
            var track = document.tracks[0]
            track.cluster = text
            for index in track.stages.indices { track.stages[index].name = text }
            document.tracks.append(track)
        }
        let artifact = try fleet.rollout().artifact
        let bytes = try #require(artifact.bytes.values.first { $0 != text })
        for bytes in [bytes, String(repeating: "a", count: 64), "revision:7"] {
            try fleet.book().quarantine(
                FleetQuarantine(
                    bytes: bytes, distribution: .k3s, version: artifact.version, reason: text, node: text,
                    at: Instant(seconds: 1_700_000_000)), isNew: true)
        }
        let now = Int64(Date().timeIntervalSince1970)
        for (id, scope) in [
            (text, Approval.Scope.stage(text)), ("\(text)2", .rollout(try fleet.rollout().id)),
        ] {
            try fleet.book().share(
                Approval(
                    id: id, distribution: .k3s, version: artifact.version,
                    digests: [text: Digest(String(repeating: "b", count: 64)) ?? .none], revision: text,
                    from: [],
                    scope: scope, approvedAt: Instant(seconds: now), expires: Instant(seconds: now + 3600),
                    waives: [], reason: text, claimedBy: text, spentBy: [text]))
            try fleet.book().spend(id, on: text)
        }
    }

    @Test("what another node wrote into the store: rollouts, records, quarantines, approvals")
    func store() throws {
        let fleet = try FleetNode(
            "stages: [{name: canary, nodes: [app-*, sample]}, {name: rest}]\norigin: claimed\n",
            releases: ["v1.31.9+k3s1"])
        let node = fleet.node
        try makeMetrics(node)
        let policy = try String(contentsOf: URL(filePath: node.policy), encoding: .utf8)
        try node.write(policy + Self.told.replacing("TOLD", with: node.directory + "/told"))
        #expect(try node.inPlace("check", "--fleet").code == 0)
        try fleet.join("app-2") { $0.stage = "rest" }
        let begun = try node.inPlace("upgrade", "k3s", "v1.31.9+k3s1")
        try #require(begun.code == 0, "\(begun)")
        try write(fleet)
        func run(_ words: [String]) throws -> SampleNode.Answer { try node.inPlace(words) }
        let seen = try run(["check", "--fleet"])
        #expect(seen.code == 0)
        HostileText.expectPlain(seen.output + seen.errors, ["check", "--fleet"])
        try HostileText.expectForms(run)
        // It was there to be shown.
        #expect(try run(["status", "--fleet", "-o", "json"]).output.contains("script>alert(1)"))
        #expect(try run(["explain"]).output.contains("script>alert(1)"))
        #expect(try run(["quarantine", "list"]).output.contains("script>alert(1)"))
        // A shell would run what stands in some names.
        let offered = try run(["complete", "--", "rollout", "evict", "--root", node.root, ""]).output
        #expect(offered.contains("app-7\t") && !offered.contains("script"), "\(offered)")
        for words in [
            ["complete", "--", "rollout", "evict", "--root", node.root, ""],
            ["complete", "--", "quarantine", "clear", "--root", node.root, ""],
            ["complete", "--", "revoke", "--root", node.root, ""],
            ["rollout", "pause", "--reason", HostileText.whole],
            ["rollout", "pause", "--reason", HostileText.whole],
            ["rollout", "resume"], ["rollout", "evict", HostileText.whole],
            ["fleet", "forget", "id-canary"],
            ["rollout", "evict", "id-canary"],
            ["rollout", "evict", "nosuch"], ["fleet", "forget", HostileText.whole],
            ["fleet", "forget", "id-stranger"], ["quarantine", "clear", HostileText.whole],
            ["quarantine", "clear", "revision:7", "--reason", HostileText.whole], ["step"],
            ["upgrade", "k3s", "v1.31.9+k3s1", "--plan"], ["upgrade", "k3s", "v1.31.9+k3s1"],
        ] {
            let answer = try run(words)
            // A tab is what parts a word that is offered from its help.
            let output = words[0] == "complete" ? answer.output.replacing("\t", with: " ") : answer.output
            HostileText.expectPlain(output + answer.errors, words)
        }
        // The same once it has failed somewhere, and as somebody remembers what a store of many machines once said.
        try fleet.change { $0.state = .halted }
        try fleet.remember { known in
            known.failure = HostileText.whole
            known.stranger = HostileText.whole
            known.waits = ["k3s": HostileText.whole, HostileText.whole: HostileText.whole]
            known.unbegun = known.waits
            known.controlPlaneFailure = HostileText.whole
            known.controlPlane = ControlPlane(members: [
                ControlPlaneMember(name: HostileText.whole, isOwn: true),
                ControlPlaneMember(name: "\(HostileText.whole)2", isOwn: false),
            ])
        }
        for words in [["status"], ["explain"], ["doctor"], ["status", "--fleet"], ["rollout", "status"]] {
            let answer = try run(words)
            HostileText.expectPlain(answer.output + answer.errors, words)
        }
        try HostileText.expectForms(run)
        try fleet.reach(endpoints: "http://127.0.0.1:1")
        for words in [
            ["status"], ["doctor"], ["doctor", "-o", "json"], ["status", "--fleet"], ["rollout", "status"],
        ] {
            let answer = try run(words)
            HostileText.expectPlain(answer.output + answer.errors, words)
        }
        try HostileText.expectPlainTraces(of: node)
    }

    // MARK: The cluster

    /// Plans of system-upgrade-controller as somebody may write them, and one that is well but for its name.
    private static let plans: AnyJSON = {
        func plan(_ name: String, _ spec: [String: String], _ latest: String? = nil) -> AnyJSON {
            var content: AnyJSON = [
                "nodeSelector": [:], "upgrade": ["image": .text("x/k3s-upgrade:\(HostileText.whole)")],
            ]
            for (key, value) in spec { content[key] = .text(value) }
            return [
                "kind": "Plan", "metadata": ["name": .text(name), "namespace": .text("ns\(name)")],
                "spec": content,
                "status": latest.map {
                    [
                        "latestVersion": .text($0), "latestHash": .text(HostileText.whole),
                        "applying": .list([.text(HostileText.whole)]),
                    ]
                } ?? [:],
            ]
        }
        let text = HostileText.whole
        return [
            "kind": "PlanList", "metadata": ["resourceVersion": "1"],
            "items": .list([
                plan(text, ["version": "v1.32.1-k3s1"]),
                plan("\(text)2", ["version": "v1.33.1+k3s1"], "v1.33.1-k3s1"),
                plan("a", ["version": text]), plan("b", ["channel": text]),
                plan("c", ["channel": "https://example.test/\(text)/k3s"], text),
                plan("d", ["channel": "https://example.test/\(text)"], "v1.32.1-k3s1"),
            ]),
        ]
    }()

    @Test(
        "plans of system-upgrade-controller, and what the API says where it refuses",
        .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
    func cluster() throws {
        let sample = try JoinedSample(policy: "")
        let node = sample.node
        try node.write(withPlans + Self.told.replacing("TOLD", with: node.directory + "/told"))
        try makeMetrics(node)
        let list = ScriptedServer.Step.answer(Self.plans.bytes, type: "application/json")
        sample.server.disturb { $0.target.hasPrefix("/apis/upgrade.cattle.io/v1/plans") ? [list] : nil }
        func run(_ words: [String]) throws -> SampleNode.Answer { try node.inPlace(words) }
        for words in [["adopt"], ["check"], ["check"]] {
            let answer = try run(words)
            #expect((0...1).contains(answer.code), "\(answer)")
            HostileText.expectPlain(answer.output + answer.errors, words)
        }
        try HostileText.expectForms(run)
        #expect(try run(["check", "-o", "json"]).output.contains("suc-plan"))
        #expect(try run(["status", "--paths"]).output.contains("script>alert(1)"))
        // Nor is it told on, to who watches the cluster.
        let events = sample.server.objects(below: "/api/v1/namespaces/default/events")
        #expect(!events.isEmpty)
        for event in events {
            for key in ["message", "reason", "action"] {
                let text = event[key]?.text ?? ""
                #expect(text.printable == text, "\(text.debugDescription)")
            }
        }
        // What it says where it refuses.
        let status: AnyJSON = [
            "kind": "Status", "status": "Failure", "message": .text(HostileText.whole),
            "reason": .text(HostileText.whole),
            "code": 403,
        ]
        for (code, body) in [
            ("403 \(HostileText.line)", status.bytes), ("500 Oops", Array(HostileText.whole.utf8)),
        ] {
            sample.server.disturb { _ in [.answer(body, status: code, type: "application/json")] }
            // Its store is there too, so that whoever asks for the fleet is told at once.
            try Data("kubeconfig: /etc/holdfast/kubeconfig\nfleet: {store: kubernetes}\n".utf8).write(
                to: URL(filePath: node.root + "/etc/holdfast/node.yaml"))
            for words in [["adopt"], ["check"], ["release"], ["adopt"]] {
                let answer = try run(words)
                HostileText.expectPlain(answer.output + answer.errors, words)
            }
            try HostileText.expectForms(first: 15, run, isAnswered: false)
        }
        try HostileText.expectPlainTraces(of: node)
    }
}
