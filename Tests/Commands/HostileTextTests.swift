import FoundationEssentials
import Glibc
import GoPrograms
import Host
import Model
import ScriptedServer
import Testing

/// What moves a cursor, sets a title, turns text round, ends a line, is HTML, Markdown, a label's end or a formula.
private let hostile =
    "x\u{1b}[31m\u{1b}]0;pwn\u{7}\u{9b}2J\u{202e}\u{2066}\u{2028}\u{61c}\u{200b}<script>alert(1)</script>\"'|`&\n=cmd|' /C calc'!A0"

/// The same without what its place would end at: a line, a quote, a name of a file.
private let hostileLine = String(hostile.filter { !"\n\"'/".contains($0) }.prefix(60))

/// A node whose every text from outside is hostile, and each way in which it is shown.
@Suite("hostile texts, wherever they come from and however they are shown")
struct HostileTextTests {
    private static let policy = """
        apiVersion: holdfast/v1
        unattended: patch
        origin: claimed
        enforce: {gate: restore}
        notify:
          - {command: [/bin/sh, -c, "cat >>$0", TOLD], on: [held, needs-approval, denied, paused]}

        """

    /// A K3s under a hostile directory and host name, a MicroK8s of a hostile snapd, and a minor that waits.
    private func node() throws -> (SampleNode, ScriptedServer) {
        let node = try SampleNode()
        try node.write(Self.policy.replacing("TOLD", with: node.directory + "/told"))
        try nameHost(node)
        let unit = node.root + "/etc/systemd/system/k3s.service"
        let escaped = hostileLine.utf8.map { "\\x" + String($0, radix: 16).padded }.joined()
        let text = try String(contentsOf: URL(filePath: unit), encoding: .utf8)
        try Data(
            text.replacing(
                "    server", with: "    server \"--data-dir=/var/lib/\(escaped)\" \"--node-name=\(escaped)\""
            ).utf8
        ).write(to: URL(filePath: unit))
        try FileManager.default.createDirectory(
            atPath: node.root + "/var/lib/prometheus/node-exporter", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: node.root + "/run", withIntermediateDirectories: true)
        let snap = try JSONEncoder().encode(Snap())
        let server = try ScriptedServer.unix(node.root + "/run/snapd.socket") { request, _ in
            guard request.target == "/v2/snaps/microk8s" else {
                return [.answer(Self.error, status: "500 Internal Server Error")]
            }
            return [.answer("{\"type\":\"sync\",\"result\":\(String(decoding: snap, as: UTF8.self))}")]
        }
        return (node, server)
    }

    /// The script that makes the root gives it a name each time.
    private func nameHost(_ node: SampleNode) throws {
        try Data("\(hostile)\n".utf8).write(to: URL(filePath: node.root + "/etc/hostname"))
    }

    private struct Snap: Encodable {
        var name = "microk8s"
        var revision = "7"
        var status = "active"
        var version = hostile
        var channel = hostile
        var trackingChannel = hostile

        enum CodingKeys: String, CodingKey {
            case name, revision, status, version, channel
            case trackingChannel = "tracking-channel"
        }
    }

    private static let error: String = {
        struct Message: Encodable { var message: String }
        let bytes = (try? JSONEncoder().encode(Message(message: hostile))) ?? Data()
        return "{\"type\":\"error\",\"result\":\(String(decoding: bytes, as: UTF8.self))}"
    }()

    /// A way of showing, and what is asked of it.
    enum Form: Sendable { case text, json, jsonLines, csv, markdown, html }

    private static let shown: [(words: [String], form: Form)] = [
        (["check"], .text), (["check", "--output", "json"], .json), (["status"], .text),
        (["status", "--output", "json"], .json), (["status", "--paths"], .text),
        (["status", "--paths", "--output", "json"], .json), (["status", "--fleet"], .text),
        (["explain"], .text),
        (["explain", "--output", "json"], .json), (["doctor"], .text),
        (["doctor", "--output", "json"], .json),
        (["approve"], .text), (["approve", "--output", "json"], .json), (["verify"], .text),
        (["verify", "--output", "json"], .json), (["catalog", "list"], .text),
        (["catalog", "list", "--output", "json"], .json), (["quarantine", "list"], .text),
        (["upgrade", "--plan", "--to", "v1.32.1+k3s1"], .text), (["history"], .text),
        (["history", "--output", "json"], .json), (["history", "--output", "jsonl"], .jsonLines),
        (["history", "--output", "cloudevents"], .jsonLines), (["history", "--output", "csv"], .csv),
        (["history", "--output", "markdown"], .markdown), (["history", "--output", "html"], .html),
        (["replay"], .text), (["check", hostile], .text), (["explain", hostile], .text),
        (["status", "--root", hostile], .text),
        (["approve", "--expires", hostile], .text), (["history", "--since", hostile], .text),
        ([hostile], .text),
    ]

