import Model
import Ports
import ScriptedServer
import Testing

@testable import Artifacts

/// Another test sets a proxy in the environment of this process.
private func direct(_ settings: ArtifactSource) -> WebReleases {
    var source = WebReleases(settings)
    source.usesEnvironmentProxies = false
    return source
}

@Suite("Channels of releases")
struct ChannelTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: ScriptedServer.Step
        var distribution = Distribution.k3s
        /// Nil where it is an error.
        var version: String?
    }

    private static func redirect(_ location: String) -> ScriptedServer.Step {
        .text("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    }

    // In the shapes of `../facts/k3s.md` and `k0s.md`.
    static let rows = [
        Row(
            testDescription: "K3s's redirect",
            answer: redirect("https://github.com/k3s-io/k3s/releases/tag/v1.31.4+k3s1"),
            version: "v1.31.4+k3s1"),
        Row(
            testDescription: "K3s's redirect, encoded",
            answer: redirect("https://github.com/k3s-io/k3s/releases/tag/v1.31.4%2Bk3s1?x=y"),
            version: "v1.31.4+k3s1"),
        Row(
            testDescription: "K3s's list",
            answer: .answer(
                """
                {"type":"collection","data":[{"id":"latest","name":"latest","latest":"v1.32.0+k3s1"},
                {"id":"stable","type":"channel","name":"stable","latest":"v1.31.4+k3s1"},{"name":"v1.16"}]}
                """), version: "v1.31.4+k3s1"),
        Row(
            testDescription: "one channel",
            answer: .answer("{\"name\":\"stable\",\"latest\":\"v1.31.4+k3s1\"}"),
            version: "v1.31.4+k3s1"),
        Row(
            testDescription: "k0s's text", answer: .answer("v1.36.3+k0s.2\n", type: "text/plain"),
            distribution: .k0s, version: "v1.36.3+k0s.2"),
        Row(testDescription: "a page", answer: .answer("<html>hello</html>", type: "text/html")),
        Row(testDescription: "nothing", answer: .answer("")),
        Row(testDescription: "a list without it", answer: .answer("{\"data\":[{\"name\":\"latest\"}]}")),
        Row(testDescription: "broken JSON", answer: .answer("{\"data\":")),
        Row(testDescription: "another distribution's", answer: .answer("v1.36.3+k0s.2")),
        Row(testDescription: "no build", answer: .answer("v1.31.4")),
        Row(testDescription: "no such channel", answer: .answer("v1.31.4+k3s1", status: "404 Not Found")),
        // The controller takes its last word for the version (k3s#6052).
        Row(testDescription: "a redirect to the name", answer: redirect("/stable.txt")),
    ]

    @Test("a channel answers one version, or an error that says what it answers", arguments: rows)
    func answers(row: Row) throws {
        let server = try ScriptedServer.tcp { _, _ in [row.answer] }
        var settings = ArtifactSource()
        settings.releases = "http://127.0.0.1:\(server.port)/mirror/{version}/{file}?token=hunter2"
        settings.channel = "stable"
        let source = direct(settings)
        if let text = row.version {
            #expect(try source.releases(of: row.distribution) == [version(text)])
        } else {
            let error = try failure { try source.releases(of: row.distribution) }
            #expect(!error.isTemporary)
            #expect(!error.description.contains("hunter2"))
        }
        #expect(server.received.first?.target == "/mirror/stable.txt?token=hunter2")
    }

    @Test("an error says of bounded length what a channel answers, however many marks its letters have")
    func longAnswer() throws {
        let long = "v1" + String(repeating: "\u{301}", count: 20_000)
        let server = try ScriptedServer.tcp { _, _ in [.answer(long, type: "text/plain")] }
        var settings = ArtifactSource()
        settings.releases = "http://127.0.0.1:\(server.port)/mirror/{version}/{file}"
        settings.channel = "stable"
        let error = try failure { try direct(settings).releases(of: .k3s) }
        #expect(error.description.utf8.count < 1000)
    }

    @Test("a channel is asked where its name, its mirror or its own address says")
    func places() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("v1.31.4+k3s1")] }
        let base = "http://127.0.0.1:\(server.port)"
        var settings = ArtifactSource()
        settings.releases = "https://mirror.invalid/{version}/{file}"
        settings.channel = "\(base)/v1-release/channels/stable"
        #expect(try direct(settings).releases(of: .k3s) == [version("v1.31.4+k3s1")])
        settings.releases = "\(base)/k3s"
        settings.channel = "v1.31"
        #expect(try direct(settings).releases(of: .k3s) == [version("v1.31.4+k3s1")])
        server.stop()
        #expect(server.received.map(\.target) == ["/v1-release/channels/stable", "/k3s/v1.31.txt"])
        #expect(
            ReleaseLayout.publicChannel("v1.31", of: .k3s)
                == "https://update.k3s.io/v1-release/channels/v1.31")
        #expect(ReleaseLayout.publicChannel("stable", of: .k0s) == "https://docs.k0sproject.io/stable.txt")
    }

    @Test("a template without a channel lists nothing, which is no error, and MicroK8s comes from snapd")
    func none() throws {
        var settings = ArtifactSource()
        #expect(releaseSource(settings) == nil)
        settings.releases = "https://mirror.invalid/{version}/{file}"
        #expect(try releaseSource(settings)?.releases(of: .k3s) == [])
        #expect(
            try failure { try direct(settings).releases(of: .microk8s) }.description.contains("snapd"))
        settings.releases = "/srv/releases"
        #expect(releaseSource(settings) is DirectoryReleases)
        settings.releases = ""
        settings.channel = "stable"
        #expect(releaseSource(settings) is WebReleases)
    }

    @Test("a channel that does not answer is worth another question later")
    func silent() throws {
        let server = try ScriptedServer.tcp { _, _ in [] }
        var settings = ArtifactSource()
        settings.releases = "http://127.0.0.1:\(server.port)"
        settings.channel = "stable"
        #expect(try failure { try direct(settings).releases(of: .k3s) }.isTemporary)
    }
}
