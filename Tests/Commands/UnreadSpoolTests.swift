import Host
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

@Suite(
    "what the gate left and the kernel does not give",
    .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"))
struct UnreadSpoolTests {
    @Test(
        "waits where it is, is told, and keeps nothing else from the ledger", arguments: ["openat", "lstat"])
    func waits(call: String) throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        for version in ["v1.32.1+k3s1", "v1.32.2+k3s1", "v1.32.3+k3s1"] {
            try node.install(version)
            #expect(try node.start() == 0)
        }
        let spool = "/var/lib/holdfast/spool"
        let left = try listDirectory(node.root + spool)
        try #require(left.count == 3)
        let calls = call == "lstat" ? "newfstatat,lstat" : call
        let answer = try node.check(refusing: calls, of: "\(spool)/\(left[0])", with: "EIO")
        let codes = try answer.json(CheckAnswer.self).problems.map(\.code)
        #expect(codes.contains("spool-unreadable"), "\(answer)")
        #expect(try listDirectory(node.root + spool) == [left[0]])
        #expect(try node.inPlace("check").code == 0)
        #expect(try listDirectory(node.root + spool) == [])
        #expect(try node.verified().code == 0)
    }
}
