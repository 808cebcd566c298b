import Model
import Rules
import Testing

private func loaded(_ change: (inout PolicyDocument, inout [String: Int]) throws -> Void) throws
    -> LoadedPolicy
{
    var document = PolicyDocument()
    var lines: [String: Int] = [:]
    try change(&document, &lines)
    let digest = try #require(Digest(String(repeating: "1", count: 64)))
    return LoadedPolicy(
        document: document, sources: PolicySources(file: "/etc/p.yaml", lines: lines), sha256: digest)
}

private let node = NodeFacts(
    name: "edge-7", cluster: "north", labels: ["tier": "edge"], architecture: .arm64)

private struct Matching: Sendable, CustomTestStringConvertible {
    let name: String
    let matches: Bool
    let match: Match
    var testDescription: String { name }

    init(_ name: String, _ matches: Bool, _ change: (inout Match) -> Void) {
        var match = Match()
        change(&match)
        (self.name, self.matches, self.match) = (name, matches, match)
    }
}

@Suite("Resolving a policy")
struct ResolveTests {
    @Test("of a file that sets nothing gives the defaults, and says so of every key")
    func defaults() throws {
        let resolved = resolve(
            try loaded { _, _ in }, isCurrent: true, node: node, distribution: .k3s, role: .server)
        #expect(resolved.policy == Policy())
        #expect(resolved.stage == 0)
        for key in ["unattended", "windows", "deny", "clock", "stages[0]"] {
            #expect(resolved.source(of: key) == "default")
        }
    }

