import Fleet
import FoundationEssentials
import Ledger
import Model
import Ports
import Testing

private let canaryAndRest = """
    stages:
      - {name: canary, nodes: [sample], soak: 1h}
      - {name: rest, maxConcurrent: 2}

    """

/// What `upgrade --output json` prints, as a script would read it.
private struct Plan: Decodable {
    struct Step: Decodable {
        let version: String
        let why: String
    }
    struct Bytes: Decodable {
        let architecture: String
        let sha256: String
        let proof: String
    }
    struct Rollout: Decodable {
        struct Track: Decodable {
            struct Stage: Decodable {
                let name: String
                let need: Int
            }
            let cluster: String
            let kind: String
            let stages: [Stage]
        }
        let id: String
        let version: String
        let generation: Int
        let state: String
        let then: [String]
        let tracks: [Track]
    }
    let distribution: String
    let from: String
    let target: String
    let nodes: Int
    let steps: [Step]
    let notes: [String]
    let artifacts: [Bytes]
    let rollout: Rollout?
}

@Suite("holdfast upgrade, on a node root")
struct UpgradeTests {
    private static let releases = ["v1.31.9+k3s1", "v1.32.4+k3s1"]

    private func store(_ fleet: FleetNode) throws -> RolloutDocument? {
        try fleet.book().rollout(of: .k3s)?.value
    }

    @Test("--plan shows every step with its reason, the order of nodes, the bytes, and begins nothing")
    func plan() throws {
        let fleet = try FleetNode(canaryAndRest, releases: Self.releases)
        try fleet.join("app-2") { $0.stage = "rest" }
        try fleet.join("worker-1") { record in
            record.stage = "rest"
            record.parts[0].role = .agent
        }
        let answer = try fleet.node.inPlace("upgrade", "k3s", "v1.32.4+k3s1", "--plan")
        #expect(answer.code == 0 && answer.errors.isEmpty)
        let lines = answer.output.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        for line in [
            "K3s v1.31.4+k3s1 → v1.32.4+k3s1",
            "step 1 v1.31.9+k3s1 the latest patch before the next minor",
            "step 2 v1.32.4+k3s1 the target",
            "Step 1 on 3 nodes, in this order:",
            "default control-plane canary 1 to prove it, 1 at once, within 1d",
            "default control-plane rest 1 to prove it, 1 at once, within 1d",
            "default workers rest 1 to prove it, 2 at once, within 1d",
            "Each step is a rollout of its own: give the command again when one is done.",
        ] {
            #expect(lines.contains(line), "missing: \(line)\n\(answer.output)")
        }
        #expect(answer.output.contains("two control-plane nodes keep no quorum"))
        #expect(try store(fleet) == nil)

        let plan = try fleet.node.inPlace("upgrade", "k3s", "v1.32.4+k3s1", "--plan", "-o", "json").json(
            Plan.self)
        #expect(plan.distribution == "k3s" && plan.from == "v1.31.4+k3s1" && plan.target == "v1.32.4+k3s1")
        #expect(plan.nodes == 3)
        #expect(plan.steps.map(\.version) == Self.releases)
        #expect(plan.artifacts.map(\.proof) == ["the release's checksum file"])
        #expect(plan.rollout?.version == "v1.31.9+k3s1" && plan.rollout?.then == ["v1.32.4+k3s1"])
        #expect(plan.rollout?.tracks.map(\.kind) == ["control-plane", "workers"])
        #expect(plan.rollout?.tracks.map { $0.stages.map(\.name) } == [["canary", "rest"], ["rest"]])
        #expect(try store(fleet) == nil)
    }

