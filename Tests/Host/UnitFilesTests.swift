import FoundationEssentials
import Glibc
import Model
import Testing

@testable import Host

/// A root of a node in a directory that goes with it.
final class UnitRoot {
    let path: String

    init(_ files: [String: String] = [:], links: [String: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: "\(path)/etc/systemd/system", withIntermediateDirectories: true)
        for (file, text) in files { try write(file, Array(text.utf8)) }
        for (link, target) in links {
            try makeDirectory(of: link)
            try FileManager.default.createSymbolicLink(atPath: path + link, withDestinationPath: target)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ file: String, _ bytes: [UInt8]) throws {
        try makeDirectory(of: file)
        try Data(bytes).write(to: URL(filePath: path + file))
    }

    private func makeDirectory(of file: String) throws {
        let directory = (path + file).split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/\(directory)", withIntermediateDirectories: true)
    }

    func services(where isWanted: (ServiceDefinition) -> Bool = { _ in true }) throws -> [ServiceDefinition] {
        try UnitFiles(root: Root(path)).services(where: isWanted)
    }

    func commands() throws -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: try services().map { ($0.name, $0.command) })
    }
}

func unit(_ command: String, _ more: String = "") -> String {
    "[Service]\nExecStart=\(command)\n\(more)"
}

@Suite("Services are found in unit files below a root")
struct UnitFilesTests {
    private let etc = "/etc/systemd/system"
    private let run = "/run/systemd/system"
    private let local = "/usr/local/lib/systemd/system"
    private let usr = "/usr/lib/systemd/system"

