import FoundationEssentials
import Glibc
import Model
import Ports
import Testing

@testable import Host

private let etc = "/etc/systemd/system"
private let usr = "/usr/lib/systemd/system"

extension UnitRoot {
    /// Long after every file was written, so that what is seen is remembered.
    fileprivate static let now = Instant(seconds: 4_000_000_000)

    /// Looks for programs called k3s, as a tick does, and says what is known afterwards.
    fileprivate func look(
        _ known: KnownUnits? = nil, question: String? = "k3s", at now: Instant = now
    ) throws -> (services: [ServiceDefinition], known: KnownUnits?) {
        let snapshot = UnitFiles(root: Root(path)).snapshot(known: known, question: question, now: now)
        let services = try snapshot.services { $0.command.first?.hasSuffix("k3s") == true }
        return (services, snapshot.known)
    }

    fileprivate func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: path + file) }

    fileprivate func link(_ file: String, to target: String) throws {
        guard symlink(target, path + file) == 0 else { throw Scratch.Failure(text: "no link \(file)") }
    }
}

@Suite("What is known of unit files stands while no directory moves")
struct UnitSnapshotTests {
    private static func node() throws -> UnitRoot {
        try UnitRoot([
            "\(etc)/k3s.service": unit("/bin/k3s server", "EnvironmentFile=/etc/default/k3s\n"),
            "\(etc)/k3s.service.d/a.conf": "[Service]\nEnvironment=A=1\n",
            "\(etc)/foreign.service.d/a.conf": "[Service]\nEnvironment=A=1\n",
            "\(etc)/multi-user.target.wants/other.service": "",
            "/etc/default/k3s": "B=1\n",
            "\(usr)/foreign.service": unit("/bin/foreign"), "\(usr)/k3s@.service": unit("/bin/k3s agent"),
            "\(usr)/other.service": unit("/bin/other"), "/run/systemd/transient/a.scope": "",
        ])
    }

    @Test("an unchanged node is seen as before, and its memory stays as it is")
    func unchanged() throws {
        let root = try Self.node()
        let first = try root.look()
        let known = try #require(first.known)
        #expect(known.services.map(\.name) == ["k3s.service"])
        let second = try root.look(known, at: UnitRoot.now + .minutes(59))
        #expect(second.services == first.services && second.known == known)
        #expect(second.services.first?.environment == ["A": "1", "B": "1"])
    }

    @Test("a question that was not asked at the earlier look is answered from all files, and costs no memory")
    func anew() throws {
        let root = try Self.node()
        let known = try #require(try root.look().known)
        let snapshot = UnitFiles(root: Root(root.path)).snapshot(
            known: known, question: "k3s", now: UnitRoot.now)
        let isOther = { (service: ServiceDefinition) in service.name == "other.service" }
        #expect(try snapshot.services { $0.command.first?.hasSuffix("k3s") == true }.count == 1)
        #expect(try snapshot.services(where: isOther).isEmpty, "what this test rests on")
        #expect(try snapshot.servicesAnew(where: isOther).map(\.name) == ["other.service"])
        #expect(snapshot.known == known)
    }

    private struct Change: Sendable {
        var name: String
        var make: @Sendable (UnitRoot) throws -> Void
    }

