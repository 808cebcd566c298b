import FoundationEssentials
import Glibc
import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Distributions

/// A node whose unit runs a real process, looked at on the live root.
private final class LiveNode {
    let directory: TemporaryDirectory
    let binary: String
    private let unit: String
    private let arguments: [String]
    private let adapter: any DistributionAdapter
    var units: StatedUnits
    var program: RunningProgram?
    var memory = ObserverMemory()
    /// Long after the files were written, so that their hashes are kept.
    var reading = ClockReading.test

    init(_ adapter: any DistributionAdapter, program: String, arguments: [String]) throws {
        directory = try TemporaryDirectory()
        binary = "\(directory.path)/bin/\(program)"
        unit = "\(program)-test.service"
        self.adapter = adapter
        self.arguments = arguments + ["--data-dir=\(directory.path)/data"]
        units = StatedUnits([], states: [])
    }

    /// Puts a program in a place by a rename, as `mv` does.
    func put(_ bytes: [UInt8], at path: String) throws {
        let new = try directory.write(bytes, to: "new")
        chmod(new, 0o755)
        let folder = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try #require(rename(new, path) == 0)
    }

    func start(_ path: String, invocation: String) throws {
        program = try RunningProgram(at: path)
        units = StatedUnits(
            [
                ServiceDefinition(
                    name: unit, fragmentPath: "/x", command: [binary] + arguments, environment: [:])
            ],
            states: [
                UnitObservation(
                    name: unit, activeState: "active", subState: "running", mainPID: program?.process ?? 0,
                    invocationID: invocation)
            ])
    }

    func look() throws -> Installation {
        let findings = adapter.look(
            at: Site(root: Root("/"), units: units, patience: 300), reading: reading, memory: &memory)
        #expect(findings.problems.allSatisfy { $0.code == "binary-missing" })
        return try #require(findings.installations.first)
    }

    func running() throws -> Running { try #require(try look().running) }
}

private func source(_ name: Running.Source.Name, _ version: String) -> Running.Source {
    Running.Source(source: name, version: Version(version))
}

@Suite("What runs is told apart from what is installed")
struct RunningTests {
    private let old = "v1.31.4+k0s.0"
    private let new = "v1.32.1+k0s.0"

    private func k0s() throws -> LiveNode {
        let node = try LiveNode(
            K0sAdapter(), program: "k0s", arguments: ["worker", "--status-socket=/nowhere/status.sock"])
        try node.put(RunningProgram.bytes(old), at: node.binary)
        try node.start(node.binary, invocation: "1")
        return node
    }

    @Test("a program that runs from the installed file")
    func untouched() throws {
        let node = try k0s()
        let running = try node.running()
        #expect(running.sources == [source(.processExecutable, old), source(.installedFile, old)])
        #expect(
            running.version == Version(old) && running.restartPending == false && running.invocationID == "1")
        let memory = node.memory
        #expect(try node.running() == running)
        #expect(node.memory == memory)
    }

    @Test("a program that was replaced while it ran is shown with its old version and a restart pending")
    func replaced() throws {
        let node = try k0s()
        _ = try node.look()
        try node.put(RunningProgram.bytes(new), at: node.binary)
        let installation = try node.look()
        #expect(installation.installed?.artifact.version == Version(new))
        #expect(installation.installed?.cause == .fileReplaced)
        #expect(installation.running?.sources == [source(.processExecutable, old)])
        #expect(installation.running?.restartPending == true)
        try node.start(node.binary, invocation: "2")
        let running = try node.running()
        #expect(running.sources == [source(.processExecutable, new), source(.installedFile, new)])
        #expect(running.restartPending == false)
    }

    @Test("a replacement that happened before the first look is seen all the same")
    func replacedBefore() throws {
        let node = try k0s()
        try node.put(RunningProgram.bytes(new), at: node.binary)
        let running = try node.running()
        #expect(running.sources == [source(.processExecutable, old)])
        #expect(running.restartPending == true)
    }

    @Test("the same bytes put there once more are no restart that is pending")
    func sameBytes() throws {
        let node = try k0s()
        try node.put(RunningProgram.bytes(old), at: node.binary)
        let running = try node.running()
        #expect(running.restartPending == false)
        #expect(running.sources == [source(.processExecutable, old), source(.installedFile, old)])
    }

    @Test("an installed file that has gone while it runs")
    func gone() throws {
        let node = try k0s()
        _ = try node.directory.write("x", to: "data/x")
        try #require(unlink(node.binary) == 0)
        let installation = try node.look()
        #expect(installation.installed?.unreadable?.hasPrefix("missing") == true)
        #expect(installation.running?.sources == [source(.processExecutable, old)])
        #expect(installation.running?.restartPending == true)
    }

