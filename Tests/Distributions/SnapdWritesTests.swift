import Model
import ScriptedServer
import Testing

@testable import Distributions

@Suite("What is asked of snapd to do")
struct SnapdWritesTests {
    /// A snapd whose answers are as recorded from 2.68.3 and 2.77, and that accepts as change 7 what it is asked.
    private final class Snapd: Sendable {
        let directory: TemporaryDirectory
        let server: ScriptedServer

        init(_ answers: @escaping ScriptedServer.Script) throws {
            directory = try TemporaryDirectory()
            server = try ScriptedServer.unix("\(directory.path)/s", script: answers)
        }

        deinit { server.stop() }

        var client: SnapdClient { SnapdClient(socket: "\(directory.path)/s", patience: 2000) }
        /// First line and body of each request.
        var asked: [String] {
            server.received.map { request in
                let line = request.head.split(separator: " ").prefix(2).joined(separator: " ")
                return request.body.isEmpty
                    ? line : "\(line) \(String(decoding: request.body, as: UTF8.self))"
            }
        }
    }

    private static let accepted =
        #"{"type":"async","status-code":202,"status":"Accepted","result":null,"change":"7"}"#

    private static func change(_ status: String, ready: Bool, err: String? = nil) -> String {
        #"{"type":"sync","status-code":200,"status":"OK","result":{"id":"7","kind":"refresh-snap","summary":"x","#
            + #""status":"\#(status)","ready":\#(ready),"tasks":[{"kind":"link-snap","summary":"Make snap","status":"\#(status)"}]"#
            + (err.map { #","err":"\#($0)""# } ?? "") + "}}"
    }

    private static func accepting(
        then stands: String...
    ) -> ScriptedServer.Script {
        { request, number in
            request.head.hasPrefix("GET")
                ? [.answer(stands[min(max(number - 1, 0), stands.count - 1)])]
                : [.answer(accepted, status: "202 Accepted")]
        }
    }

    @Test("a hold, its end, a switch and a setting go out as snapd wants them, and are waited for")
    func requests() throws {
        let snapd = try Snapd { request, _ in
            request.head.hasPrefix("GET")
                ? [.answer(Self.change("Done", ready: true))]
                : [.answer(Self.accepted, status: "202 Accepted")]
        }
        try snapd.client.hold("microk8s", until: "forever", level: .general)
        try snapd.client.unhold("microk8s")
        try snapd.client.follow("1.33/stable", with: "microk8s")
        try snapd.client.setSetting("refresh.retain", to: "3")
        try snapd.client.setSetting("refresh.hold", to: nil)
        #expect(
            snapd.asked.filter { !$0.hasPrefix("GET") } == [
                #"POST /v2/snaps/microk8s {"action":"hold","hold-level":"general","time":"forever"}"#,
                #"POST /v2/snaps/microk8s {"action":"unhold"}"#,
                #"POST /v2/snaps/microk8s {"action":"switch","channel":"1.33/stable"}"#,
                #"PUT /v2/snaps/system/conf {"refresh.retain":3}"#,
                #"PUT /v2/snaps/system/conf {"refresh.hold":null}"#,
            ])
        #expect(snapd.asked.filter { $0.hasPrefix("GET") } == .init(repeating: "GET /v2/changes/7", count: 5))
        #expect(
            snapd.server.received.allSatisfy {
                $0.head.hasPrefix("GET") || $0.head.contains("application/json")
            })
    }

    @Test("a refresh to one revision is followed through its tasks to its end")
    func refresh() throws {
        let snapd = try Snapd(
            Self.accepting(
                then: Self.change("Doing", ready: false), Self.change("Doing", ready: false),
                Self.change("Done", ready: true)))
        let id = try snapd.client.refresh("microk8s", revision: "102")
        var told: [String?] = []
        let end = try snapd.client.wait(for: id, within: 5000) { told.append($0.doing) }
        #expect(end.succeeded && end.failure == nil)
        #expect(told == ["Make snap", nil])
        #expect(snapd.asked.first == #"POST /v2/snaps/microk8s {"action":"refresh","revision":"102"}"#)
    }

    @Test(
        "only Done is success: a change that was undone says nothing and has done nothing",
        arguments: ["Undone", "Error", "Hold"])
    func failed(status: String) throws {
        let snapd = try Snapd(Self.accepting(then: Self.change(status, ready: true)))
        let end = try snapd.client.wait(for: snapd.client.refresh("microk8s", revision: "1"), within: 5000)
        #expect(!end.succeeded && end.failure?.contains("ended as \(status)") == true)
        #expect(throws: SnapdError.self) { try snapd.client.unhold("microk8s") }
    }

