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
        // Of what the ledger knows as well nothing has to be kept.
        #expect(!FileManager.default.fileExists(atPath: file + ".loose"))
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) == approved)
    }

    /// What has become of the ledger meanwhile.
    enum Ledger: CaseIterable, Sendable { case lost, older }

    @Test(
        "invariant 10: is no seed of a ledger that was lost or is older, but is kept and told, and is one once it was put back",
        arguments: Ledger.allCases, [true, false])
    func seed(ledger: Ledger, isLoose: Bool) throws {
        let node = try SampleNode(policy: withGate)
        let before = try node.listing()
        let state = node.root + "/var/lib/holdfast"
        let names = ["ledger.db", "ledger.db-wal", "ledger.db-shm"]
        if ledger == .older {
            #expect(try node.inPlace("check").code == 0)
            for name in names {
                try? FileManager.default.copyItem(
                    atPath: "\(state)/\(name)", toPath: node.directory + "/\(name)")
            }
        }
        #expect(try node.inPlace("adopt").code == 0)
        let file = state + "/guard"
        let bytes = try Data(contentsOf: URL(filePath: file))
        if isLoose { chmod(file, 0o660) }
        for name in names {
            try? FileManager.default.removeItem(atPath: "\(state)/\(name)")
            try? FileManager.default.copyItem(atPath: node.directory + "/\(name)", toPath: "\(state)/\(name)")
        }
        let checked = try node.inPlace("check")
        #expect(checked.code == 0 && checked.output.contains("guard-file-aside") == isLoose, "\(checked)")
        let status = try node.inPlace("status").output
        #expect(status.contains("not confirmed") == isLoose, "\(status)")
        if isLoose {
            let aside = file + ".loose"
            #expect(try node.inPlace("doctor").output.contains("chmod 600"))
            // Whoever takes the program away goes by this.
            let released = try node.inPlace("release")
            #expect(
                released.code == 1 && released.errors.contains("guard.loose: a guard file"), "\(released)")
            #expect(try Data(contentsOf: URL(filePath: aside)) == bytes)
            #expect(chmod(aside, 0o600) == 0 && rename(aside, file) == 0)
            #expect(try node.inPlace("check").output.contains("guard-file-aside") == false)
        }
        #expect(try node.inPlace("release").code == 0)
        #expect(try node.listing() == before)
    }
}
