import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Distributions

@Suite("MicroK8s when snapd is slow, old, odd or gone")
struct MicroK8sSnapdTests {
    private static let snapTarget = "/v2/snaps/microk8s"
    private static let findTarget = "/v2/find?select=refresh"

    /// The answers of a state, with some replaced.
    private func node(
        _ state: String = "02",
        replacing replaced: @escaping @Sendable (String, Int) -> [ScriptedServer.Step]?
    ) throws -> MicroK8sNode {
        let answers = try RecordedState.named(state).answers()
        return try MicroK8sNode { target, number in replaced(target, number) ?? answers(target, number) }
    }

    @Test("a snapd without MicroK8s is no installation and no problem")
    func notInstalled() throws {
        let node = try MicroK8sNode { _, _ in nil }
        var memory = ObserverMemory()
        memory.offers["microk8s/microk8s"] = .init(offers: [], askedAt: MicroK8sNode.recorded)
        let findings = node.look(memory: &memory)
        #expect(findings.installations.isEmpty && findings.problems.isEmpty)
        #expect(node.asked == [Self.snapTarget])
        #expect(memory == ObserverMemory())
    }

    @Test("no socket and no trace of MicroK8s is no installation and no problem")
    func nothing() throws {
        let findings = try MicroK8sNode().look()
        #expect(findings.installations.isEmpty && findings.problems.isEmpty)
    }

    @Test("a snapd that was stopped and left its socket says nothing of MicroK8s, unless it was there before")
    func stale() throws {
        let node = try node { _, _ in nil }
        var memory = ObserverMemory()
        _ = node.look(memory: &memory)
        node.server?.stop()
        // Bound, and nobody listens.
        let path = "\(node.directory.path)/run/snapd.socket"
        try node.directory.write("", to: "run/snapd.socket")
        let known = node.look(memory: &memory)
        #expect(known.installations.isEmpty)
        #expect(known.problems.map(\.code) == ["snapd-error"])
        #expect(known.problems.first?.text.hasPrefix("\(path): nobody listens") == true)
        #expect(node.look().problems.isEmpty)
    }

    @Test("offers are asked for once an interval, and at once when the clock went back")
    func interval() throws {
        let node = try node { _, _ in nil }
        var memory = ObserverMemory()
        func questions(at now: Instant) -> Int {
            let before = node.asked.count { $0 == Self.findTarget }
            _ = node.look(at: now, memory: &memory)
            return node.asked.count { $0 == Self.findTarget } - before
        }
        let start = MicroK8sNode.recorded
        #expect(questions(at: start) == 1)
        #expect(questions(at: start + .minutes(59)) == 0)
        #expect(questions(at: start + .minutes(60)) == 1)
        #expect(questions(at: start + .minutes(119)) == 0)
        #expect(questions(at: start) == 1)
    }

    @Test(
        "a store that does not answer is told on every look, keeps the old offers, and is left alone for an interval"
    )
    func storeDown() throws {
        let down = try SnapdFixture.read("store-down-2.68.3.json")
        let node = try node { target, number in
            target == Self.findTarget && number > 3
                ? [.answer(down, status: "500 Internal Server Error")] : nil
        }
        var memory = ObserverMemory()
        let start = MicroK8sNode.recorded
        #expect(node.look(at: start, memory: &memory).problems == [])
        for minutes: Int64 in [60, 65, 119] {
            let findings = node.look(at: start + .minutes(minutes), memory: &memory)
            #expect(findings.problems.map(\.code) == ["snapd-store"])
            #expect(findings.problems.first?.text.contains("connection refused") == true)
            #expect(findings.installations.first?.offers.map(\.artifact.revision) == ["2"])
        }
        #expect(node.asked.count { $0 == Self.findTarget } == 2)
        _ = node.look(at: start + .minutes(120), memory: &memory)
        #expect(node.asked.count { $0 == Self.findTarget } == 3)
    }

    @Test(
        "a snapd that takes questions and never answers is told once, is not waited for twice, and disk still tells"
    )
    func silent() throws {
        let node = try MicroK8sNode { _, _ in [.hang] }
        try node.directory.write("name: microk8s\nversion: v1.31.9\n", to: "snap/microk8s/7/meta/snap.yaml")
        try node.directory.link("snap/microk8s/current", to: "7")
        let findings = node.look(patience: 150)
        #expect(findings.problems.map(\.code) == ["snapd-silent"])
        #expect(findings.problems.first?.text.contains("no answer within 150 ms") == true)
        #expect(findings.installations.first?.installed?.artifact.version?.description == "v1.31.9")
        #expect(findings.installations.first?.running == nil)
        #expect(node.asked.count == 1)
    }

