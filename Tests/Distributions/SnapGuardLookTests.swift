import FoundationEssentials
import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Distributions

@Suite("What guards want to know of a snap")
struct SnapGuardLookTests {
    /// The recorded auto-refresh in the midst of its download.
    private func recorded(_ edit: (String) -> String = { $0 }) throws -> SnapdChange {
        struct Answer: Decodable { var result: SnapdChange }
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let bytes = try readFile("/\(tests)/Fixtures/snapd-changes/autorefresh-doing.json", limit: 1 << 20)
        return try JSONDecoder().decode(
            Answer.self, from: Data(edit(String(decoding: bytes, as: UTF8.self)).utf8)
        ).result
    }

    private func status(_ status: String, ofTask kind: String, in text: String) -> String {
        guard let task = text.firstRange(of: "\"kind\":\"\(kind)\""),
            let found = text[task.upperBound...].firstRange(of: "\"status\":\"Do\"")
        else { return text }
        var text = text
        text.replaceSubrange(found, with: "\"status\":\"\(status)\"")
        return text
    }

    @Test("a refresh costs nothing to give up until its services are stopped, and only where it is alone")
    func free() throws {
        let downloading = try #require(recorded().refresh(of: "microk8s"))
        #expect(downloading.isFree && downloading.revision == "12" && downloading.kind == "auto-refresh")
        for state in ["Doing", "Done", "Undo", "Error"] {
            let change = try recorded { status(state, ofTask: "stop-snap-services", in: $0) }
            #expect(change.refresh(of: "microk8s")?.isFree == false)
        }
        let hooked = try recorded { status("Undoing", ofTask: "mount-snap", in: $0) }
        #expect(hooked.refresh(of: "microk8s")?.isFree == false)
        let two = try recorded {
            $0.replacing(#""snap-names":["microk8s"]"#, with: #""snap-names":["microk8s","core22"]"#)
        }
        #expect(two.refresh(of: "microk8s")?.isFree == false)
        #expect(try recorded().refresh(of: "other") == nil)
        let reverted = try recorded {
            $0.replacing(#""kind":"auto-refresh""#, with: #""kind":"revert-snap""#)
        }
        #expect(reverted.refresh(of: "microk8s") == nil)
    }

    /// What a scripted snapd says, and can be made to say otherwise.
    private struct Said: Sendable {
        var kubelite = true
        var changes = "[]"
        var underWay = "[]"
    }

    private func look(
        _ node: MicroK8sNode, at now: Instant, memory: inout ObserverMemory
    ) throws -> SnapdFacts {
        let findings = node.look(at: now, memory: &memory)
        #expect(findings.problems == [])
        return try #require(findings.snapd)
    }

    private func node(_ directory: String, said: @escaping @Sendable () -> Said) throws -> MicroK8sNode {
        try MicroK8sNode { target, _ in
            let said = said()
            switch target {
            case "/v2/snaps/microk8s":
                return [
                    .answer(
                        #"{"type":"sync","result":{"name":"microk8s","version":"v1.33.4","revision":"101","status":"active","#
                            + #""tracking-channel":"1.33/stable","apps":[{"name":"daemon-kubelite","daemon":"simple","#
                            + #""enabled":\#(said.kubelite),"active":\#(said.kubelite)}]}}"#)
                ]
            case "/v2/system-info":
                return [
                    .answer(
                        #"{"type":"sync","result":{"version":"2.68.3","refresh":{"last":"2026-11-24T14:40:00Z","#
                            + #""next":"2026-11-24T21:14:00Z"}}}"#)
                ]
            case "/v2/find?select=refresh": return [.answer(#"{"type":"sync","result":[]}"#)]
            case "/v2/changes?select=all&for=microk8s":
                return [.answer(#"{"type":"sync","result":\#(said.changes)}"#)]
            case "/v2/changes?select=in-progress&for=microk8s":
                return [.answer(#"{"type":"sync","result":\#(said.underWay)}"#)]
            default: return nil
            }
        }
    }

    private static let kubelite = "snap.microk8s.daemon-kubelite.service"

    /// Who has left a service stopped.
    struct Cause: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var changes: String
        var isLocked = false
        var isOurs = false
    }

    @Test(
        "what a refresh has left stopped is known from what a person stopped",
        arguments: [
            Cause(
                testDescription: "a refresh whose undoing failed",
                changes:
                    #"[{"id":"9","kind":"auto-refresh","status":"Error","spawn-time":"2026-11-24T15:31:00Z"}]"#,
                isOurs: true),
            Cause(
                testDescription: "a refresh that went well, and left the service disabled",
                changes:
                    #"[{"id":"9","kind":"refresh-snap","status":"Done","spawn-time":"2026-11-24T15:31:00Z"}]"#,
                isOurs: true),
            Cause(testDescription: "nobody whom snapd knows of", changes: "[]"),
            Cause(
                testDescription: "a person, by snap stop, after a refresh",
                changes:
                    #"[{"id":"9","kind":"auto-refresh","status":"Error","spawn-time":"2026-11-24T15:31:00Z"},{"id":"10","kind":"service-control","status":"Done","spawn-time":"2026-11-24T15:32:00Z"}]"#
            ),
            Cause(
                testDescription: "a person, long after a refresh",
                changes:
                    #"[{"id":"9","kind":"auto-refresh","status":"Error","spawn-time":"2026-11-24T11:31:00Z"}]"#
            ),
            Cause(
                testDescription: "microk8s stop",
                changes:
                    #"[{"id":"9","kind":"auto-refresh","status":"Error","spawn-time":"2026-11-24T15:31:00Z"}]"#,
                isLocked: true),
        ])
    func leftStopped(_ cause: Cause) throws {
        let said = Box(Said())
        let node = try node("x") { said.value }
        var memory = ObserverMemory()
        let start = MicroK8sNode.recorded
        #expect(try look(node, at: start, memory: &memory).leftStopped == [])
        said.value.kubelite = false
        said.value.changes = cause.changes
        if cause.isLocked {
            try node.directory.write("", to: "var/snap/microk8s/current/var/lock/stopped.lock")
        }
        let facts = try look(node, at: start + .minutes(5), memory: &memory)
        #expect(facts.leftStopped == (cause.isOurs ? [Self.kubelite] : []))
        // It is said again until it is mended, and what a person stopped is forgotten.
        #expect(try look(node, at: start + .minutes(10), memory: &memory).leftStopped == facts.leftStopped)
    }

    @Test("changes under way are asked for only where snapd's state has moved, and until they are over")
    func questions() throws {
        let said = Box(Said())
        let node = try node("x") { said.value }
        var memory = ObserverMemory()
        func asked() throws -> Int {
            let before = node.asked.count { $0.contains("in-progress") }
            _ = try look(node, at: MicroK8sNode.recorded, memory: &memory)
            return node.asked.count { $0.contains("in-progress") } - before
        }
        #expect(try asked() == 0)
        try node.directory.write("{}", to: "var/lib/snapd/state.json")
        #expect(try asked() == 1)
        #expect(try asked() == 0)
        said.value.underWay =
            "[{\"id\":\"9\",\"kind\":\"auto-refresh\",\"status\":\"Doing\",\"data\":{\"snap-names\":[\"microk8s\"]}}]"
        try node.directory.write("{ }", to: "var/lib/snapd/state.json")
        #expect(try asked() == 1)
        #expect(try asked() == 1)
    }
}

/// A value that a server's thread reads and a test changes between two requests.
private final class Box<Value: Sendable>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