    @Test("why a change failed is told by the tasks that did, without what programs said below them")
    func failure() throws {
        // Recorded from 2.68.3, where a service did not start.
        let err =
            #"cannot perform the following tasks:\n- Start snap \"microk8s\" (3104) services (systemctl command [start snap.microk8s.daemon-containerd.service] failed with exit status 1: stderr:\nJob for snap.microk8s.daemon-containerd.service failed because the control process exited with error code.\nSee \"systemctl status\" for details.)"#
        let snapd = try Snapd(Self.accepting(then: Self.change("Error", ready: true, err: err)))
        #expect(
            try snapd.client.progress(of: "7").failure
                == #"snapd's change 7 (refresh-snap) ended as Error: Start snap "microk8s" (3104) services (systemctl command [start snap.microk8s.daemon-containerd.service] failed with exit status 1; see 'snap change 7'"#
        )
        let bare = try Snapd(Self.accepting(then: Self.change("Error", ready: true, err: "no space left")))
        #expect(
            try bare.client.progress(of: "7").failure?.contains("ended as Error: no space left; see") == true)
    }

    @Test("whatever snapd says of a change, it is told in one line of bounded length")
    func hostile() throws {
        let long = "\\u001b[2J\\n" + String(repeating: "\\u0301", count: 20_000)
        let change =
            #"{"type":"sync","result":{"id":"7\#(long)","kind":"x\#(long)","status":"Error\#(long)","#
            + #""ready":true,"err":"\#(long)","tasks":[{"kind":"x","summary":"\#(long)","status":"Doing"}]}}"#
        let snapd = try Snapd(Self.accepting(then: change))
        let end = try snapd.client.progress(of: "7")
        for text in [end.failure, end.doing].compactMap(\.self) {
            #expect(text.utf8.elementsEqual(text.printable.utf8))
            #expect(text.utf8.count < 4000)
        }
        #expect(end.failure != nil && end.doing != nil)
    }

    @Test(
        "while snapd restarts a change of ours is waited for, and it is not begun a second time",
        arguments: ["hangs", "breaks off", "breaks off amid the answer", "gives up"])
    func restarted(how: String) throws {
        let canceled =
            #"{"type":"error","status-code":500,"status":"Internal Server Error","result":{"message":"request canceled"}}"#
        let steps: [ScriptedServer.Step] =
            switch how {
            case "hangs": [.hang]
            case "breaks off": []
            case "gives up": [.answer(canceled, status: "500 Internal Server Error")]
            default: [.text("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")]
            }
        let snapd = try Snapd { request, number in
            guard request.head.hasPrefix("GET") else {
                return [.answer(Self.accepted, status: "202 Accepted")]
            }
            return number < 6 ? steps : [.answer(Self.change("Done", ready: true))]
        }
        let id = try snapd.client.refresh("microk8s", revision: "102")
        var client = snapd.client
        client.patience = 100
        #expect(try client.wait(for: id, within: 60_000).succeeded)
        #expect(snapd.asked.count { $0.hasPrefix("POST") } == 1 && snapd.asked.count > 4)
    }

    @Test("a change that goes on for too long is left to go on")
    func unfinished() throws {
        let snapd = try Snapd(Self.accepting(then: Self.change("Doing", ready: false)))
        let end = try snapd.client.wait(for: "7", within: 60)
        #expect(!end.ready && end.failure == nil)
    }

    @Test("an error is told with snapd's word for it and what to do, and nothing is asked twice")
    func refused() throws {
        let conflict =
            #"{"type":"error","status-code":409,"status":"Conflict","result":{"message":"snap \"microk8s\" has \"auto-refresh\" change in progress","kind":"snap-change-conflict","value":{"change-kind":"auto-refresh","snap-name":"microk8s"}}}"#
        let snapd = try Snapd { _, _ in [.answer(conflict, status: "409 Conflict")] }
        let error = #expect(throws: SnapdError.self) {
            _ = try snapd.client.refresh("microk8s", revision: "102")
        }
        #expect(
            error?.kind == "snap-change-conflict" && error?.description.contains("see 'snap changes'") == true
        )
        #expect(snapd.asked.count == 1)
    }

    @Test("a snapd that breaks off or never answers is asked once, since it may have done it")
    func once() throws {
        for steps in [[ScriptedServer.Step.hang], [.reset], []] {
            let snapd = try Snapd { _, _ in steps }
            var client = snapd.client
            client.patience = 200
            #expect(throws: SnapdError.self) {
                try client.hold("microk8s", until: "forever", level: .general)
            }
            #expect(snapd.asked.count == 1)
        }
    }

    @Test("a setting that is not set is none, and one that is reads as it was set")
    func settings() throws {
        let unset =
            #"{"type":"error","status-code":400,"status":"Bad Request","result":{"message":"snap \"core\" has no \"refresh.retain\" configuration option","kind":"option-not-found","value":{"SnapName":"core","Key":"refresh.retain"}}}"#
        let snapd = try Snapd { _, number in
            number == 0
                ? [.answer(unset, status: "400 Bad Request")]
                : [
                    .answer(
                        #"{"type":"sync","status-code":200,"status":"OK","result":{"refresh.retain":\#(number == 1 ? "3" : "\"5\"")}}"#
                    )
                ]
        }
        #expect(try snapd.client.setting("refresh.retain") == nil)
        #expect(try snapd.client.setting("refresh.retain") == "3")
        #expect(try snapd.client.setting("refresh.retain") == "5")
    }

    @Test("an abort names the change and nothing else, and what is no change is not asked about")
    func abort() throws {
        let done =
            #"{"type":"error","status-code":400,"status":"Bad Request","result":{"message":"cannot abort change 1 with nothing pending"}}"#
        let snapd = try Snapd { _, number in
            number == 0
                ? [.answer(Self.change("Abort", ready: false))] : [.answer(done, status: "400 Bad Request")]
        }
        try snapd.client.abort(change: "11")
        #expect(throws: SnapdError.self) { try snapd.client.abort(change: "1") }
        #expect(throws: SnapdError.self) { try snapd.client.abort(change: "1/../x") }
        #expect(
            snapd.asked == [
                #"POST /v2/changes/11 {"action":"abort"}"#, #"POST /v2/changes/1 {"action":"abort"}"#,
            ])
    }
}
