import FoundationEssentials
import Glibc
import Host
import ScriptedServer
import Testing

/// The secret part of a webhook's URL, which must stand nowhere (invariant 13).
private let secret = "T0K3N-hunter2"

private struct Event: Decodable {
    struct Payload: Decodable {
        var node: String
        var occasion: String
        var verdict: String?
        var text: String
    }
    var id: String
    var type: String
    var data: Payload
}

extension ScriptedServer {
    fileprivate var events: [Event] {
        get throws { try received.map { try JSONDecoder().decode(Event.self, from: Data($0.body)) } }
    }
}

@Suite("holdfast check tells whom the policy names")
struct NotifyTests {
    private func node(_ receivers: String...) throws -> SampleNode {
        try SampleNode(policy: policy(receivers))
    }

    private func policy(_ receivers: [String]) -> String {
        "apiVersion: holdfast/v1\nunattended: patch\norigin: claimed\nnotify:\n"
            + receivers.map { "  - {\($0)}\n" }.joined()
    }

    private func webhook(
        _ server: ScriptedServer, on: String = "held, needs-approval, denied", path: String = "/hook"
    ) -> String {
        "webhook: \"http://127.0.0.1:\(server.port)\(path)?key=\(secret)\", on: [\(on)]"
    }

    /// Has a minor waiting, so that there is something to tell.
    private func hold(_ node: SampleNode) throws {
        #expect(try node.holdfast("check").code == 0)
        try node.install("v1.32.1+k3s1")
    }

    /// Lets the time pass that a receiver is left alone for.
    private func rest(_ node: SampleNode) throws {
        let code = try SampleNode.edit(
            node.state, "UPDATE outlet SET content = json_remove(content, '$.notBefore')")
        #expect(code == 0)
    }

    private func problems(_ node: SampleNode) throws -> [String] {
        try problems(try node.holdfast("status", "--output", "json"))
    }

    private func problems(_ node: SampleNode, _ clock: ShiftedClock, days: Int) throws -> [String] {
        try problems(try node.holdfast("status", "--output", "json", by: clock, days: days))
    }

    private func problems(_ answer: SampleNode.Answer) throws -> [String] {
        struct Report: Decodable {
            struct Problem: Decodable { var code, text: String }
            var problems: [Problem]
        }
        return try answer.json(Report.self).problems.filter { $0.code == "notify-undelivered" }.map(\.text)
    }