    @Test(
        "a unit that does not run, or waits for its next start, has nothing running",
        arguments: ["inactive", "failed", "activating"])
    func stopped(_ state: String) throws {
        let node = try k0s()
        node.units.states = [
            "k0s-test.service": UnitObservation(name: "k0s-test.service", activeState: state)
        ]
        #expect(try node.look().running == nil)
    }

    @Test("a process that has ended meanwhile is no problem")
    func ended() throws {
        let node = try k0s()
        node.units.states = [
            "k0s-test.service": UnitObservation(
                name: "k0s-test.service", activeState: "active", mainPID: Int32.max, invocationID: "1")
        ]
        let running = try node.running()
        #expect(running.version == nil && running.sources.isEmpty && running.restartPending == nil)
    }

    @Test("a silent systemd is a problem, and the installation is still there")
    func silent() throws {
        let node = try k0s()
        node.units.silence = HostError(description: "systemd is silent")
        let findings = K0sAdapter().look(
            at: Site(root: Root("/"), units: node.units), reading: .test, memory: &node.memory)
        #expect(findings.problems == [Problem(code: "systemd-silent", text: "systemd is silent")])
        #expect(findings.installations.count == 1 && findings.installations.first?.running == nil)
    }
}

@Suite("K3s runs another program than the installed one")
struct K3sRunningTests {
    private let old = "v1.31.4+k3s1"
    private let new = "v1.32.0+k3s1"

    private func k3s(_ arguments: [String] = ["agent"]) throws -> (node: LiveNode, unpacked: String) {
        let node = try LiveNode(K3sAdapter(), program: "k3s", arguments: arguments)
        let unpacked = "\(node.directory.path)/data/data/0f3a/bin/containerd"
        try node.put(StandInProgram.k3s(old), at: node.binary)
        try node.put(RunningProgram.bytes(old), at: unpacked)
        // Times of files and starts are exact to a hundredth of a second.
        usleep(50_000)
        try node.start(unpacked, invocation: "1")
        return (node, unpacked)
    }

    @Test("the unpacked program tells the version, and so does the file that has not changed since")
    func untouched() throws {
        let running = try k3s().node.running()
        #expect(running.sources == [source(.processExecutable, old), source(.installedFile, old)])
        #expect(running.restartPending == false)
    }

    @Test("a replaced wrapper is a restart that is pending, though the unpacked program stands as it was")
    func replaced() throws {
        let (node, _) = try k3s()
        usleep(50_000)
        try node.put(StandInProgram.k3s(new), at: node.binary)
        let installation = try node.look()
        #expect(installation.installed?.artifact.version == Version(new))
        #expect(installation.running?.sources == [source(.processExecutable, old)])
        #expect(installation.running?.restartPending == true)
    }

    @Test("what it was started from is known by the wrapper's digest, whatever has taken its place since")
    func startedFrom() throws {
        let (node, _) = try k3s()
        let first = try node.look()
        #expect(first.installed?.artifact.sha256 != nil)
        #expect(first.running?.startedFrom == first.installed?.artifact)
        usleep(50_000)
        try node.put(StandInProgram.k3s(new), at: node.binary)
        #expect(try node.running().startedFrom == first.installed?.artifact)
        // A look that comes too late has not seen it.
        node.memory = ObserverMemory()
        #expect(try node.running().startedFrom == nil)
    }

    @Test("a wrapper that was copied over keeps its inode, and is a restart that is pending all the same")
    func copiedOver() throws {
        let (node, _) = try k3s()
        _ = try node.look()
        usleep(50_000)
        let before = try identity(ofFile: node.binary).inode
        try node.directory.write(StandInProgram.k3s(new), to: "copy")
        let status = try runProcess(["/bin/cp", "\(node.directory.path)/copy", node.binary], timeout: 10_000)
        try #require(status.succeeded)
        #expect(try identity(ofFile: node.binary).inode == before)
        #expect(try node.running().restartPending == true)
    }

    @Test("metadata that changed since the start do not make a restart pending, once the bytes are known")
    func touched() throws {
        let (node, _) = try k3s()
        _ = try node.look()
        usleep(50_000)
        try #require(link(node.binary, "\(node.directory.path)/spare") == 0)
        let running = try node.running()
        #expect(running.restartPending == false)
        #expect(running.sources == [source(.processExecutable, old), source(.installedFile, old)])
    }