    @Test("whatever makes, changes or ends a wanted service is seen at the next look")
    func changes() throws {
        let changes: [Change] = [
            Change(name: "a new unit") { try $0.write("\(etc)/b.service", Array(unit("/b/k3s").utf8)) },
            Change(name: "a unit directory that was not there") {
                try $0.write("/usr/local/lib/systemd/system/b.service", Array(unit("/b/k3s").utf8))
            },
            Change(name: "a transient unit") {
                try $0.write("/run/systemd/transient/b.service", Array(unit("/b/k3s").utf8))
            },
            Change(name: "the unit written to in place") {
                try $0.write("\(etc)/k3s.service", Array(unit("/other/k3s agent").utf8))
            },
            Change(name: "the unit emptied in place") { try $0.write("\(etc)/k3s.service", []) },
            Change(name: "the unit removed") { try $0.remove("\(etc)/k3s.service") },
            Change(name: "the unit masked") {
                try $0.remove("\(etc)/k3s.service")
                try $0.link("\(etc)/k3s.service", to: "/dev/null")
            },
            Change(name: "its drop-in written to in place") {
                try $0.write("\(etc)/k3s.service.d/a.conf", Array("[Service]\nEnvironment=A=2\n".utf8))
            },
            Change(name: "another drop-in") {
                try $0.write("\(etc)/k3s.service.d/b.conf", Array("[Service]\nEnvironment=A=2\n".utf8))
            },
            Change(name: "drop-ins in another directory") {
                try $0.write("\(usr)/k3s.service.d/b.conf", Array("[Service]\nEnvironment=A=2\n".utf8))
            },
            Change(name: "drop-ins by an alias") {
                try $0.write("\(etc)/kube.service.d/b.conf", Array("[Service]\nEnvironment=A=2\n".utf8))
                try $0.link("\(etc)/kube.service", to: "k3s.service")
            },
            Change(name: "the last drop-in removed") { try $0.remove("\(etc)/k3s.service.d/a.conf") },
            Change(name: "its variables written to in place") {
                try $0.write("/etc/default/k3s", Array("B=2\n".utf8))
            },
            Change(name: "a drop-in that makes another service one") {
                try $0.write(
                    "\(etc)/foreign.service.d/b.conf", Array("[Service]\nExecStart=\nExecStart=/k3s".utf8))
            },
            Change(name: "an instance that is enabled") {
                try $0.link("\(etc)/multi-user.target.wants/k3s@a.service", to: "\(usr)/k3s@.service")
            },
            Change(name: "another unit of the same name, put over it") {
                try $0.write("\(usr)/draft", Array(unit("/bin/k3s").utf8))
                rename("\($0.path)\(usr)/draft", "\($0.path)\(usr)/other.service")
            },
        ]
        for change in changes {
            let root = try Self.node()
            let before = try root.look()
            try change.make(root)
            let now = UnitRoot.now + .minutes(5)
            let fresh = try root.look(at: now)
            #expect(fresh.services != before.services, "\(change.name): is no change")
            #expect(try root.look(before.known, at: now).services == fresh.services, "\(change.name)")
        }
    }

    @Test(
        "a file that nobody wanted and that was written to in place is seen within the hour, at another question at once"
    )
    func inPlace() throws {
        let root = try Self.node()
        let known = try root.look().known
        try root.write("\(usr)/other.service", Array(unit("/bin/k3s agent").utf8))
        // This is what makes a quiet tick quick.
        #expect(try root.look(known, at: UnitRoot.now + .minutes(59)).services.count == 1)
        #expect(try root.look(known, at: UnitRoot.now + .minutes(60)).services.count == 2)
        // By a clock that was set back.
        #expect(try root.look(known, at: UnitRoot.now + .minutes(-1)).services.count == 2)
        #expect(try root.look(known, question: "k3s and others").services.count == 2)
    }

    @Test("scopes and slices, which a kubelet makes all the time, are no change")
    func transient() throws {
        let root = try Self.node()
        let known = try root.look().known
        try root.write("/run/systemd/transient/b.scope", [])
        #expect(try root.look(known, at: UnitRoot.now + .minutes(1)).known == known)
    }

    @Test("directories that could still change unseen are not remembered, nor is anything without a question")
    func young() throws {
        let root = try Self.node()
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        #expect(try root.look(at: Instant(seconds: Int64(time.tv_sec))).known == nil)
        #expect(try root.look(question: nil).known == nil)
    }

    @Test("nothing that a unit or its variables hold is remembered (invariant 13)")
    func secrets() throws {
        let root = try UnitRoot([
            "\(etc)/k3s.service": unit("/bin/k3s server --token SECRET", "Environment=K3S_TOKEN=SECRET\n")
        ])
        let known = try #require(try root.look().known)
        #expect(!(try CanonicalJSON.text(of: known)).contains("SECRET"))
    }
}
