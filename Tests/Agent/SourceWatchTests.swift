import Model
import Ports
import Testing

@testable import Agent

private let start = Instant(seconds: 1_800_000_000)

/// A source that says what a test tells it to, and counts how often it is asked.
private final class ScriptedReleases: ReleaseSource {
    var says: Result<[String], SourceFailure> = .success([])
    var digests: [String: Digest] = [:]
    var asked = 0
    var searched: [String] = []

    func releases(of distribution: Distribution) throws(SourceFailure) -> [Version] {
        asked += 1
        return try says.get().compactMap { Version($0) }
    }

    func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact {
        searched.append(wanted.version.description)
        guard let digest = digests[wanted.version.description] else {
            throw SourceFailure(.notFound, "not there yet")
        }
        return FoundArtifact(
            wanted: wanted, name: "k3s", sha256: digest, proof: .release, size: nil, place: "there")
    }

    func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        throw SourceFailure(.other, "a look fetches nothing")
    }
}

/// A node with one K3s server, and what it remembers of sources.
private final class Watched {
    let source = ScriptedReleases()
    var settings = ArtifactSource()
    var installed: String? = "v1.31.4+k3s1"
    var memory = ObserverMemory()
    var now = start

    init() {
        settings.releases = "https://mirror/{version}/{file}"
        settings.channel = "stable"
    }

    var installation: Installation {
        Installation(
            id: InstallationID(distribution: .k3s, name: "k3s"), role: .server, units: [],
            installed: Installed(
                artifact: Artifact(version: installed.flatMap { Version($0) }), path: "/usr/local/bin/k3s",
                evidence: .goBuildInfo, origin: .claimed), running: nil)
    }

    @discardableResult
    func look(isAsked: Bool = false) -> [Problem] {
        var document = PolicyDocument()
        document.base.source = settings
        let policy = LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none)
        var observation = Observation(
            node: NodeFacts(name: "n", cluster: "c", labels: [:], architecture: .amd64),
            clock: ClockReading(now: now, monotonic: 0, bootID: "b", synchronised: true),
            installations: [installation], problems: [])
        let source = source
        SourceWatch(
            source: { $0.releases.isEmpty ? nil : source }, isAsked: isAsked, label: { "label of \($0)" }
        ).look(&observation, policy: policy, memory: &memory)
        return observation.problems
    }

    var offers: [PlanTarget] { sourceOffers(memory.source ?? [:], on: [installation]) }
    var offered: [String] { offers.compactMap { $0.version?.description } }
}

@Suite("Releases that a source tells of")
struct SourceWatchTests {
    @Test("a newer release is offered with its digest, by a rollout")
    func offers() throws {
        let node = Watched()
        let digest = try #require(Digest(String(repeating: "a", count: 64)))
        node.source.says = .success(["v1.31.5+k3s1"])
        node.source.digests = ["v1.31.5+k3s1": digest]
        #expect(node.look().isEmpty)
        let offer = try #require(node.offers.first)
        #expect(node.offers.count == 1)
        #expect(offer.trigger == .rollout)
        #expect(offer.sha256 == digest)
        #expect(offer.origin == .verified)
        #expect(offer.isRelied)
        var installation = node.installation
        installation.offer(node.offers) { _ in nil }
        #expect(installation.offers.map(\.artifact.sha256) == [digest])
        #expect(installation.offers.map(\.origin) == [.verified])
        // An imported checksum that says other bytes of the same release: nobody knows which.
        installation.offers = []
        installation.offer(node.offers) { _ in (Digest.none, .verified) }
        #expect(installation.offers.map(\.origin) == [.unknown])
        #expect(installation.offers.map(\.artifact.sha256) == [digest])
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var listed: [String]
        var installed: String? = "v1.31.4+k3s1"
        var offered: [String]
    }

    static let rows = [
        Row(testDescription: "what is installed", listed: ["v1.31.4+k3s1"], offered: []),
        Row(testDescription: "what is older", listed: ["v1.31.3+k3s1", "v1.30.9+k3s1"], offered: []),
        Row(testDescription: "another build", listed: ["v1.31.4+k3s2"], offered: ["v1.31.4+k3s2"]),
        Row(
            testDescription: "the newest patch of a minor, of the next, and the newest of all",
            listed: [
                "v1.34.1+k3s1", "v1.33.2+k3s1", "v1.32.1+k3s1", "v1.32.10+k3s1", "v1.31.9+k3s1",
                "v1.31.10+k3s1",
            ], offered: ["v1.34.1+k3s1", "v1.32.10+k3s1", "v1.31.10+k3s1"]),
        Row(
            testDescription: "no pre-release that nobody chose",
            listed: ["v1.31.5-rc1+k3s1", "v1.31.5+k3s1"],
            offered: ["v1.31.5+k3s1"]),
        Row(
            testDescription: "nothing where nobody knows what is installed", listed: ["v1.31.5+k3s1"],
            installed: nil, offered: []),
    ]

