import FoundationEssentials
import Testing

/// Boots a node before a suite begins and stops it when the suite is over.
struct BootedNode: SuiteTrait, TestScoping {
    /// What a node is made from.
    enum Image: String {
        case plain, snapd
        /// The Debian before.
        case old
    }

    @TaskLocal fileprivate static var current: LabNode?
    let image: Image
    /// What of the lab is to be made before, where it is not there yet.
    let distributions: [String]
    /// Whether it gets no program of ours: a test installs what it needs.
    var isBare = false

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        // The first time this takes minutes: it makes the images and builds the stand-ins.
        for distribution in distributions { try await Lab.run(["prepare", distribution], seconds: 540) }
        // Suites run beside each other, and one must not stop the node of another.
        let own = String(UInt16.random(in: .min ... .max), radix: 16)
        let node = LabNode(name: "hf-\(image.rawValue)-\(ProcessInfo.processInfo.processIdentifier)-\(own)")
        try Lab.afterThisProcess("stop", node.name)
        await NodeSlots.shared.take(1)
        defer { Task { await NodeSlots.shared.give(1) } }
        do {
            try await Lab.run(["boot", node.name, "--image", image.rawValue], seconds: 120)
            if !isBare { try await node.put(Lab.program ?? "", at: "/usr/bin/holdfast") }
            try await Self.$current.withValue(node) { try await function() }
        } catch {
            _ = try? await Lab.run(["stop", node.name])
            throw error
        }
        try await Lab.run(["stop", node.name])
    }
}

extension Trait where Self == BootedNode {
    /// The suite runs on a node of its own.
    static func node(_ image: BootedNode.Image, with distributions: String...) -> Self {
        BootedNode(image: image, distributions: distributions)
    }

    /// The suite runs on a fresh node of its own, with nothing of ours on it.
    static func bareNode(_ image: BootedNode.Image, with distributions: String...) -> Self {
        BootedNode(image: image, distributions: distributions, isBare: true)
    }
}

/// A running node.
struct LabNode {
    let name: String

    /// The node of the suite that this test is in.
    static var current: LabNode {
        get throws { try #require(BootedNode.current, "this suite has no node") }
    }

    /// Runs a program in the node; whatever it answers.
    func ask(_ words: String..., seconds: Int = 60) async throws -> Answer {
        try await Lab.ask(["run", name] + words, seconds: seconds)
    }

    /// Runs a script in the node, which must succeed, and gives what it printed.
    @discardableResult
    func run(_ script: String, _ arguments: String..., seconds: Int = 60) async throws -> String {
        try await Lab.run(["run", name, "sh", "-euc", script, "sh"] + arguments, seconds: seconds)
    }

    /// Waits until a condition holds in the node.
    func wait(until condition: String, seconds: Int = 30) async throws {
        try await Lab.run(
            ["run", name, "timeout", String(seconds), "sh", "-c", "until \(condition); do sleep 0.1; done"],
            seconds: seconds + 30)
    }

    /// Runs a verb of the lab on this node.
    @discardableResult
    func lab(_ verb: String, _ words: String..., seconds: Int = 90) async throws -> String {
        try await Lab.run([verb, name] + words, seconds: seconds)
    }

    /// Copies a file of this machine into the node.
    func put(_ file: String, at path: String) async throws {
        try await Lab.run(["copy", name, file, path])
    }

    /// Writes a text file in the node, as root alone may.
    func write(_ text: String, to path: String) async throws {
        try await run("mkdir -p \"${1%/*}\"; printf %s \"$2\" >\"$1\"", path, text)
    }

    /// Starts a unit anew and waits until it is up.
    func restart(_ unit: String) async throws {
        try await run("systemctl reset-failed \"$1\" || true; timeout 30 systemctl restart \"$1\"", unit)
    }
}
