import Host
import Model
import Ports
import ScriptedServer
import Synchronization
import Testing

@testable import Distributions

/// A snapd at a recorded state, which takes one refresh and is at it until it is told otherwise.
private final class RefreshingSnapd: Sendable {
    private struct Stand {
        var state: String
        var isBusy: Bool
    }

    /// What the server's threads and the test both know.
    private final class Board: Sendable {
        let stand: Mutex<Stand>
        init(_ stand: Stand) { self.stand = Mutex(stand) }
    }

    private let directory: TemporaryDirectory
    private let server: ScriptedServer
    private let board: Board

    /// - Parameter change: the recorded change that comes of the refresh.
    init(_ state: String, change: String, isBusy: Bool = false, refusal: String? = nil) throws {
        let directory = try TemporaryDirectory()
        let board = Board(Stand(state: state, isBusy: isBusy))
        self.directory = directory
        self.board = board
        try directory.write("", to: "run/placeholder")
        server = try ScriptedServer.unix("\(directory.path)/run/snapd.socket") { request, number in
            if request.head.hasPrefix("POST") {
                if let refusal { return [.answer(refusal, status: "409 Conflict")] }
                board.stand.withLock { $0.isBusy = true }
                return [
                    .answer(
                        #"{"type":"async","status-code":202,"status":"Accepted","result":null,"change":"\#(change)"}"#,
                        status: "202 Accepted")
                ]
            }
            let stand = board.stand.withLock { $0 }
            switch request.target {
            case "/v2/changes?select=in-progress&for=microk8s":
                let found = stand.isBusy ? #"{"id":"\#(change)","kind":"refresh-snap","status":"Doing"}"# : ""
                return [.answer(#"{"type":"sync","status-code":200,"status":"OK","result":[\#(found)]}"#)]
            case "/v2/changes/\(change)":
                let status = stand.isBusy ? ("Doing", "false") : ("Error", "true")
                return [
                    .answer(
                        #"{"type":"sync","status-code":200,"status":"OK","result":{"id":"\#(change)","kind":"refresh-snap","status":"\#(status.0)","ready":\#(status.1),"err":"cannot perform the following tasks:\n- Start snap"}}"#
                    )
                ]
            default:
                let answers = try? RecordedState.named(stand.state).answers()
                return answers?(request.target, number)
                    ?? [.answer(MicroK8sNode.notFound, status: "404 Not Found")]
            }
        }
    }

    deinit { server.stop() }

    func become(_ state: String) { board.stand.withLock { $0 = Stand(state: state, isBusy: false) } }

    var guards: NodeGuards { NodeGuards(root: Root(directory.path), state: "/var/lib/holdfast") }

    /// Bodies of what was asked of it to do.
    var orders: [String] {
        server.received.filter { $0.head.hasPrefix("POST") }.map { String(decoding: $0.body, as: UTF8.self) }
    }
}

@Suite("A refresh to exactly one revision, over a socket")
struct RevisionRefreshTests {
    // Recorded: 73 brought 20 in place of 19, and 79 failed to bring 21 in place of 20.
    private static let day = "2026-11-24T"

    private func intent(
        _ revision: String, from: String, since: String, _ guards: NodeGuards
    ) throws -> Intent {
        let since = try #require(Instant(snapd: Self.day + since))
        let effect = Effect.refreshSnap(
            RevisionRefresh(snap: "microk8s", revision: revision, from: from, since: since))
        return Intent(id: "one", effect: effect, before: try guards.fingerprint(of: effect))
    }

    @Test("it is asked for once by its revision, waited for while it goes on, and done where it is installed")
    func done() throws {
        let snapd = try RefreshingSnapd("70", change: "73")
        let intent = try intent("20", from: "19", since: "15:09:49Z", snapd.guards)
        #expect(intent.before == .setting("19"))
        #expect(snapd.guards.probe(intent) == .notDone)
        try snapd.guards.perform(intent.effect, before: intent.before)
        #expect(snapd.guards.probe(intent) == .underWay)
        // Whoever was killed and comes again asks for no second one.
        try snapd.guards.perform(intent.effect, before: intent.before)
        #expect(snapd.orders == [#"{"action":"refresh","revision":"20"}"#])
        snapd.become("71-channel-moved-back-before")
        #expect(snapd.guards.probe(intent) == .done(nil))
        try snapd.guards.perform(intent.effect, before: intent.before)
        #expect(snapd.orders.count == 1)
    }

    @Test("a revision that is in place while snapd is at it is not done: it may yet be taken back")
    func notYet() throws {
        let snapd = try RefreshingSnapd("80", change: "73", isBusy: true)
        let intent = try intent("20", from: "19", since: "15:09:49Z", snapd.guards)
        #expect(snapd.guards.probe(intent) == .underWay)
    }

    @Test("snapd's own undo is recognised, with its reason, and that services had been stopped")
    func undone() throws {
        let snapd = try RefreshingSnapd("80", change: "79")
        let intent = try intent("21", from: "20", since: "15:15:00Z", snapd.guards)
        guard case .takenBack(let undo) = snapd.guards.probe(intent) else {
            Issue.record("it was not recognised")
            return
        }
        #expect(undo.hadStopped)
        #expect(undo.reason.contains("change 79") && undo.reason.contains("Error"))
        #expect(undo.reason.contains("Start snap"))
    }

    @Test("what failed before it was asked for, by a person or an automatic refresh, is not taken for it")
    func another() throws {
        let snapd = try RefreshingSnapd("80", change: "79")
        #expect(
            snapd.guards.probe(try intent("21", from: "20", since: "15:15:01Z", snapd.guards)) == .notDone)
        #expect(
            snapd.guards.probe(try intent("22", from: "20", since: "15:15:00Z", snapd.guards)) == .notDone)
        #expect(
            snapd.guards.probe(try intent("13", from: "20", since: "14:00:00Z", snapd.guards)) == .notDone)
    }

    @Test(
        "where another revision came meanwhile, or snapd refuses, it fails with the reason, and nothing is sent twice"
    )
    func refused() throws {
        let other = try RefreshingSnapd("80", change: "79")
        let intent = try intent("21", from: "19", since: "15:15:00Z", other.guards)
        #expect(throws: EffectFailure.self) {
            try other.guards.perform(intent.effect, before: intent.before)
        }
        #expect(other.orders.isEmpty)
        let conflict =
            #"{"type":"error","status-code":409,"status":"Conflict","result":{"message":"snap \"microk8s\" has \"auto-refresh\" change in progress","kind":"snap-change-conflict"}}"#
        let busy = try RefreshingSnapd("70", change: "73", refusal: conflict)
        let next = try self.intent("20", from: "19", since: "15:09:49Z", busy.guards)
        let failure = #expect(throws: EffectFailure.self) {
            try busy.guards.perform(next.effect, before: next.before)
        }
        #expect(failure?.description.contains("see 'snap changes'") == true)
        #expect(busy.orders.count == 1)
    }

    @Test("a snapd that is not there leaves it unknown, which is neither done nor undone")
    func silent() throws {
        let directory = try TemporaryDirectory()
        let guards = NodeGuards(root: Root(directory.path), state: "/var/lib/holdfast")
        let effect = Effect.refreshSnap(
            RevisionRefresh(snap: "microk8s", revision: "2", from: "1", since: Instant(seconds: 0)))
        let probe = guards.probe(Intent(id: "one", effect: effect, before: .setting("1")))
        guard case .unknown = probe else {
            Issue.record("\(probe)")
            return
        }
    }
}