    @Test("of all that a directory lists, what an owner would want to know is offered", arguments: rows)
    func listed(row: Row) {
        let node = Watched()
        node.settings.channel = ""
        node.installed = row.installed
        node.source.says = .success(row.listed)
        node.look()
        #expect(node.offered == row.offered)
        #expect(node.offers.allSatisfy { $0.origin == .claimed && $0.sha256 == nil })
    }

    @Test("a source is asked no more often than its poll says, unless a person asks or the settings change")
    func poll() {
        let node = Watched()
        node.look()
        node.now = start + .hours(6) + TimeSpan(seconds: -1)
        node.look()
        #expect(node.source.asked == 1)
        node.now = start + .hours(6)
        node.look()
        #expect(node.source.asked == 2)
        node.look(isAsked: true)
        #expect(node.source.asked == 3)
        node.settings.channel = "latest"
        node.look()
        #expect(node.source.asked == 4)
        // A clock that was set back.
        node.now = start
        node.look()
        #expect(node.source.asked == 5)
    }

    @Test("one that does not answer is asked less and less often, what it told stands, and people are told")
    func silence() {
        let node = Watched()
        node.source.says = .success(["v1.31.5+k3s1"])
        node.look()
        node.source.says = .failure(SourceFailure(.unreachable, "mirror: no answer"))
        var asked: [Int64] = []
        var problems: [[String]] = []
        for hour in 1...120 {
            node.now = start + .hours(Int64(hour))
            let before = node.source.asked
            let found = node.look()
            if node.source.asked > before {
                asked.append(Int64(hour))
                problems.append(found.map(\.code))
            }
        }
        #expect(asked == [6, 12, 24, 48, 72, 96, 120])
        // Once is no news.
        #expect(problems.first == [])
        #expect(problems.dropFirst().allSatisfy { $0 == ["source-silent"] })
        #expect(node.offered == ["v1.31.5+k3s1"])
        node.source.says = .success(["v1.31.5+k3s1"])
        node.now = start + .days(6)
        #expect(node.look().isEmpty)
    }

    @Test("what time alone does not mend is told at once")
    func refusal() {
        let node = Watched()
        node.source.says = .failure(SourceFailure(.malformed, "mirror: no version"))
        #expect(node.look().map(\.code) == ["source-silent"])
        #expect(node.look().map(\.about) == ["k3s"])
    }

    @Test(
        "invariant 2: a channel that goes back, flaps or jumps is not relied on, and its offers are of unknown origin",
        arguments: [
            ["v1.31.6+k3s1", "v1.31.5+k3s1"], ["v1.31.5+k3s1", "v1.31.4+k3s1", "v1.31.5+k3s1"],
            ["v1.31.5+k3s1", "v1.33.0+k3s1"],
        ])
    func distrusted(said: [String]) throws {
        let node = Watched()
        var problems: [Problem] = []
        for text in said {
            node.source.digests[text] = Digest.none
            node.source.says = .success([text])
            problems = node.look()
            node.now = node.now + .hours(6)
        }
        #expect(problems.map(\.code) == ["source-distrusted"])
        let offer = try #require(node.offers.first)
        #expect(!offer.isRelied)
        #expect(offer.sha256 == nil)
        var installation = node.installation
        installation.offer(node.offers) { _ in (Digest.none, .verified) }
        #expect(installation.offers.map(\.origin) == [.unknown])
    }

    @Test("a digest is looked for again until it is there, and then no more")
    func digest() {
        let node = Watched()
        node.source.says = .success(["v1.31.5+k3s1"])
        for _ in 0..<2 {
            node.look(isAsked: true)
            #expect(node.offers.map(\.sha256) == [nil])
        }
        node.source.digests["v1.31.5+k3s1"] = Digest.none
        for _ in 0..<2 {
            node.look(isAsked: true)
            #expect(node.offers.map(\.sha256) == [Digest.none])
        }
        #expect(node.source.searched.count == 3)
    }

    @Test("what a source no longer tells of is no longer offered, nor where there is no source")
    func withdrawn() {
        let node = Watched()
        node.settings.channel = ""
        node.source.says = .success(["v1.32.0+k3s1", "v1.31.5+k3s1"])
        node.look()
        #expect(node.offered == ["v1.32.0+k3s1", "v1.31.5+k3s1"])
        node.source.says = .success(["v1.31.5+k3s1"])
        node.look(isAsked: true)
        #expect(node.offered == ["v1.31.5+k3s1"])
        node.settings.releases = ""
        node.look()
        #expect(node.offered == [])
        #expect(node.memory.source == nil)
    }
}