    @Test("each unit directory is read, and of one name the strongest counts")
    func precedence() throws {
        let root = try UnitRoot([
            "\(etc)/a.service": unit("/etc-a"), "\(usr)/a.service": unit("/usr-a"),
            "\(run)/b.service": unit("/run-b"),
            "\(usr)/b.service": unit("/usr-b"), "\(local)/c.service": unit("/local-c"),
            "\(usr)/c.service": unit("/usr-c"),
            "/lib/systemd/system/d.service": unit("/lib-d"), "\(etc)/e.timer": "[Timer]\n",
        ])
        #expect(
            try root.commands() == [
                "a.service": ["/etc-a"], "b.service": ["/run-b"], "c.service": ["/local-c"],
                "d.service": ["/lib-d"],
            ])
        #expect(try root.services().first?.fragmentPath == "/etc/systemd/system/a.service")
    }

    @Test("a name that systemd takes for no unit's is none here either, whatever the file says")
    func strangeNames() throws {
        let names = [
            "=cmd|calc!A0", "k3s-\u{1b}[31m", "k3s<b>", "k3s\u{202e}", "k3s ", "k3s\n", "k3s\u{301}",
        ]
        var files = ["\(etc)/k3s-\\x2d@a_b:c.service": unit("/good")]
        for name in names { files["\(etc)/\(name).service"] = unit("/bad") }
        let root = try UnitRoot(
            files, links: ["\(etc)/multi-user.target.wants/k3s@\u{7}.service": "\(etc)/k3s@.service"])
        try root.write("\(etc)/k3s@.service", Array(unit("/bad").utf8))
        #expect(try root.commands() == ["k3s-\\x2d@a_b:c.service": ["/good"]])
    }

    @Test("/lib that is a link to /usr/lib gives each unit once")
    func mergedUsr() throws {
        let root = try UnitRoot(["\(usr)/a.service": unit("/a")], links: ["/lib": "usr/lib"])
        #expect(try root.services().map(\.fragmentPath) == ["/usr/lib/systemd/system/a.service"])
    }

    @Test("a masked unit is none, by a link to /dev/null or an empty file")
    func masked() throws {
        let root = try UnitRoot(
            ["\(usr)/a.service": unit("/a"), "\(usr)/b.service": unit("/b"), "\(etc)/b.service": ""],
            links: ["\(etc)/a.service": "/dev/null"])
        #expect(try root.commands().isEmpty)
    }

    @Test("an alias is no unit of its own, but its drop-ins apply; a linked unit is one")
    func links() throws {
        let root = try UnitRoot(
            [
                "\(usr)/k3s.service": unit("/k3s server"),
                "\(etc)/kube.service.d/x.conf": "[Service]\nEnvironment=A=1\n",
                "/opt/edge/edge.service": unit("/edge"), "/opt/edge/other.service": unit("/other"),
            ],
            links: [
                "\(etc)/kube.service": "\(usr)/k3s.service",
                "\(etc)/relative.service": "../../../usr/lib/systemd/system/k3s.service",
                "\(etc)/edge.service": "/opt/edge/edge.service",
                "\(etc)/mine.service": "/opt/edge/other.service",
                "\(etc)/gone.service": "/opt/gone/gone.service",
            ])
        #expect(
            try root.commands() == [
                "k3s.service": ["/k3s", "server"], "edge.service": ["/edge"], "mine.service": ["/other"],
            ])
        #expect(try root.services().first { $0.name == "k3s.service" }?.environment == ["A": "1"])
    }

    @Test("a link that leads out of the root stays in it")
    func escape() throws {
        let outside = try UnitRoot(["\(etc)/x.service": unit("/secret")])
        let root = try UnitRoot(
            ["/inside.service": unit("/inside")],
            links: [
                "\(etc)/absolute.service": "\(outside.path)/etc/systemd/system/x.service",
                "\(etc)/up.service": "../../../../../../../../../../inside.service",
                "\(usr)": "\(outside.path)/etc/systemd/system",
            ])
        #expect(try root.commands() == ["up.service": ["/inside"]])
    }

    @Test("a template is no service, its wanted and linked instances are")
    func instances() throws {
        let root = try UnitRoot(
            [
                "\(usr)/k3s@.service": unit("/k3s server --data-dir=/data/%i"),
                "\(usr)/k3s@edge.service.d/e.conf": "[Service]\nEnvironment=E=1\n",
            ],
            links: [
                "\(etc)/multi-user.target.wants/k3s@edge.service": "\(usr)/k3s@.service",
                "\(etc)/k3s@linked.service": "\(usr)/k3s@.service",
                "\(etc)/multi-user.target.wants/other@x.service": "\(usr)/other@.service",
            ])
        #expect(
            try root.commands() == [
                "k3s@edge.service": ["/k3s", "server", "--data-dir=/data/edge"],
                "k3s@linked.service": ["/k3s", "server", "--data-dir=/data/linked"],
            ])
        #expect(try root.services().first?.environment == ["E": "1"])
    }

    @Test("drop-ins apply by file name, an empty ExecStart= resets, the strongest of one name counts")
    func dropIns() throws {
        let root = try UnitRoot([
            "\(usr)/k3s-edge.service": unit("/k3s server"),
            "\(etc)/k3s-edge.service.d/20-b.conf": unit("/new agent").replacing(
                "ExecStart", with: "ExecStart=\nExecStart"),
            "\(etc)/k3s-.service.d/10-a.conf": "[Service]\nEnvironment=P=prefix\n",
            "\(etc)/service.d/10-a.conf": "[Service]\nEnvironment=T=type\n",
            "\(etc)/service.d/05-t.conf": "[Service]\nEnvironment=T=type\n",
            "\(run)/k3s-edge.service.d/20-b.conf": unit("/never"),
            "\(usr)/k3s-edge.service.d/30-c.conf": "[Service]\nEnvironment=U=usr\n",
            "\(usr)/k3s-edge.service.d/30-c.txt": unit("/never"),
            "\(etc)/other.service.d/x.conf": unit("/never"),
        ])
        let service = try #require(try root.services().first)
        #expect(service.command == ["/new", "agent"])
        #expect(service.environment == ["P": "prefix", "T": "type", "U": "usr"])
    }

    @Test("a drop-in directory alone is no unit")
    func dropInAlone() throws {
        let root = try UnitRoot(["\(etc)/k3s.service.d/holdfast.conf": unit("/k3s server")])
        #expect(try root.services().isEmpty)
    }

    @Test("of several commands the last counts; a line that systemd ignores is ignored")
    func several() throws {
        let root = try UnitRoot([
            "\(etc)/a.service": unit("/one", "ExecStart=/two\nExecStart=\"open\n"),
            "\(etc)/b.service": unit("/one ; /two x"),
            "\(etc)/c.service": "[Unit]\nExecStart=/no\n[Install]\nExecStart=/no\n",
            "\(etc)/d.service": unit("/one", "ExecStart=\n"),
        ])
        #expect(try root.commands() == ["a.service": ["/two"], "b.service": ["/two", "x"]])
    }

    @Test("the environment comes from lines and files, optional ones too, in systemd's order")
    func environment() throws {
        let root = try UnitRoot([
            "\(etc)/k3s.service": unit(
                "/k3s $ROLE --token=${K3S_TOKEN}",
                "Environment=ROLE=agent \"A=x y\"\nEnvironmentFile=-/etc/default/%N\nEnvironmentFile=-/etc/missing\n"
                    + "EnvironmentFile=-\(etc)/k3s.service.env\n"),
            "/etc/default/k3s": "ROLE=server\nA=file\n", "\(etc)/k3s.service.env": "K3S_TOKEN='t'\n",
            "\(etc)/plain.service": unit(
                "/k3s server", "Environment=A=1\nEnvironment=\nEnvironmentFile=/etc/default/k3s\n"),
        ])
        let services = try root.services()
        #expect(services.map(\.command) == [["/k3s", "server", "--token=t"], ["/k3s", "server"]])
        #expect(services[0].environment == ["ROLE": "server", "A": "file", "K3S_TOKEN": "t"])
        #expect(services[1].environment == ["ROLE": "server", "A": "file"])
    }

    @Test("files named by the environment of services that nobody wants are not read")
    func unwanted() throws {
        let root = try UnitRoot([
            "\(etc)/a.service": unit("/a", "EnvironmentFile=/etc/default/a\n"), "/etc/default/a": "A=1\n",
        ])
        var seen: [[String: String]] = []
        let services = try root.services { service in
            seen.append(service.environment)
            return false
        }
        #expect(services.isEmpty)
        #expect(seen == [[:]])
    }

    @Test("units that are no text, no file or too large do no harm")
    func hostile() throws {
        let root = try UnitRoot(
            ["\(etc)/good.service": unit("/good"), "\(etc)/directory.service/x": ""],
            links: [
                "\(etc)/loop.service": "loop.service", "\(etc)/zero.service": "/dev/zero",
                "\(etc)/a.service": "b.service", "\(etc)/b.service": "a.service",
            ])
        try root.write("\(etc)/binary.service", (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let huge =
            unit("/huge") + String(repeating: "#", count: UnitTree.Limits().file) + "\nExecStart=/late\n"
        try root.write("\(etc)/huge.service", Array(huge.utf8))
        mkfifo("\(root.path)\(etc)/pipe.service", 0o600)
        #expect(try root.commands() == ["good.service": ["/good"], "huge.service": ["/huge"]])
    }

    @Test(
        "too much of everything is an error that says where, not a hang",
        arguments: [UnitTree.Limits(entries: 20), UnitTree.Limits(total: 400)])
    func tooMuch(_ limits: UnitTree.Limits) throws {
        let root = try UnitRoot()
        for index in 0..<20 { try root.write("\(etc)/\(index).service", Array(unit("/a").utf8)) }
        let error = #expect(throws: HostError.self) {
            try UnitFiles(root: Root(root.path), limits: limits).services { _ in true }
        }
        #expect(error?.description.hasPrefix(root.path) == true)
        #expect(try root.services().count == 20)
    }

    @Test("a root without unit directories has no services; a root that is none is an error with the path")
    func noDirectories() throws {
        let root = try UnitRoot()
        try FileManager.default.removeItem(atPath: root.path + "/etc")
        #expect(try root.services().isEmpty)
        let error = #expect(throws: HostError.self) {
            try UnitFiles(root: Root("/nowhere/at/all")).services { _ in true }
        }
        #expect(error?.description.contains("/nowhere/at/all") == true)
    }

    @Test("a snapshot is of one moment, for all who ask; the next one is anew")
    func snapshot() throws {
        let root = try UnitRoot(["\(etc)/a.service": unit("/a"), "\(etc)/b.service": unit("/b")])
        let files = UnitFiles(root: Root(root.path))
        func look() -> any UnitSource {
            files.snapshot(known: nil, question: nil, now: Instant(seconds: 4_000_000_000))
        }
        let snapshot = look()
        #expect(try snapshot.services { $0.name == "a.service" }.map(\.command) == [["/a"]])
        try root.write("\(etc)/a.service", Array(unit("/changed").utf8))
        try root.write("\(etc)/c.service", Array(unit("/c").utf8))
        #expect(try snapshot.services { _ in true }.map(\.command) == [["/a"], ["/b"]])
        #expect(try look().services { _ in true }.map(\.command) == [["/changed"], ["/b"], ["/c"]])
    }

    @Test("nothing runs below another root")
    func state() throws {
        let root = try UnitRoot(["\(etc)/a.service": unit("/a")])
        let state = UnitFiles(root: Root(root.path)).state(of: "a.service")
        #expect(state.activeState == nil && state.mainPID == 0 && state.invocationID == nil)
    }
}