    @Test(
        "what snapd said before it went silent of the revision that is still there stands; of another it does not",
        arguments: ["7", "8"])
    func silentSince(revision: String) throws {
        let node = try MicroK8sNode { _, _ in [.hang] }
        try node.directory.write(
            "name: microk8s\nversion: v1.31.9\n", to: "snap/microk8s/\(revision)/meta/snap.yaml")
        try node.directory.link("snap/microk8s/current", to: revision)
        let offer = Offer(
            artifact: Artifact(version: nil, revision: "9"), trigger: .autoRefresh, published: nil,
            origin: .verified)
        var memory = ObserverMemory()
        memory.snaps["microk8s/microk8s"] = .init(revision: "7", channel: "1.31/stable")
        memory.causes["microk8s/microk8s"] = .namedRefresh
        memory.offers["microk8s/microk8s"] = .init(offers: [offer], askedAt: MicroK8sNode.recorded)
        let before = memory
        let installation = try #require(node.look(memory: &memory, patience: 150).installations.first)
        #expect(installation.offers == (revision == "7" ? [offer] : []))
        #expect(installation.installed?.cause == (revision == "7" ? .namedRefresh : .unknown))
        #expect(memory == before)
    }

    @Test("a snapd that goes silent amid a look is not waited for again, and what it said counts")
    func silentLater() throws {
        let node = try node { target, _ in target == Self.snapTarget ? nil : [.hang] }
        var memory = ObserverMemory()
        let kept = [
            Offer(
                artifact: Artifact(version: nil, revision: "2"), trigger: .autoRefresh, published: nil,
                origin: .verified)
        ]
        memory.offers["microk8s/microk8s"] = .init(offers: kept, askedAt: MicroK8sNode.recorded)
        let findings = node.look(memory: &memory, patience: 150)
        #expect(findings.problems.map(\.code) == ["snapd-silent"])
        #expect(findings.installations.first?.installed?.artifact.revision == "1")
        #expect(findings.installations.first?.offers == kept)
        #expect(node.asked == [Self.snapTarget, "/v2/system-info"])
    }

    @Test("an answer that a restart cuts short or cancels is asked for again, once")
    func restart() throws {
        let canceled = """
            {"type":"error","status-code":500,"status":"Internal Server Error","result":{"message":"request canceled"}}
            """
        let interrupted: [[ScriptedServer.Step]] = [
            [], [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ty")],
            [.answer(canceled, status: "500 Internal Server Error")],
        ]
        for steps in interrupted {
            let node = try node { target, number in target == Self.snapTarget && number == 0 ? steps : nil }
            let findings = node.look()
            #expect(findings.problems == [])
            #expect(findings.installations.first?.installed?.artifact.revision == "1")
            #expect(node.asked.prefix(3) == [Self.snapTarget, Self.snapTarget, "/v2/system-info"])

            let stuck = try self.node { target, _ in target == Self.snapTarget ? steps : nil }
            #expect(stuck.look().problems.map(\.code) == ["snapd-silent"])
            #expect(stuck.asked == [Self.snapTarget, Self.snapTarget])
        }
    }

    /// An answer about the snap that is none.
    struct Oddity: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [ScriptedServer.Step]
        var says: String
        var testDescription: String { name }
    }

    @Test(
        "an answer that is none is a problem that says so, in one printable line",
        arguments: [
            Oddity(
                name: "text/plain 400",
                steps: [
                    .answer(
                        "400 Bad Request: missing\u{1B}[31m header\n", status: "400 Bad Request",
                        type: "text/plain")
                ],
                says: "with status 400: 400 Bad Request: missing?[31m header"),
            Oddity(
                name: "error with a kind",
                steps: [
                    .answer(
                        "{\"type\":\"error\",\"result\":{\"message\":\"access denied\",\"kind\":\"login-required\"}}",
                        status: "401 Unauthorized")
                ], says: "status 401: access denied"),
            Oddity(
                name: "404 of another server",
                steps: [.answer("404 page not found\n", status: "404 Not Found", type: "text/plain")],
                says: "status 404: 404 page not found"),
            Oddity(
                name: "error under status 200",
                steps: [
                    .answer("{\"type\":\"error\",\"status-code\":500,\"result\":{\"message\":\"broken\"}}")
                ],
                says: "status 200: broken"),
            Oddity(
                name: "async", steps: [.answer("{\"type\":\"async\",\"result\":null,\"change\":\"5\"}")],
                says: "status 200"),
            Oddity(name: "not JSON", steps: [.answer("<html>")], says: "status 200: <html>"),
            Oddity(name: "empty", steps: [.answer("")], says: "status 200"),
            Oddity(
                name: "another shape",
                steps: [.answer("{\"type\":\"sync\",\"result\":{\"name\":\"microk8s\",\"version\":1}}")],
                says: "status 200"),
            Oddity(
                name: "deeply nested", steps: [.answer(String(repeating: "[", count: 500_000))],
                says: "status 200"),
            Oddity(
                name: "over the limit",
                steps: [.chunked([UInt8](repeating: 32, count: 1_100_000), size: 65_536)],
                says: "larger than the 1048576 bytes"),
            Oddity(
                name: "a revision that is a path",
                steps: [
                    .answer(
                        "{\"type\":\"sync\",\"result\":{\"name\":\"microk8s\",\"version\":\"v1.31.9\",\"revision\":\"../7\"}}"
                    )
                ], says: "at revision \"../7\", which is none"),
        ])
    func odd(_ oddity: Oddity) throws {
        let findings = try node { target, _ in target == Self.snapTarget ? oddity.steps : nil }.look()
        #expect(findings.installations.isEmpty)
        #expect(findings.problems.map(\.code) == ["snapd-error"])
        let text = try #require(findings.problems.first?.text)
        #expect(text.contains(oddity.says))
        #expect(text == text.printable)
    }

