import FoundationEssentials
import Testing

/// What a purge takes away, which is done by root and cannot be undone.
@Suite("a purge")
struct PurgeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let line: String
        let state: String
        var testDescription: String { line }

        init(_ line: String, _ state: String = "/var/lib/holdfast") {
            self.line = line
            self.state = state
        }
    }

    @Test(
        "takes the state directory that node.yaml names, where it is a plain path below a directory",
        arguments: [
            Case("name: node-1"), Case("stateDirectory: /srv/holdfast", "/srv/holdfast"),
            Case("stateDirectory: '/srv/a/holdfast/'  # ours", "/srv/a/holdfast"),
            Case("stateDirectory: \"/srv/holdfast-2\"", "/srv/holdfast-2"),
            // The root, and what stands right below it.
            Case("stateDirectory: /"), Case("stateDirectory: /etc"), Case("stateDirectory: holdfast"),
            Case("stateDirectory: /srv/../etc"), Case("stateDirectory: /srv/.."),
            Case("stateDirectory: /srv/$(id)"), Case("stateDirectory: /srv/*"), Case("stateDirectory:"),
        ])
    func stateDirectory(_ one: Case) throws {
        try Script.inScratch { root in
            try FileManager.default.createDirectory(
                atPath: root + "/etc/holdfast", withIntermediateDirectories: true)
            try (one.line + "\n").write(
                toFile: root + "/etc/holdfast/node.yaml", atomically: false, encoding: .utf8)
            let answer = try Script.run(
                "source Packaging/scripts/lifting; DESTDIR=$1; state_directory", root)
            #expect(answer.output == one.state + "\n", "\(answer.errors)")
        }
    }

    @Test(
        "leaves a state directory that does not have our name", arguments: ["/srv/holdfast", "/srv/shared"])
    func names(_ state: String) throws {
        try Script.inScratch { root in
            for directory in [state, "/etc/holdfast", "/var/cache/holdfast/tree"] {
                try FileManager.default.createDirectory(
                    atPath: root + directory, withIntermediateDirectories: true)
            }
            let answer = try Script.run(
                "source Packaging/scripts/lifting; DESTDIR=$1; purge \"$2\"", root, state)
            #expect(answer.code, "\(answer.errors)")
            #expect(FileManager.default.fileExists(atPath: root + state) == (state == "/srv/shared"))
            #expect(!FileManager.default.fileExists(atPath: root + "/etc/holdfast"))
            #expect(!FileManager.default.fileExists(atPath: root + "/var/cache/holdfast"))
        }
    }
}
