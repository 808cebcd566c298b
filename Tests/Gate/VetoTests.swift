import Glibc
import Model
import Testing

@testable import Gate

/// Answers made of a recorded one, by setting the status of its task that starts the services.
struct Changes: Sendable {
    var kind = "auto-refresh"
    var start = "Doing"
    var summary = "Start snap \"microk8s\" (12) services"
    var others = ""

    static let recorded: String = {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let bytes =
            (try? GateNode.bytes(of: "/\(folder)/Fixtures/snapd-changes/autorefresh-doing.json")) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }()

    /// The change as it stood in the answer, with its start task in another state.
    var body: [UInt8] {
        let change = Self.recorded
            .replacing("\"result\":{\"id\"", with: "\"result\":[\(others){\"id\"")
            .replacing("\"kind\":\"auto-refresh\"", with: "\"kind\":\"\(kind)\"")
            .replacing(
                "\"kind\":\"start-snap-services\",\"summary\":\"Start snap \\\"microk8s\\\" (12) services\",\"status\":\"Do\"",
                with:
                    "\"kind\":\"start-snap-services\",\"summary\":\"\(summary.replacing("\"", with: "\\\""))\","
                    + "\"status\":\"\(start)\"")
        let end = change.lastIndex(of: "}") ?? change.endIndex
        return Array((change[..<end] + "]}").utf8)
    }
}

@Suite("The veto on a snap's services")
struct VetoTests {
    static func guarded(mode: Enforcement.GateMode = .refuse) -> GuardedInstallation {
        GuardedInstallation(
            id: InstallationID(distribution: .microk8s, name: "microk8s"), units: ["snap.microk8s.daemon-*"],
            role: .node, mode: mode, dataDirectory: "/var/snap/microk8s/common",
            approved: [GuardedArtifact(Artifact(version: Version("v1.31.4"), revision: "11"))],
            lastGood: GuardedArtifact(Artifact(version: Version("v1.31.3"), revision: "10")))
    }