    @Test("replaces key by key in the order of the rules, accumulates three lists, and knows every line")
    func layers() throws {
        let range = try VersionRange("1.30.x")
        let policy = try loaded { document, lines in
            document.base.unattended = .patch
            document.base.windows = [Window(days: [.mon], start: 0, duration: .hours(1))]
            document.base.deny = [DeniedVersions(versions: range, reason: "base", url: "")]
            var first = PolicySettings()
            first.unattended = Ceiling.none
            first.deny = [
                DeniedVersions(versions: range, reason: "one", url: ""),
                DeniedVersions(versions: range, reason: "two", url: ""),
            ]
            var other = PolicySettings()
            other.unattended = .minor
            var elsewhere = Match()
            elsewhere.cluster = ["south"]
            var last = PolicySettings()
            last.unattended = .build
            last.deny = [DeniedVersions(versions: range, reason: "three", url: "")]
            document.rules = [
                PolicyRule(match: Match(), settings: first), PolicyRule(match: elsewhere, settings: other),
                PolicyRule(match: Match(), settings: last),
            ]
            lines = [
                "unattended": 2, "windows": 3, "deny": 5, "deny[0]": 6, "rules[0].unattended": 10,
                "rules[0].deny": 11, "rules[0].deny[0]": 12, "rules[0].deny[1]": 13,
                "rules[1].unattended": 20,
                "rules[2].unattended": 30, "rules[2].deny": 31, "rules[2].deny[0]": 32, "stages": 40,
                "stages[0]": 41,
            ]
        }
        let resolved = resolve(policy, isCurrent: true, node: node, distribution: .k3s, role: .agent)
        #expect(resolved.policy.unattended == .build)
        #expect(resolved.source(of: "unattended") == "/etc/p.yaml:30")
        // A rule that does not set a key leaves it alone, windows too.
        #expect(resolved.policy.windows?.count == 1)
        #expect(resolved.source(of: "windows") == "/etc/p.yaml:3")
        #expect(resolved.policy.deny.map(\.reason) == ["base", "one", "two", "three"])
        #expect(
            (0..<4).map { resolved.source(of: "deny[\($0)]") }
                == ["/etc/p.yaml:6", "/etc/p.yaml:12", "/etc/p.yaml:13", "/etc/p.yaml:32"])
        #expect(resolved.source(of: "stages[0]") == "/etc/p.yaml:41")
        #expect(resolved.sha256 == policy.sha256)
    }

    @Test(
        "applies a rule where every part of its match does, and never on what is not known",
        arguments: [
            Matching("everything", true) { _ in },
            Matching("distribution", true) { $0.distribution = [.k0s, .k3s] },
            Matching("another distribution", false) { $0.distribution = [.k0s] },
            Matching("role", true) { $0.role = [.server] },
            Matching("another role", false) { $0.role = [.agent] },
            Matching("node", true) { $0.node = ["core-*", "edge-?"] },
            Matching("another node", false) { $0.node = ["edge"] },
            Matching("cluster", true) { $0.cluster = ["n*"] },
            Matching("another cluster", false) { $0.cluster = ["south"] },
            Matching("label", true) { $0.labels = ["tier": "edge"] },
            Matching("another label", false) { $0.labels = ["tier": "core"] },
            Matching("a label it has not", false) { $0.labels = ["tier": "edge", "gpu": "yes"] },
            Matching("arch", true) { $0.arch = [.arm64] },
            Matching("another arch", false) { $0.arch = [.amd64] },
            Matching("one part of two", false) {
                $0.node = ["edge-*"]
                $0.role = [.agent]
            },
        ])
    private func matching(_ row: Matching) throws {
        let policy = try loaded { document, _ in
            var settings = PolicySettings()
            settings.unattended = .minor
            document.rules = [PolicyRule(match: row.match, settings: settings)]
        }
        let resolved = resolve(policy, isCurrent: true, node: node, distribution: .k3s, role: .server)
        #expect((resolved.policy.unattended == .minor) == row.matches)

        if !row.match.role.isEmpty {
            let unknown = resolve(policy, isCurrent: true, node: node, distribution: .k3s, role: nil)
            #expect(unknown.policy.unattended == .none)
        }
        if !row.match.arch.isEmpty {
            var nameless = node
            nameless.architecture = nil
            let unknown = resolve(policy, isCurrent: true, node: nameless, distribution: .k3s, role: .server)
            #expect(unknown.policy.unattended == .none)
        }
    }

    @Test("puts a node into the first stage that matches its name, cluster and labels")
    func stages() throws {
        var canary = Stage(name: "canary")
        canary.labels = ["canary": "yes"]
        var staging = Stage(name: "staging")
        staging.clusters = ["staging-*"]
        var edge = Stage(name: "edge")
        edge.nodes = ["edge-*"]
        let policy = try loaded { document, _ in
            document.stages = [canary, staging, edge, Stage(name: "rest")]
        }
        func stage(_ change: (inout NodeFacts) -> Void) -> Int? {
            var facts = node
            change(&facts)
            return resolve(policy, isCurrent: true, node: facts, distribution: .k3s, role: .server).stage
        }
        #expect(stage { _ in } == 2)
        #expect(stage { $0.labels["canary"] = "yes" } == 0)
        #expect(stage { $0.cluster = "staging-1" } == 1)
        #expect(stage { $0.name = "core-1" } == 3)
        let narrow = try loaded { document, _ in document.stages = [canary] }
        #expect(
            resolve(narrow, isCurrent: true, node: node, distribution: .k3s, role: .server).stage == nil)
    }

    @Test("leaves out the checks and gates that a role cannot perform, and says which")
    func leftOut() throws {
        let policy = try loaded { document, _ in
            document.base.health.checks = [.unit, .running, .readyz, .nodeReady, .etcdVoter, .command(["x"])]
        }
        func left(_ distribution: Distribution, _ role: Role?) -> [String] {
            let left = checksLeftOut(policy, node: node, distribution: distribution, role: role)
            let resolved = resolve(
                policy, isCurrent: true, node: node, distribution: distribution, role: role)
            // What is said to be left out is left out, and nothing else is.
            let kept = resolved.policy.health.checks.count + resolved.policy.gates.count
            #expect(kept + left.count == 7)
            #expect(left.allSatisfy { !$0.reason.isEmpty })
            return left.map(\.name)
        }
        #expect(left(.k3s, .server).isEmpty)
        #expect(left(.k3s, .agent) == ["readyz", "etcdVoter", "deprecatedAPIs"])
        #expect(left(.k0s, .worker) == ["readyz", "nodeReady", "etcdVoter", "deprecatedAPIs"])
        #expect(left(.k0s, .controller) == ["nodeReady"])
        #expect(left(.microk8s, .node) == ["etcdVoter"])
        #expect(left(.k3s, nil).isEmpty)
    }
}