    @Test("two sources that disagree are both kept, the API before the executable")
    func disagree() throws {
        let api = "v1.31.9+k3s1"
        let server = try ScriptedServer.tcp { _, _ in [.answer(#"{"gitVersion":"\#(api)"}"#)] }
        let (node, _) = try k3s(["server"])
        let kubeconfig = try node.directory.write(
            kubeconfigText("http://127.0.0.1:\(server.port)"), to: "k3s.yaml")
        node.units.services[0].environment["K3S_KUBECONFIG_OUTPUT"] = kubeconfig
        let running = try node.running()
        #expect(running.version == Version(api))
        #expect(
            running.sources == [
                source(.api, api), source(.processExecutable, old), source(.installedFile, old),
            ])
        #expect(server.received.map(\.target) == ["/version"])
    }

    @Test("the API is asked when the binary or the start has moved, and else remembered")
    func asked() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer(#"{"gitVersion":"v1.31.4+k3s1"}"#)] }
        let (node, unpacked) = try k3s(["server"])
        let kubeconfig = try node.directory.write(
            kubeconfigText("http://127.0.0.1:\(server.port)"), to: "k3s.yaml")
        func look() throws -> Int {
            node.units.services[0].environment["K3S_KUBECONFIG_OUTPUT"] = kubeconfig
            #expect(try node.running().sources.first == source(.api, old))
            return server.received.count
        }
        #expect(try look() == 1)
        #expect(try look() == 1)
        try node.put(StandInProgram.k3s(new), at: node.binary)
        #expect(try look() == 2)
        try node.start(unpacked, invocation: "2")
        #expect(try look() == 3)
        // A server that no longer answers has not changed its version by that.
        server.stop()
        try node.put(StandInProgram.k3s(old), at: node.binary)
        #expect(try look() == 3)
    }

    @Test("an API that hangs costs the patience and no more; what else is known stands")
    func hangs() throws {
        let server = try ScriptedServer.tcp { _, _ in [.hang] }
        let (node, _) = try k3s(["server"])
        let kubeconfig = try node.directory.write(
            kubeconfigText("http://127.0.0.1:\(server.port)"), to: "k3s.yaml")
        node.units.services[0].environment["K3S_KUBECONFIG_OUTPUT"] = kubeconfig
        #expect(try node.running().sources == [source(.processExecutable, old), source(.installedFile, old)])
    }

    @Test("an agent's API is never asked")
    func agent() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer(#"{"gitVersion":"v1.31.4+k3s1"}"#)] }
        let (node, _) = try k3s(["agent"])
        let kubeconfig = try node.directory.write(
            kubeconfigText("http://127.0.0.1:\(server.port)"), to: "k3s.yaml")
        node.units.services[0].environment["K3S_KUBECONFIG_OUTPUT"] = kubeconfig
        _ = try node.running()
        #expect(server.received.isEmpty)
    }
}

@Suite("k0s's status socket")
struct K0sStatusTests {
    private func node(_ socket: String, _ steps: [ScriptedServer.Step]) throws -> (NodeRoot, ScriptedServer) {
        let node = try NodeRoot()
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "usr/local/bin/k0s")
        try node.unit("k0sworker.service", "/usr/local/bin/k0s worker --status-socket=\(socket)")
        try node.directory.write("", to: "run/k0s/x")
        return (node, try ScriptedServer.unix("\(node.directory.path)\(socket)") { _, _ in steps })
    }

    @Test("a socket below the root says what runs")
    func answers() throws {
        let (node, server) = try node(
            "/run/k0s/other.sock", [.answer(#"{"Version":"v1.31.3+k0s.0","Pid":1,"Role":"worker"}"#)])
        let running = try #require(node.look(K0sAdapter()).installations.first?.running)
        #expect(
            running
                == Running(version: Version("v1.31.3+k0s.0"), sources: [source(.k0sStatus, "v1.31.3+k0s.0")]))
        #expect(server.received.map(\.target) == ["/status"])
    }

    @Test(
        "a socket that hangs, refuses or says something else says nothing",
        arguments: [0, 1, 2, 3])
    func silent(_ kind: Int) throws {
        let steps: [[ScriptedServer.Step]] = [
            [.hang], [.answer("{}", status: "500 Internal Server Error")], [.answer("<html>")],
            [.drip(32, everyMilliseconds: 10)],
        ]
        let (node, _) = try node("/run/k0s/status.sock", steps[kind])
        let installation = try #require(node.look(K0sAdapter()).installations.first)
        #expect(installation.running == nil)
        #expect(installation.installed?.artifact.version == Version("v1.31.4+k0s.0"))
    }
}

private func kubeconfigText(_ server: String) -> String {
    """
    apiVersion: v1
    kind: Config
    clusters: [{name: c, cluster: {server: "\(server)"}}]
    users: [{name: u, user: {}}]
    contexts: [{name: x, context: {cluster: c, user: u}}]
    current-context: x
    """
}