    @Test("once, as a CloudEvent, and the same decision never again")
    func delivered() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("")] }
        let node = try node(webhook(server))
        try hold(node)
        for _ in 0..<3 { #expect(try node.holdfast("check").code == 0) }
        let request = try #require(server.received.first)
        #expect(request.method == "POST")
        #expect(request.target == "/hook?key=\(secret)")
        #expect(request.header("content-type") == "application/cloudevents+json; charset=utf-8")
        let events = try server.events
        #expect(events.map(\.type) == ["dev.holdfast.held"])
        #expect(events.first?.data.node == "sample")
        #expect(events.first?.data.text.contains("v1.32.1+k3s1") == true)
        #expect(try problems(node) == [])
    }

    @Test("who is not named on an occasion is not told of it, and two receivers do not know of one another")
    func occasions() throws {
        let one = try ScriptedServer.tcp { _, _ in [.answer("")] }
        let other = try ScriptedServer.tcp { _, _ in [.answer("", status: "503 Busy")] }
        let node = try node(
            webhook(other), webhook(one, on: "denied"), webhook(one, on: "paused", path: "/b"))
        try hold(node)
        _ = try node.holdfast("check")
        #expect(one.received.isEmpty)
        try node.install("v1.33.0+k3s1")
        _ = try node.holdfast("check")
        #expect(try one.events.map(\.type) == ["dev.holdfast.denied"])
        #expect(one.received.map(\.target).allSatisfy { $0.hasPrefix("/hook") })
    }

    @Test("what was not taken is tried again after a rest, over restarts, and then in its order")
    func again() throws {
        let server = try ScriptedServer.tcp { _, number in
            [.answer("", status: number == 0 ? "500 Oops" : "200 OK")]
        }
        let node = try node(webhook(server))
        try hold(node)
        _ = try node.holdfast("check")
        #expect(server.received.count == 1)
        // It is left alone meanwhile, and more gathers.
        try node.install("v1.33.0+k3s1")
        _ = try node.holdfast("check")
        #expect(server.received.count == 1)
        try rest(node)
        _ = try node.holdfast("check")
        let events = try server.events
        #expect(events.map(\.type) == ["dev.holdfast.held", "dev.holdfast.held", "dev.holdfast.denied"])
        #expect(events[0].id == events[1].id)
        #expect(events[1].id != events[2].id)
    }

    @Test(
        "a receiver that takes a message while we are killed gets it once more, with the same id, and nothing is lost"
    )
    func killed() throws {
        let server = try ScriptedServer.tcp { _, number in
            // Taken, and the answer does not come before the end.
            number == 0 ? [.hang] : [.answer("")]
        }
        let node = try node(webhook(server))
        try hold(node)
        let program =
            URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
        // Killed once the message is there, by whoever sees it come.
        let script = """
            "$@" >/dev/null & p=$!
            for i in $(seq 600); do grep -q . "$MARK" 2>/dev/null && break; sleep 0.05; done
            kill -9 $p; wait $p; true
            """
        let mark = node.directory + "/mark"
        let watcher = Watcher(server, mark)
        let outcome = try runProcess(
            [
                "/bin/sh", "-c", script, "sh", program, "check", "--root", node.root, "--policy", node.policy,
                "--state", node.state,
            ], environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MARK": mark], timeout: 60_000)
        watcher.stop()
        #expect(outcome.succeeded)
        #expect(server.received.count == 1)
        _ = try node.holdfast("check")
        _ = try node.holdfast("check")
        let events = try server.events
        #expect(events.count == 2)
        #expect(events[0].id == events[1].id)
        #expect(server.received[0].body == server.received[1].body)
    }

    /// What a receiver answers, and what becomes of the message.
    struct Answer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: [ScriptedServer.Step]
        var isTaken = false
        var problem: String?
    }

    @Test(
        "an answer of 2xx takes it however it goes on; what never will is given up and told by name",
        arguments: [
            Answer(testDescription: "204", steps: [.text("HTTP/1.1 204 No Content\r\n\r\n")], isTaken: true),
            Answer(
                testDescription: "200 and a body without end",
                steps: [
                    .text("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"),
                    .drip(97, everyMilliseconds: 5),
                ],
                isTaken: true),
            Answer(
                testDescription: "200 and more than anybody reads",
                steps: [.chunked([UInt8](repeating: 32, count: 1 << 20))], isTaken: true),
            Answer(
                testDescription: "413", steps: [.answer("", status: "413 Content Too Large")],
                problem: "it answers 413"),
            Answer(testDescription: "404", steps: [.answer("", status: "404 Not Found")]),
            Answer(testDescription: "401", steps: [.answer("", status: "401 Unauthorized")]),
            Answer(
                testDescription: "a redirect",
                steps: [
                    .text("HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
                ],
                problem: "redirects are not followed"),
            Answer(testDescription: "429", steps: [.answer("", status: "429 Slowly")]),
            Answer(testDescription: "408", steps: [.answer("", status: "408 Late")]),
            Answer(testDescription: "nothing at all", steps: [.hang]),
            Answer(testDescription: "something else", steps: [.text("SSH-2.0-OpenSSH\r\n")]),
        ])
    func answers(_ answer: Answer) throws {
        let server = try ScriptedServer.tcp { _, _ in answer.steps }
        let node = try node(webhook(server))
        try hold(node)
        #expect(try node.holdfast("check").code == 0)
        #expect(server.received.count == 1)
        try rest(node)
        _ = try node.holdfast("check")
        // Whoever took it, or never will, is not asked again.
        let isOver = answer.isTaken || answer.problem != nil
        #expect(server.received.count == (isOver ? 1 : 2))
        let problems = try problems(node)
        if let problem = answer.problem {
            #expect(problems.count == 1)
            #expect(problems.first?.contains("notify[0] (127.0.0.1:\(server.port))") == true)
            #expect(problems.first?.contains(problem) == true)
        } else {
            #expect(problems == [])
        }
    }

    @Test("invariant 13: what is secret in a URL is in no file, ledger, report or error, whatever fails")
    func secrets() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("", status: "500 \(secret)")] }
        let node = try node(
            webhook(server), "webhook: \"https://127.0.0.1:\(server.port)/\(secret)\", on: [held]",
            "webhook: \"http://127.0.0.1:99999/\(secret)\", on: [held]",
            "webhook: \"http://none.invalid?\(secret)\", on: [held]",
            "command: [/no/such, \(secret)], on: [held]", "command: [/bin/false, \(secret)], on: [held]")
        try hold(node)
        var said = ""
        for _ in 0..<4 {
            let answer = try node.holdfast("check", "--output", "json")
            said += answer.output + answer.errors
            try rest(node)
        }
        for words in [
            ["status"], ["status", "--output", "prometheus"], ["history", "--output", "json"], ["verify"],
        ] {
            let answer = try SampleNode.run(
                words + ["--root", node.root, "--state", node.state]
                    + (words[0] == "status" ? ["--policy", node.policy] : []))
            said += answer.output + answer.errors
        }
        #expect(said.contains("notify-undelivered"))
        #expect(said.contains("notify[5] (false)"))
        #expect(!said.contains(secret))
        for name in try FileManager.default.contentsOfDirectory(atPath: node.state) {
            let bytes = try Data(contentsOf: URL(filePath: node.state + "/" + name))
            #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "\(name)")
        }
    }

    @Test("a command reads the event, with nothing else of ours, and is told again where it failed")
    func command() throws {
        let node = try SampleNode()
        let script = node.directory + "/tell"
        let out = node.directory + "/told"
        try Data(
            """
            #!/bin/sh
            # Fails the first time.
            env > "$1.env"; cat >> "$1"; echo >> "$1"; [ -e "$1.once" ] || { touch "$1.once"; exit 3; }
            """.utf8
        ).write(to: URL(filePath: script))
        chmod(script, 0o755)
        try node.write(policy(["command: [\"\(script)\", \"\(out)\"], on: [held]"]))
        try hold(node)
        for _ in 0..<3 {
            _ = try node.holdfast("check")
            try rest(node)
        }
        let lines = String(decoding: try Data(contentsOf: URL(filePath: out)), as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == lines.last)
        let event = try JSONDecoder().decode(Event.self, from: Data(lines[0].utf8))
        #expect(event.data.occasion == "held")
        let environment = String(decoding: try Data(contentsOf: URL(filePath: out + ".env")), as: UTF8.self)
        #expect(!environment.contains("LANG="))
    }

    @Test("whoever comes new is told of what comes from then on, and whoever went is forgotten")
    func newcomers() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("")] }
        let node = try SampleNode(policy: policy([webhook(server, on: "paused")]))
        try hold(node)
        _ = try node.holdfast("check")
        #expect(server.received.isEmpty)
        try node.write(policy([webhook(server, path: "/new")]))
        _ = try node.holdfast("check")
        // Under another policy it is another decision, which is told; the one before is not.
        #expect(try server.events.map(\.type) == ["dev.holdfast.held"])
        let rows = try runProcess(
            ["/usr/bin/sqlite3", node.state + "/ledger.db", "SELECT count(*) FROM outlet"], timeout: 10_000)
        #expect(String(decoding: rows.output, as: UTF8.self) == "1\n")
    }

    @Test("what retention drops before it was told is counted as given up, and told of as that")
    func dropped() throws {
        let server = try ScriptedServer.tcp { _, number in
            [.answer("", status: number == 0 ? "503 Busy" : "200 OK")]
        }
        let node = try SampleNode(policy: policy([webhook(server)]) + "ledger: {keep: 1d}\n")
        let clock = try ShiftedClock(in: node.directory)
        func check(days: Int) throws {
            #expect(try node.holdfast("check", by: clock, days: days).code == 0)
        }
        try check(days: 0)
        // What is held first stands no longer when the time is over, and was not taken before.
        for version in ["v1.32.1+k3s1", "v1.33.0+k3s1"] {
            try node.install(version)
            try check(days: 0)
        }
        #expect(server.received.count == 1)
        try check(days: 3)
        #expect(try server.events.map(\.type) == ["dev.holdfast.held", "dev.holdfast.denied"])
        #expect(
            try problems(node, clock, days: 3).first?.contains("1 message was given up: ledger.keep") == true)
        let metrics = try node.holdfast("status", "--output", "prometheus", by: clock, days: 3).output
        #expect(metrics.contains("notify-undelivered"))
        // The next tick records it, and with that it is in the journal.
        try check(days: 3)
        let entries = try runProcess(
            [
                "/usr/bin/sqlite3", node.state + "/ledger.db",
                "SELECT count(*) FROM entry JOIN body USING(seq) WHERE kind = 'problem-began' AND content LIKE '%notify-undelivered%'",
            ], timeout: 10_000)
        #expect(String(decoding: entries.output, as: UTF8.self) == "1\n")
    }

    @Test(
        "where DNS never answers the tick ends all the same, and goes on trying",
        .enabled(
            if: canMakeNetworks,
            "SKIPPED: a DNS of its own needs root, unshare, ip and systemd-socket-activate"))
    func deadDNS() throws {
        let node = try node("webhook: \"http://hook.example/\", on: [held]")
        try hold(node)
        let resolv = node.directory + "/resolv.conf"
        // It is longer silent than anybody waits here.
        try Data("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n".utf8).write(
            to: URL(filePath: resolv))
        let program =
            URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
        let script = """
            mount --bind "$1" /etc/resolv.conf && ip link set lo up || exit 90
            mkfifo "$2"; systemd-socket-activate -d -l 127.0.0.1:53 sleep 60 2>"$2" & server=$!
            read -r line < "$2" || exit 91
            shift 2; "$@"; code=$?; kill $server; exit $code
            """
        let outcome = try runProcess(
            [
                "/usr/bin/unshare", "-nm", "/bin/sh", "-c", script, "sh", resolv, node.directory + "/listens",
                program, "check", "--root", node.root, "--policy", node.policy, "--state", node.state,
            ], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], timeout: 60_000)
        #expect(outcome.succeeded, "\(outcome.end): \(String(decoding: outcome.errors, as: UTF8.self))")
        let row = try runProcess(
            ["/usr/bin/sqlite3", node.state + "/ledger.db", "SELECT content FROM outlet"], timeout: 10_000)
        // Which of the two says so first depends on how fast the machine is; neither waits for the resolver's 150 s.
        let told = String(decoding: row.output, as: UTF8.self)
        #expect(told.contains("does not answer within") || told.contains("does not resolve"), "\(told)")
        #expect(told.contains(#""failures":1"#), "\(told)")
    }

    @Test("nobody is told on a dry run, by a look, or by the policy of another root")
    func silent() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("")] }
        let node = try node(webhook(server))
        try hold(node)
        _ = try node.holdfast("check", "--dry-run")
        _ = try node.holdfast("status")
        _ = try node.holdfast("explain")
        let own = node.root + "/etc/holdfast/policy.yaml"
        try FileManager.default.createDirectory(
            atPath: node.root + "/etc/holdfast", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: node.policy, toPath: own)
        let answer = try SampleNode.run(["check", "--root", node.root, "--state", node.state])
        #expect(answer.code == 0, "\(answer.errors)")
        #expect(server.received.isEmpty)
    }
}

/// Whether a program can be given a network of its own, and a server in it that says nothing.
private let canMakeNetworks: Bool = {
    let tried = try? runProcess(
        ["/usr/bin/unshare", "-nm", "/bin/sh", "-c", "command -v ip && command -v systemd-socket-activate"],
        environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], timeout: 10_000)
    return tried?.succeeded == true
}()

/// Writes a file once a server has had a request.
private final class Watcher: @unchecked Sendable {
    private var thread = pthread_t()
    private let server: ScriptedServer
    private let mark: String

    init(_ server: ScriptedServer, _ mark: String) {
        self.server = server
        self.mark = mark
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let watcher = Unmanaged<Watcher>.fromOpaque(argument).takeUnretainedValue()
                for _ in 0..<6000 where watcher.server.received.isEmpty { usleep(10_000) }
                try? Data("x".utf8).write(to: URL(filePath: watcher.mark))
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func stop() { pthread_join(thread, nil) }
}