    enum Outcome: Hashable, Sendable { case allow(GateReason), ask, refuse }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var mode = Enforcement.GateMode.refuse
        var revision: String? = "12"
        var before: String? = "11"
        var answer = SnapdAnswer.body(Changes().body)
        var lastRan = LastRanFinding.ran("v1.31.4")
        var pausedFor: Int64?
        var outcome: Outcome
        var testDescription: String { name }
    }

    static func changes(_ make: (inout Changes) -> Void) -> SnapdAnswer {
        var changes = Changes()
        make(&changes)
        return .body(changes.body)
    }

    static let rows = [
        Row(name: "an auto-refresh starts its unapproved target", outcome: .refuse),
        Row(name: "a named refresh", answer: changes { $0.kind = "refresh-snap" }, outcome: .refuse),
        Row(name: "snapd has not been asked", answer: .notAsked, outcome: .ask),
        Row(name: "the running revision is itself unapproved", before: "9", outcome: .refuse),
        // A person's revert, install or restart.
        Row(name: "a revert", answer: changes { $0.kind = "revert-snap" }, outcome: .allow(.noRefresh)),
        Row(
            name: "a first install", answer: changes { $0.kind = "install-snap" }, outcome: .allow(.noRefresh)
        ),
        Row(
            name: "nothing in progress", answer: .body(Array(#"{"type":"sync","result":[]}"#.utf8)),
            outcome: .allow(.noRefresh)),
        // Going back: never.
        Row(name: "undoing", answer: changes { $0.start = "Undoing" }, outcome: .allow(.vetoDoubt)),
        Row(name: "failed", answer: changes { $0.start = "Error" }, outcome: .allow(.vetoDoubt)),
        Row(name: "not at it yet", answer: changes { $0.start = "Do" }, outcome: .allow(.noRefresh)),
        Row(name: "past it", answer: changes { $0.start = "Done" }, outcome: .allow(.noRefresh)),
        Row(
            name: "the revision that it goes back to", revision: "9", before: "12",
            outcome: .allow(.noRefresh)),
        // What is known to be good.
        Row(name: "approved", revision: "11", outcome: .allow(.approved)),
        Row(name: "last good", revision: "10", outcome: .allow(.lastGood)),
        Row(
            name: "last good across a minor", revision: "10", lastRan: .ran("v1.32.0"),
            outcome: .allow(.noRefresh)),
        // Doubt.
        Row(name: "no revision", revision: nil, outcome: .allow(.vetoDoubt)),
        Row(name: "nothing ran before in this boot", before: nil, outcome: .allow(.vetoDoubt)),
        Row(name: "the target has run before", before: "12", outcome: .allow(.vetoDoubt)),
        Row(name: "snapd is silent", answer: .failed("timed out"), outcome: .allow(.vetoDoubt)),
        Row(
            name: "another snap's refresh",
            answer: changes { $0.summary = "Start snap \"other\" (12) services" }, outcome: .allow(.noRefresh)
        ),
        Row(
            name: "another way to say it", answer: changes { $0.summary = "Starting microk8s 12" },
            outcome: .allow(.vetoDoubt)),
        Row(
            name: "another target", answer: changes { $0.summary = "Start snap \"microk8s\" (13) services" },
            outcome: .allow(.noRefresh)),
        Row(
            name: "two refreshes",
            answer: changes {
                $0.others =
                    #"{"kind":"refresh-snap","tasks":[{"kind":"start-snap-services","summary":"Start snap \"microk8s\" (12) services","status":"Doing"}]},"#
            }, outcome: .allow(.vetoDoubt)),
        Row(
            name: "an error of snapd's", answer: .body(Array(#"{"type":"error","result":{}}"#.utf8)),
            outcome: .allow(.vetoDoubt)),
        Row(name: "no JSON", answer: .body(Array("Bad Request".utf8)), outcome: .allow(.vetoDoubt)),
        // Modes.
        Row(name: "off", mode: .off, outcome: .allow(.off)),
        Row(name: "warn", mode: .warn, outcome: .allow(.warned)),
        Row(name: "paused", pausedFor: 60, outcome: .allow(.paused)),
        Row(name: "no longer paused", pausedFor: 0, outcome: .refuse),
    ]

    @Test(
        "invariants 1 and 3: only a refresh's own unapproved target is refused, on positive knowledge",
        arguments: rows)
    func decision(row: Row) {
        let now = StartScene.now
        let decision = decideVeto(
            Self.guarded(mode: row.mode), pausedUntil: row.pausedFor.map { now + TimeSpan(seconds: $0) },
            seen: VetoObservation(
                revision: row.revision, ranBefore: row.before, answer: row.answer, lastRan: row.lastRan),
            now: now)
        switch decision {
        case .allow(let reason, _, _): #expect(row.outcome == .allow(reason))
        case .ask: #expect(row.outcome == .ask)
        case .refuse(let text):
            #expect(row.outcome == .refuse)
            #expect(text.contains("holdfast pause --for 2h --reason"))
        }
    }

    @Test("invariant 3: an answer cut off anywhere is a doubt and no trap")
    func truncations() {
        let body = Changes().body
        #expect(refreshTarget(of: "microk8s", in: body) == .success("12"))
        for count in stride(from: 0, to: body.count, by: 97) {
            let isDoubt =
                if case .failure = refreshTarget(of: "microk8s", in: Array(body[..<count])) { true } else {
                    false
                }
            #expect(isDoubt)
        }
        let short = Array(#"{"type":"sync","a":[{"b":-1}, "\u00e9\n", tru"#.utf8)
        for count in 0...short.count { #expect(ReadJSON.value(of: Array(short[..<count])) == nil) }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(ReadJSON.value(of: deep) == nil)
    }

    /// What a stand-in for snapd answers, and whether the gate then refuses.
    struct Snapd: Sendable, CustomTestStringConvertible {
        var name: String
        /// Nil for one that never answers.
        var head: String? = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
        var body = Changes().body
        /// Of the start that is listed; nil where none is.
        var boot: String?
        /// The revision that is listed.
        var listed = "11"
        /// The boot in which a tick saw revision 11 running, guarded since the second second.
        var seen: String?
        var refuses = false
        var testDescription: String { name }
        /// All of its answer; nil for one that never answers.
        var bytes: [UInt8]? { head.map { Array($0.utf8) + body } }
    }

    static let unit = "snap.microk8s.daemon-kubelite.service"

    /// A snap whose refresh to revision 12 starts its services, and the socket at which snapd tells of it.
    static func refresh(on node: GateNode, from snapd: Snapd = Snapd(name: "", boot: boot)) throws -> Listener
    {
        var guarded = Self.guarded()
        guarded.ran = snapd.seen.map {
            SeenRunning(revision: "11", bootID: $0, since: Instant(seconds: 2))
        }
        node.file.installations = [guarded]
        try node.writeGuard()
        for revision in ["11", "12"] { try node.write("/snap/microk8s/\(revision)/meta", "") }
        #expect(symlink("12", node.root + "/snap/microk8s/current") == 0)
        if let boot = snapd.boot {
            try node.write(
                node.state.starts(unit: unit), "\(GateNode.invocation) 1 v1.31.4 \(snapd.listed) \(boot)\n")
        }
        return try Listener(node.root + "/run/snapd.socket")
    }

    static let boot: String = {
        let bytes = (try? GateNode.bytes(of: "/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }()

    static let standIns = [
        Snapd(name: "a refresh is at it", boot: boot, refuses: true),
        Snapd(name: "a refresh is at it, and the machine was rebooted meanwhile", boot: "another"),
        Snapd(name: "nothing ran before", boot: nil),
        Snapd(name: "nothing started under the gate, and a tick saw it running", seen: boot, refuses: true),
        Snapd(name: "a tick saw it running before a reboot", seen: "another"),
        Snapd(
            name: "what is listed started under an earlier guard", boot: boot, listed: "9", seen: boot,
            refuses: true),
        Snapd(name: "snapd is silent", head: nil, boot: boot),
        Snapd(name: "snapd says no", head: "HTTP/1.0 500 Internal Server Error\r\n\r\n", boot: boot),
        Snapd(name: "snapd says nothing", head: "", body: [], boot: boot),
        Snapd(name: "somebody else answers", head: "220 smtp ESMTP\r\n", body: [], boot: boot),
        Snapd(name: "half an answer", body: Array(Changes().body.prefix(3000)), boot: boot),
    ]

    @Test(
        "invariants 1 and 3: asked over its socket, and refused with 77 only on a clear answer",
        arguments: standIns)
    func program(snapd: Snapd) throws {
        let node = try GateNode()
        let unit = Self.unit
        let socket = try Self.refresh(on: node, from: snapd)
        let process = GateNode.spawn(
            [GateNode.program, "--root", node.root, unit], errorsTo: node.root + ".errors")
        if [snapd.boot, snapd.seen].contains(Self.boot) {
            socket.answer(snapd.bytes)
        }
        let outcome = GateNode.wait(process, errorsAt: node.root + ".errors")
        #expect(outcome.status == (snapd.refuses ? 77 : 0))
        #expect(node.spool.map(\.reason) == [snapd.refuses ? .vetoed : .vetoDoubt])
        // A start that was refused is none.
        let started = (node.read(node.state.starts(unit: unit)) ?? "").contains(" - 12 ")
        #expect(started == !snapd.refuses)
        // Without snapd's socket it starts.
        node.remove("/run/snapd.socket")
        #expect(GateNode.run([GateNode.program, "--root", node.root, unit]).status == 0)
    }

    @Test("invariant 1: a revision that moved while snapd answered is no longer what it answered about")
    func movedMeanwhile() throws {
        let node = try GateNode()
        let socket = try Self.refresh(on: node)
        let process = GateNode.spawn(
            [GateNode.program, "--root", node.root, Self.unit], errorsTo: node.root + ".errors")
        #expect(socket.isAsked(within: 60_000))
        #expect(symlink("11", node.root + "/snap/microk8s/next") == 0)
        #expect(rename(node.root + "/snap/microk8s/next", node.root + "/snap/microk8s/current") == 0)
        socket.answer(Snapd(name: "").bytes)
        let outcome = GateNode.wait(process, errorsAt: node.root + ".errors")
        #expect(
            outcome.status == 0 && outcome.errors.contains("the revision changed meanwhile"), "\(outcome)")
        #expect(node.spool.map(\.reason) == [.vetoDoubt])
    }

    @Test(
        "invariant 3: a snapd that answers byte by byte without end is a doubt, which is told, and no end by force"
    )
    func dripping() throws {
        let node = try GateNode()
        let socket = try Self.refresh(on: node)
        let process = GateNode.spawn(
            [GateNode.program, "--root", node.root, Self.unit], errorsTo: node.root + ".errors")
        socket.drip()
        let outcome = GateNode.wait(process, errorsAt: node.root + ".errors")
        #expect(outcome.status == 0 && outcome.errors.contains("its answer takes too long"), "\(outcome)")
        #expect(node.spool.map(\.reason) == [.vetoDoubt])
        #expect((node.read(node.state.starts(unit: Self.unit)) ?? "").contains(" - 12 "))
    }

    struct Text: Sendable { var json: String, value: JSONValue? }
    static let texts = [
        Text(
            json: #" {"a" : [1, -2 ,"x\n\u00e9\"", true,null, 1.5, {}] } "#,
            value: .object([
                "a": .array([
                    .integer(1), .integer(-2), .string("x\né\""), .bool(true), .null, .null, .object([:]),
                ])
            ])),
        Text(json: "[]", value: .array([])), Text(json: "[1,]", value: nil), Text(json: "[1 2]", value: nil),
        Text(json: #"{"a":1"#, value: nil), Text(json: #"{1:1}"#, value: nil), Text(json: "[] x", value: nil),
        Text(json: #""\x""#, value: nil), Text(json: #""\u12""#, value: nil), Text(json: "nul", value: nil),
        Text(json: "", value: nil), Text(json: "\"a\nb\"", value: nil),
    ]

    @Test("JSON is read as it is, or not at all", arguments: texts)
    func json(text: Text) {
        #expect(ReadJSON.value(of: Array(text.json.utf8)) == text.value)
    }
}
