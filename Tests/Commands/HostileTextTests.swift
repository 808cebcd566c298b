import FoundationEssentials
import Glibc
import GoPrograms
import Host
import Model
import ScriptedServer
import Testing

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
        let escaped = HostileText.line.utf8.map { "\\x" + String($0, radix: 16).padded }.joined()
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
        try Data("\(HostileText.whole)\n".utf8).write(to: URL(filePath: node.root + "/etc/hostname"))
    }

    private struct Snap: Encodable {
        var name = "microk8s"
        var revision = "7"
        var status = "active"
        var version = HostileText.whole
        var channel = HostileText.whole
        var trackingChannel = HostileText.whole

        enum CodingKeys: String, CodingKey {
            case name, revision, status, version, channel
            case trackingChannel = "tracking-channel"
        }
    }

    private static let error: String = {
        struct Message: Encodable { var message: String }
        let bytes = (try? JSONEncoder().encode(Message(message: HostileText.whole))) ?? Data()
        return "{\"type\":\"error\",\"result\":\(String(decoding: bytes, as: UTF8.self))}"
    }()

    @Test("no report, export, metric or notification carries what moves a cursor, runs, calculates or hides")
    func everyForm() throws {
        let (node, server) = try node()
        defer { server.stop() }
        let who = ["SUDO_USER": HostileText.whole]
        func run(_ words: [String]) throws -> SampleNode.Answer {
            try node.inPlace(words, environment: who)
        }
        let adopted = try run(["adopt"])
        // Of the two the MicroK8s has no version that could be approved.
        #expect(adopted.code == 1 && adopted.output.hasPrefix("adopted k3s"), "\(adopted)")
        HostileText.expectPlain(adopted.errors, ["adopt"])
        let asset = node.directory + "/\(HostileText.line.prefix(40))-v1.32.1+k3s1.txt"
        let digest = try hashFile(node.binary).hex
        try Data("\(digest)  k3s\n\(digest)  \(HostileText.line)\n".utf8).write(to: URL(filePath: asset))
        _ = try run(["catalog", "import", asset, "--version", "v1.31.4+k3s1"])
        #expect(try run(["check"]).code == 0)
        // A minor waits; then one whose linker's flags say something that is no version.
        try node.install("v1.32.1+k3s1")
        try nameHost(node)
        #expect(try run(["check"]).code == 0)
        let change = try #require(
            run(["check", "--dry-run", "-o", "json"]).json(CheckAnswer.self).installations
                .first { $0.distribution == "k3s" }?.changes.first
        ).id
        for words in [["approve", change], ["deny", change], ["pause", "--for", "2h"]] {
            let answer = try run(words + ["--reason", HostileText.whole])
            #expect(answer.code == 0, "\(answer)")
            HostileText.expectPlain(answer.output + answer.errors, words)
        }
        let program = ELFWriter(
            buildInfo: .inline(
                modules: "path\tgithub.com/k3s-io/k3s/cmd/k3s\nmod\tgithub.com/k3s-io/k3s\t(devel)\t\n"
                    + "build\t-ldflags=\"-X github.com/k3s-io/k3s/pkg/version.Version=\(HostileText.line.filter { $0 != " " })\"\n"
            ))
        try HostileText.expectForms(run)
        for words in [
            ["check", HostileText.whole], ["explain", HostileText.whole],
            ["status", "--root", HostileText.whole], ["approve", "--expires", HostileText.whole],
            ["history", "--since", HostileText.whole], [HostileText.whole],
        ] {
            let answer = try run(words)
            HostileText.expectPlain(answer.output + answer.errors, words)
        }
        try node.rewriteBinary { _ in Data(program.bytes()) }
        try HostileText.expectForms(first: 11, run)
        // It got in, so that it was there to be shown.
        #expect(try run(["status", "--output", "json"]).output.contains("script>alert(1)"))
        try HostileText.expectPlainTraces(of: node)
    }
}

extension String {
    fileprivate var padded: String { count < 2 ? "0" + self : self }
}
