import FoundationEssentials
import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

extension SampleNode {
    /// Runs a tick to which the kernel never gives one path of the node.
    func check(refusing call: String, of path: String, with error: String) throws -> Answer {
        try traced(
            ["check", "--output", "json"],
            ["-P", root + path, "-e", "trace=\(call)", "-e", "inject=\(call):error=\(error)"])
    }
}

/// A call by which the unit is reached, and why it fails.
struct UnreadUnit: Sendable, CustomTestStringConvertible {
    var call = "openat"
    var path = "/etc/systemd/system/k3s.service"
    var error: String
    var testDescription: String { "\(call) \(path) \(error)" }

    static let all = [
        // What damaged metadata, full tables, a limit of memory and a disk answer.
        UnreadUnit(error: "EUCLEAN"), UnreadUnit(error: "EBADMSG"), UnreadUnit(error: "ENFILE"),
        UnreadUnit(error: "ENOMEM"),
        UnreadUnit(call: "readlink", path: "/etc/systemd/system/k3s.service.d", error: "EIO"),
    ]
    /// Root is refused by a security module, others by the mode of a file.
    static let ofRoot = UnreadUnit(error: "EACCES")
}

@Suite(
    "a unit file that the kernel does not give (invariants 1 and 3)",
    .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
struct UnreadUnitTests {
    @Test(
        "is told as one that cannot be read, and not as one that is gone: every guard stays where it is",
        arguments: UnreadUnit.all + (Machine.effectiveUser == 0 ? [UnreadUnit.ofRoot] : []))
    func refused(unread: UnreadUnit) throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        let whole = try node.listing()
        let answer = try node.check(refusing: unread.call, of: unread.path, with: unread.error)
        let codes = try answer.json(CheckAnswer.self).problems.map(\.code)
        #expect(codes.contains("units-unreadable") && !codes.contains("installation-unseen"), "\(answer)")
        #expect(try node.listing() == whole, "\(answer)")
        #expect(try node.inPlace("check").code == 0)
        #expect(try node.inPlace("status").output.contains("not confirmed") == false)
        #expect(try node.listing() == whole)
    }

    @Test("one of another service hides nothing of the installation: what changes is still seen")
    func another() throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        let other = "/etc/systemd/system/other.service"
        try Data("[Service]\nExecStart=/bin/true\n".utf8).write(to: URL(filePath: node.root + other))
        try node.install("v1.32.1+k3s1")
        let answer = try node.check(refusing: "openat", of: other, with: "EIO")
        let seen = try answer.json(CheckAnswer.self)
        #expect(seen.problems.map(\.code).contains("units-unreadable"), "\(answer)")
        #expect(seen.installations.first?.changes.map(\.to) == ["v1.32.1+k3s1"], "\(answer)")
        #expect(try node.inPlace("check", "--output", "json").json(CheckAnswer.self).problems.isEmpty)
    }

    @Test("nor does it hide a service that runs an installer")
    func installer() throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        let other = "/etc/systemd/system/other.service"
        for (path, command) in [
            (other, "/bin/true"),
            ("/etc/systemd/system/update-k3s.service", "/bin/sh -c 'curl -sfL https://get.k3s.io | sh -'"),
        ] {
            try Data("[Service]\nExecStart=\(command)\n".utf8).write(to: URL(filePath: node.root + path))
        }
        let answer = try node.traced(
            ["doctor"], ["-P", node.root + other, "-e", "trace=openat", "-e", "inject=openat:error=EIO"])
        #expect(answer.output.contains("installer-scheduled"), "\(answer)")
    }
}