    @Test("an old snapd works, and what it cannot know is said", arguments: ["2.57.6", "2.61.3+22.04"])
    func old(version: String) throws {
        // Written after 2.57.6's answers: no hold, no refresh-inhibit.
        let findings = try node { target, _ in
            target == "/v2/system-info"
                ? [
                    .answer(
                        "{\"type\":\"sync\",\"result\":{\"series\":\"16\",\"version\":\"\(version)\",\"refresh\":{}}}"
                    )
                ] : nil
        }.look()
        #expect(findings.installations.first?.installed?.artifact.revision == "1")
        #expect(findings.installations.first?.hold == nil)
        #expect(findings.problems.map(\.code) == ["snapd-old"])
        let text = try #require(findings.problems.first?.text)
        #expect(text.hasPrefix("snapd \(version) "))
        #expect(text.contains("neither hold MicroK8s alone") == (version == "2.57.6"))
    }

    @Test("changes that cannot be asked for leave the cause unknown, and the next look asks again")
    func changesFail() throws {
        let node = try node("03") { target, number in
            target.hasPrefix("/v2/changes") && number < 4
                ? [.answer("no", status: "403 Forbidden", type: "text/plain")] : nil
        }
        var memory = ObserverMemory()
        let first = node.look(memory: &memory)
        #expect(first.problems.map(\.code) == ["snapd-error"])
        #expect(first.installations.first?.installed?.cause == .unknown)
        let second = node.look(memory: &memory)
        #expect(second.problems == [])
        #expect(second.installations.first?.installed?.cause == .autoRefresh)
    }

    @Test("what was sideloaded is claimed, and no store is asked for it")
    func sideloaded() throws {
        let answer = """
            {"type":"sync","result":{"name":"microk8s","version":"v1.33.4","revision":"x1","status":"active",
            "apps":[{"name":"daemon-kubelite","daemon":"simple","enabled":true,"active":true}]}}
            """
        let node = try node { target, _ in target == Self.snapTarget ? [.answer(answer)] : nil }
        let installation = try #require(node.look().installations.first)
        #expect(installation.installed?.origin == .claimed)
        #expect(installation.installed?.artifact == Artifact(version: Version("v1.33.4"), revision: "x1"))
        #expect(!node.asked.contains(Self.findTarget))
    }

    @Test("a version of another shape is unreadable, not guessed")
    func version() throws {
        let answer =
            "{\"type\":\"sync\",\"result\":{\"name\":\"microk8s\",\"version\":\"1.33\\u001b\",\"revision\":\"7\"}}"
        let node = try node { target, _ in target == Self.snapTarget ? [.answer(answer)] : nil }
        let installed = try #require(node.look().installations.first?.installed)
        #expect(installed.artifact.version == nil)
        #expect(installed.evidence == .unreadable)
        #expect(installed.unreadable?.contains("\"1.33?\"") == true)
    }

    @Test(
        "a time of snapd's is read to the second",
        arguments: [
            ("2026-11-24T14:46:35.134028612Z", "2026-11-24T14:46:35Z"),
            ("2026-11-24T14:46:35Z", "2026-11-24T14:46:35Z"),
            ("2026-11-24T14:46:35.1+02:00", "2026-11-24T12:46:35Z"),
            ("2026-01-01T00:15:00-09:30", "2026-01-01T09:45:00Z"),
            ("2319-03-06T14:36:37.287485771Z", "2319-03-06T14:36:37Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ])
    func times(text: String, instant: String) {
        #expect(Instant(snapd: text)?.description == instant)
    }

    @Test(
        "what is no time is none",
        arguments: [
            "", "forever", "2026-11-24", "2026-11-24 14:46:35Z", "2026-11-24T14:46:35",
            "2026-11-24T24:00:00Z",
            "2026-02-30T00:00:00Z", "2026-11-24T14:46:35.Z", "2026-11-24T14:46:35.1234567890Z",
            "2026-11-24T14:46:35+2:00",
            "2026-11-24T14:46:35+0200", "99999-11-24T14:46:35Z", "2026-11-24T14:46:35ZZ",
            "é026-11-24T14:46:35Z",
        ])
    func noTimes(text: String) {
        #expect(Instant(snapd: text) == nil)
    }
}
