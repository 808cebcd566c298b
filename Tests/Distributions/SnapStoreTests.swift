import Host
import Model
import ScriptedServer
import Testing

@testable import Distributions

@Suite("What the snap store has, asked through snapd")
struct SnapStoreTests {
    /// A node whose snapd gives one answer.
    private static func node(_ body: [UInt8], status: String = "200 OK") throws -> MicroK8sNode {
        try MicroK8sNode { _, _ in [.answer(String(decoding: body, as: UTF8.self), status: status)] }
    }

    private static func recorded() throws -> MicroK8sNode {
        let answer = try SnapdFixture.read("find-name-2.68.3.json")
        // Over 2 KiB snapd sends chunks.
        return try MicroK8sNode { target, _ in
            target == "/v2/find?name=microk8s" ? [.chunked(answer)] : nil
        }
    }

    private static func find(
        _ word: String, followed: String? = "1.33/stable", on node: MicroK8sNode
    ) throws -> SnapFinding {
        try SnapStore(root: Root(node.directory.path)).find(word, of: "microk8s", followed: followed)
    }

    private static func release(
        _ version: String, _ revision: String, _ channel: String
    ) throws -> SnapRelease {
        SnapRelease(version: try #require(Version(version)), revision: revision, channel: channel)
    }

    @Test(
        "a channel, a revision and a version are found, in the channel that is followed, its kind, and the least risky first",
        arguments: [
            ("1.34/stable", "1.33/stable", "v1.34.1", "3103", "1.34/stable"),
            ("1.34", "1.33/stable", "v1.34.1", "3103", "1.34/stable"),
            ("stable", "1.33/stable", "v1.34.1", "3103", "latest/stable"),
            ("1.34/candidate", "1.33/stable", "v1.34.2", "3105", "1.34/candidate"),
            ("3103", "1.33/stable", "v1.34.1", "3103", "1.34/stable"),
            ("3103", "latest/stable", "v1.34.1", "3103", "latest/stable"),
            ("v1.33.5", "1.33/stable", "v1.33.5", "3102", "1.33/stable"),
            ("v1.33.5", "1.33/candidate", "v1.33.5", "3102", "1.33/candidate"),
            ("1.33.5", "1.32/stable", "v1.33.5", "3102", "1.33/stable"),
            ("v1.33.6", "1.33/stable", "v1.33.6", "3106", "1.33/edge"),
            ("v1.33.6", "1.33-strict/stable", "v1.33.6", "3106", "1.33-strict/stable"),
        ])
    func found(
        word: String, followed: String, version: String, revision: String, channel: String
    ) throws {
        let node = try Self.recorded()
        #expect(
            try Self.find(word, followed: followed, on: node).release
                == Self.release(version, revision, channel))
    }

    @Test(
        "a way passes through no riskier channel than the one that was named, and through no other kind of the snap"
    )
    func others() throws {
        let node = try Self.recorded()
        let stable = try Self.find("1.35/stable", on: node)
        #expect(
            try stable.others == [
                Self.release("v1.33.5", "3102", "1.33/stable"),
                Self.release("v1.34.1", "3103", "1.34/stable"),
                Self.release("v1.35.0", "3104", "1.35/stable"),
                Self.release("v1.34.1", "3103", "latest/stable"),
            ])
        let version = try #require(Version("v1.33.5"))
        #expect(stable.release(of: version)?.channel == "1.33/stable")
        #expect(try stable.release(of: #require(Version("v1.33.6"))) == nil)
        #expect(try Self.find("1.34/candidate", on: node).others.contains { $0.revision == "3105" })
        #expect(
            try Self.find("1.33-strict/stable", on: node).others == [
                Self.release("v1.33.6", "3106", "1.33-strict/stable")
            ])
    }

    @Test("what it does not have, and a store that is not there, are told with what it has and what to do")
    func missing() throws {
        let node = try Self.recorded()
        for word in ["v1.36.0", "1.36/stable", "9999", "", "1.34/stable/fix"] {
            let failure = #expect(throws: SnapStoreFailure.self) { try Self.find(word, on: node) }
            #expect(failure?.description.contains("1.35/stable") == true)
            #expect(failure?.description.contains("snap info microk8s") == true)
        }
        let unknown =
            #"{"type":"error","status-code":404,"status":"Not Found","result":{"message":"snap not found","kind":"snap-not-found","value":"microk8s"}}"#
        let gone = try Self.node(Array(unknown.utf8), status: "404 Not Found")
        #expect(
            #expect(throws: SnapStoreFailure.self) { try Self.find("1.34/stable", on: gone) }?
                .description.contains("snap not found") == true)
        let none = try MicroK8sNode()
        #expect(throws: SnapStoreFailure.self) { try Self.find("1.34/stable", on: none) }
    }

    @Test(
        "invariant 2: a version that cannot be read, and a revision that is no number, are gone to by nobody",
        arguments: [#""revision":"12","version":"git-5f2c""#, #""revision":"x1","version":"v1.34.1""#])
    func unreadable(entry: String) throws {
        let answer =
            #"{"type":"sync","status-code":200,"status":"OK","result":[{"name":"microk8s","channels":{"1.34/stable":{\#(entry)}}}]}"#
        let node = try Self.node(Array(answer.utf8))
        let failure = #expect(throws: SnapStoreFailure.self) { try Self.find("1.34/stable", on: node) }
        #expect(failure?.description.contains("1.34/stable") == true)
    }

    @Test("an answer that is another snap, has no channels, or is no answer, finds nothing and does not trap")
    func odd() throws {
        let results = [
            #"[{"name":"other","channels":{}}]"#, #"[{"name":"microk8s"}]"#, "[]", "null", #"{"a":1}"#,
            #"[{"name":"microk8s","channels":{"":{"revision":"","version":""},"-/":{"revision":"1","version":""}}}]"#,
        ]
        for result in results {
            let node = try Self.node(
                Array(#"{"type":"sync","status-code":200,"status":"OK","result":\#(result)}"#.utf8))
            #expect(throws: SnapStoreFailure.self) { try Self.find("1.34/stable", on: node) }
        }
    }
}