    @Test("--plan says who takes no part, and whose version nobody knows")
    func notes() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        try fleet.join("other-policy") { $0.policy = Digest(String(repeating: "c", count: 64)) }
        try fleet.join("lonely") { record in
            record.cluster = "edge"
            record.stage = nil
            record.parts[0].role = .agent
            record.parts[0].running = nil
        }
        let plan = try fleet.node.inPlace("upgrade", "k3s", "v1.31.9+k3s1", "--plan", "-o", "json").json(
            Plan.self)
        for note in [
            "cluster edge: no node of the control plane is known, so its workers wait for one",
            "another policy is in force on other-policy: they take no part until it is the same",
            "lonely is in no stage, and keeps its version",
            "what runs on lonely is not known, so the steps do not count from it",
        ] {
            #expect(plan.notes.contains(note), "\(plan.notes)")
        }
    }

    @Test("the oldest node anywhere is what the steps count from")
    func oldest() throws {
        let fleet = try FleetNode(releases: Self.releases)
        try fleet.join("old") { $0.parts[0].running = Version("v1.30.2+k3s1") }
        let plan = try fleet.node.inPlace(
            "upgrade", "k3s", "v1.32.4+k3s1", "--plan", "--through", "v1.30.8+k3s1", "-o", "json")
        // Nobody has its bytes, and that is told before anything is begun.
        #expect(plan.code == 1)
        #expect(plan.errors.contains("there is no v1.30.8+k3s1"), "\(plan.errors)")
    }

    @Test("a file is a release too, if it is what was asked for")
    func file() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        let file = try fleet.file("v1.31.9+k3s1")
        let plan = try fleet.node.inPlace(
            "upgrade", "k3s", "v1.31.9+k3s1", "--plan", "--from", file, "-o", "json"
        ).json(Plan.self)
        #expect(plan.steps.map(\.version) == ["v1.31.9+k3s1"])
        #expect(plan.artifacts.count == 1)
    }

    @Test("where every node runs it already there is nothing to do")
    func nothing() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        for words in [["--plan"], []] {
            let answer = try SampleNode.run(
                ["upgrade", "k3s", "v1.31.4+k3s1", "--root", fleet.node.root, "--policy", fleet.node.policy]
                    + words)
            #expect(answer.code == 0 && answer.output.contains("there is nothing to do"), "\(answer)")
        }
        #expect(try store(fleet) == nil)
    }

    // MARK: Refusals

    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var words: [String]
        var code: Int32
        var says: String
        var policy = ""
        var releases: [String] = []
        var before: @Sendable (FleetNode) throws -> Void = { _ in }
        var tells = true
    }

    static let everyRefused = [
        Refused(
            testDescription: "a distribution that is none", words: ["rke2", "v1.32.1+rke2r1"], code: 64,
            says: "rke2 is no distribution; there is k3s"),
        Refused(testDescription: "no target", words: ["k3s"], code: 64, says: "name a release to go to"),
        Refused(
            testDescription: "a version without K3s's own part", words: ["k3s", "v1.31.9"], code: 64,
            says: "v1.31.9 is no version of K3s; name one such as v1.31.4+k3s1"),
        Refused(
            testDescription: "a version of another distribution", words: ["k3s", "v1.31.9+k0s.0"], code: 64,
            says: "v1.31.9+k0s.0 is no version of K3s"),
        Refused(
            testDescription: "a release to pass through that is none",
            words: ["k3s", "v1.31.9+k3s1", "--through", "latest"], code: 64,
            says: "--through: latest is no version"),
        Refused(
            testDescription: "a distribution that is not here", words: ["k0s", "v1.32.1+k0s.0"], code: 1,
            says: "no k0s is on this node; give the command where one is"),
        Refused(
            testDescription: "no policy", words: ["k3s", "v1.31.9+k3s1"], code: 78,
            says: "there is no valid policy here, and a rollout goes by one; see 'holdfast policy lint'",
            before: { try FileManager.default.removeItem(atPath: $0.node.policy) }),
        Refused(
            testDescription: "a policy that is none", words: ["k3s", "v1.31.9+k3s1"], code: 78,
            says: "there is no valid policy here", before: { try $0.node.write("unattended: patch\n") }),
        Refused(
            testDescription: "a node that is not adopted", words: ["k3s", "v1.31.9+k3s1"], code: 1,
            says: "k3s is not guarded here, so nothing is changed; 'holdfast adopt' first", tells: false),
        Refused(
            testDescription: "a machine without an id", words: ["k3s", "v1.31.9+k3s1"], code: 78,
            says: "/node/etc/machine-id: there is none; make one with 'systemd-machine-id-setup --root=/",
            before: { try FileManager.default.removeItem(atPath: $0.node.root + "/etc/machine-id") }),
        Refused(
            testDescription: "no source", words: ["k3s", "v1.31.9+k3s1"], code: 78,
            says:
                "no source of releases is known; set source.channel (v1.31) or source.releases in the policy"),
        // The makers' own: asked through a proxy where nobody listens, so that nothing leaves this machine.
        Refused(
            testDescription: "the makers' own releases, which cannot be reached",
            words: ["k3s", "v1.31.9+k3s1"], code: 1, says: "127.0.0.1",
            policy: "source: {channel: v1.31, proxy: \"http://127.0.0.1:9\"}\n"),
        Refused(
            testDescription: "a target that is older", words: ["k3s", "v1.30.9+k3s1"], code: 1,
            says: "the target is older than what runs; going back is a rollback"),
        Refused(
            testDescription: "another major", words: ["k3s", "v2.0.0+k3s1"], code: 1,
            says: "the target is of another major version"),
        Refused(
            testDescription: "a minor in between of which no release is known",
            words: ["k3s", "v1.33.1+k3s1"],
            code: 1,
            says: "no release of v1.32 is known, and no minor may be skipped; name one with --through",
            releases: ["v1.33.1+k3s1"]),
        Refused(
            testDescription: "a release that the source does not have", words: ["k3s", "v1.31.10+k3s1"],
            code: 1,
            says: "there is no v1.31.10+k3s1", releases: ["v1.31.9+k3s1"]),
        Refused(
            testDescription: "a stage that matches nobody", words: ["k3s", "v1.31.9+k3s1"], code: 1,
            says:
                "stage canary matches no node, so what comes after it would never begin; name the fleet's store in "
                + "node.yaml",
            policy: "stages: [{name: canary, nodes: [app-1]}, {name: rest}]\n", releases: ["v1.31.9+k3s1"]),
        Refused(
            testDescription: "a stage that needs more nodes than there are", words: ["k3s", "v1.31.9+k3s1"],
            code: 1, says: "stage all needs 2 nodes and matches 1; set need to 1 or to all",
            policy: "stages: [{name: all, need: 2}]\n", releases: ["v1.31.9+k3s1"]),
        Refused(
            testDescription: "a node of an architecture that the source does not have",
            words: ["k3s", "v1.31.9+k3s1"], code: 1, says: "there is no v1.31.9+k3s1 for s390x",
            releases: ["v1.31.9+k3s1"], before: { try $0.join("mainframe") { $0.architecture = "s390x" } }),
        Refused(
            testDescription: "a file that is not there",
            words: ["k3s", "v1.31.9+k3s1", "--from", "/nowhere/k3s"],
            code: 1, says: "/nowhere/k3s: nothing is there"),
        Refused(
            testDescription: "a directory by half its path", words: ["k3s", "v1.31.9+k3s1", "--from", "."],
            code: 64, says: "--from .: name a directory by its whole path"),
    ]

    @Test("is refused with the reason and changes nothing", arguments: everyRefused)
    func refused(refused: Refused) throws {
        let fleet = try FleetNode(refused.policy, releases: refused.releases, tells: refused.tells)
        try refused.before(fleet)
        for words in [["--plan"], []] {
            let answer = try SampleNode.run(
                ["upgrade"] + refused.words + ["--root", fleet.node.root, "--policy", fleet.node.policy]
                    + words)
            #expect(answer.code == refused.code, "\(answer)")
            #expect(answer.errors.hasPrefix("Error: ") && answer.errors.contains(refused.says), "\(answer)")
            #expect(answer.output.isEmpty)
        }
        #expect(try store(fleet) == nil)
    }

    @Test("a file that is another release, or another distribution, is refused by its own bytes")
    func otherFile() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        for (file, says) in [
            (try fleet.file("v1.31.9+k3s1"), "it is v1.31.9+k3s1, not v1.31.10+k3s1"),
            (try fleet.k0s(), "it is a k0s, not a K3s"),
            (fleet.node.policy, "no K3s or k0s that can be told"),
        ] {
            let answer = try fleet.node.inPlace("upgrade", "k3s", "v1.31.10+k3s1", "--plan", "--from", file)
            #expect(answer.code == 1 && answer.errors.contains(says), "\(answer)")
        }
    }

    @Test("a node that has told the fleet nothing yet is told to, and does so where it begins one")
    func untold() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        // Another machine from now on.
        try Data("fedcba9876543210fedcba9876543210\n".utf8).write(
            to: URL(filePath: fleet.node.root + "/etc/machine-id"))
        let plan = try fleet.node.inPlace("upgrade", "k3s", "v1.31.9+k3s1", "--plan")
        #expect(
            plan.code == 1
                && plan.errors.contains(
                    "this node has not told the fleet of itself yet; 'holdfast check --fleet' as root does"),
            "\(plan)")
        let begun = try fleet.node.inPlace("upgrade", "k3s", "v1.31.9+k3s1")
        #expect(begun.code == 0, "\(begun)")
    }

    // MARK: Beginning

    @Test("begins the rollout of the first step, takes its own part in it, and says what to do next")
    func begins() throws {
        let fleet = try FleetNode(canaryAndRest, releases: Self.releases + ["v1.31.8+k3s1"])
        try fleet.join("app-2") { $0.stage = "rest" }
        let answer = try fleet.node.inPlace("upgrade", "k3s", "v1.32.4+k3s1", "--reason", "tried in the lab")
        #expect(answer.code == 0, "\(answer)")
        let document = try fleet.rollout()
        #expect(document.state == .running && document.artifact.version == Version("v1.31.9+k3s1"))
        #expect(document.then?.map(\.description) == ["v1.32.4+k3s1"])
        for part in [
            "Rollout \(document.id) has begun", "holdfast rollout status", "holdfast status --fleet",
        ] {
            #expect(answer.output.contains(part), "\(answer.output)")
        }
        // Once more is no second one; another release is.
        let again = try fleet.node.inPlace("upgrade", "k3s", "v1.32.4+k3s1")
        #expect(again.code == 0)
        #expect(again.output.contains("is under way since before; nothing new was begun"), "\(again.output)")
        #expect(try fleet.rollout().id == document.id)
        var words = 0
        try Ledger.openForReading(stateDirectory: fleet.state).entries(of: ["rollout-said"]) { _ in
            words += 1
        }
        #expect(words == 1)
        let another = try fleet.node.inPlace("upgrade", "k3s", "v1.31.8+k3s1")
        #expect(another.code == 1)
        #expect(
            another.errors.contains(
                "rollout \(document.id) is under way; end it first ('holdfast rollout abort'), or wait for it"
            ))
        #expect(try fleet.rollout().id == document.id)
        #expect(try fleet.node.inPlace("rollout", "pause", "--reason", "a look first").code == 0)
        let paused = try fleet.node.inPlace("upgrade", "k3s", "v1.31.8+k3s1")
        #expect(
            paused.code == 1 && paused.errors.contains("rollout \(document.id) is paused and has not ended"),
            "\(paused.errors)")
        #expect(try SampleNode.run(["verify", "--state", fleet.state]).code == 0)
    }

    @Test("a step that the policy wants approved begins, and says how to approve it")
    func approval() throws {
        let fleet = try FleetNode(releases: ["v1.32.4+k3s1"])
        let answer = try fleet.node.inPlace("upgrade", "k3s", "v1.32.4+k3s1")
        #expect(answer.code == 0)
        #expect(
            answer.output.contains("--rollout") && answer.output.contains("the policy asks for an approval"))
        #expect(try fleet.rollout().grants.isEmpty)
    }

    @Test("prints JSON alone where it is asked for, the rollout as it was begun")
    func json() throws {
        let fleet = try FleetNode(releases: ["v1.31.9+k3s1"])
        let plan = try fleet.node.inPlace("upgrade", "k3s", "v1.31.9+k3s1", "-o", "json").json(Plan.self)
        #expect(plan.rollout?.id == (try fleet.rollout().id))
        #expect(plan.rollout?.generation == 1 && plan.rollout?.state == "running")
    }
}

extension RolloutDocument {
    var grants: [Grant] { tracks.flatMap { $0.stages.flatMap(\.granted) } }
}