    @Test("no report, export, metric or notification carries what moves a cursor, runs, calculates or hides")
    func everyForm() throws {
        let (node, server) = try node()
        defer { server.stop() }
        let who = ["SUDO_USER": hostile]
        func run(_ words: [String]) throws -> SampleNode.Answer {
            let hasPolicy = !["verify", "history", "catalog", "replay"].contains(words[0])
            let answer = try SampleNode.run(
                words + ["--root", node.root] + (hasPolicy ? ["--policy", node.policy] : []), environment: who
            )
            #expect(!answer.errors.contains("option '--policy'"), "\(words)")
            return answer
        }
        let adopted = try run(["adopt"])
        // Of the two the MicroK8s has no version that could be approved.
        #expect(adopted.code == 1 && adopted.output.hasPrefix("adopted k3s"), "\(adopted)")
        expectPlain(adopted.errors, ["adopt"])
        let asset = node.directory + "/\(hostileLine.prefix(40))-v1.32.1+k3s1.txt"
        let digest = try hashFile(node.binary).hex
        try Data("\(digest)  k3s\n\(digest)  \(hostileLine)\n".utf8).write(to: URL(filePath: asset))
        _ = try run(["catalog", "import", asset, "--version", "v1.31.4+k3s1"])
        #expect(try run(["check"]).code == 0)
        // A minor waits; then one whose linker's flags say something that is no version.
        try node.install("v1.32.1+k3s1")
        try nameHost(node)
        #expect(try run(["check"]).code == 0)
        _ = try run(["deny", "v1.33.0+k3s1", "--reason", hostile])
        #expect(try run(["pause", "--for", "2h", "--reason", hostileLine]).code == 0)
        let program = ELFWriter(
            buildInfo: .inline(
                modules: "path\tgithub.com/k3s-io/k3s/cmd/k3s\nmod\tgithub.com/k3s-io/k3s\t(devel)\t\n"
                    + "build\t-ldflags=\"-X github.com/k3s-io/k3s/pkg/version.Version=\(hostileLine.filter { $0 != " " })\"\n"
            ))
        for (words, form) in Self.shown {
            let answer = try run(words)
            #expect(answer.code >= 0)
            try expect(answer.output, is: form, of: words)
            try expect(answer.errors, is: .text, of: words)
        }
        try node.rewriteBinary { _ in Data(program.bytes()) }
        for (words, form) in Self.shown.prefix(10) {
            let answer = try run(words)
            try expect(answer.output, is: form, of: words)
            try expect(answer.errors, is: .text, of: words)
        }
        // It got in, so that it was there to be shown.
        #expect(try run(["status", "--output", "json"]).output.contains("script>alert(1)"))
        let metrics = try readFile(
            node.root + "/var/lib/prometheus/node-exporter/holdfast.prom", limit: 1 << 20)
        try expect(String(decoding: metrics, as: UTF8.self), is: .text, of: ["the metrics"])
        let told = try readFile(node.directory + "/told", limit: 1 << 20)
        #expect(!told.isEmpty)
        expectPlain(String(decoding: told, as: UTF8.self), ["a notification"])
    }

    private func expect(_ text: String, is form: Form, of words: [String]) throws {
        expectPlain(text, words)
        switch form {
        case .text: break
        case .json where text.isEmpty: Issue.record("\(words): nothing")
        case .json: _ = try JSONDecoder().decode(Anything.self, from: Data(text.utf8))
        case .jsonLines:
            for line in text.split(separator: "\n") {
                _ = try JSONDecoder().decode(Anything.self, from: Data(line.utf8))
            }
        case .csv:
            // Each cell, quoted or not.
            for cell in text.split(whereSeparator: { ",\n".contains($0) }) {
                let start = cell.drop { $0 == "\"" }.first.map(String.init) ?? ""
                #expect(!["=", "+", "-", "@"].contains(start), "\(words): \(cell)")
            }
        case .markdown, .html: #expect(!text.contains("<script>alert"), "\(words)")
        }
    }

    /// Nothing but lines of what can be seen.
    private func expectPlain(_ text: String, _ words: [String]) {
        for line in text.split(separator: "\n") where String(line).printable != line {
            Issue.record("\(words.map(\.printable)): \(line.debugDescription.prefix(300))")
        }
    }
}

/// Any JSON at all.
private struct Anything: Decodable {
    init(from decoder: any Decoder) throws { _ = try decoder.singleValueContainer() }
}

extension String {
    fileprivate var padded: String { count < 2 ? "0" + self : self }
}
