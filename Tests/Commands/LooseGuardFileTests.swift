import FoundationEssentials
import Glibc
import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

@Suite("a guard file that others may write, as a restore or chmod -R leaves it (invariant 1)")
struct LooseGuardFileTests {
    private func adopted() throws -> (node: SampleNode, file: String) {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try node.start() == 0)
        return (node, node.root + "/var/lib/holdfast/guard")
    }

    @Test(
        "is told as one that the gate does not go by, and a tick writes it anew", arguments: [0o660, 0o646])
    func rewritten(mode: Int) throws {
        let (node, file) = try adopted()
        let approved = try hashFile(node.binary)
        let gate = node.root + "/usr/local/bin/holdfast-gate"
        try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: gate))
        chmod(gate, 0o755)
        chmod(file, mode_t(mode))
        let paths = try node.inPlace("status", "--paths").output
        #expect(paths.contains("others than root may write it"), "\(paths)")
        #expect(try node.inPlace("check").code == 0)
        var status = stat()
        #expect(lstat(file, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) == approved)
    }

    @Test("is no seed of a ledger that was lost", arguments: [true, false])
    func seed(isLoose: Bool) throws {
        let (node, file) = try adopted()
        if isLoose { chmod(file, 0o660) }
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            _ = try? FileManager.default.removeItem(atPath: "\(node.root)/var/lib/holdfast/\(name)")
        }
        #expect(try node.inPlace("check").code == 0)
        let status = try node.inPlace("status").output
        #expect(status.contains("not confirmed") == isLoose, "\(status)")
    }
}
