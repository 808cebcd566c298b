import Model
import Testing

@Suite("Names of what was turned away")
struct PendingNamesTests {
    @Test("a name that is made is recognised, of that binary alone", arguments: 0..<PendingNames.attempts)
    func made(attempt: Int) {
        for modified: Int64 in [1_790_000_000, 0, -5] {
            let name = PendingNames.name(
                of: "k3s", inode: .max, size: 60_000_000, modified: modified, attempt: attempt)
            #expect(PendingNames.isName(name, of: "k3s"))
            #expect(!PendingNames.isName(name, of: "k0s") && !PendingNames.isName(name, of: "k3"))
        }
    }

    @Test(
        "whatever somebody else put there is not ours",
        arguments: [
            "", "k3s", "k3s.", "k3s.1", "k3s.1-2", "k3s.1-2-", "k3s.a-2-3", "k3s.1-2-3.", "k3s.1-2-3.0",
            "k3s.1-2-3.8", "k3s.1-2-3.11", "k3s.1-2-3~", ".k3s.1-2-3", "k3s-1.1-2-3",
            "k3s.123456789012345678901-2-3",
        ])
    func others(name: String) {
        #expect(!PendingNames.isName(name, of: "k3s"))
    }

    @Test("they are kept beside the binary")
    func directory() {
        #expect(PendingNames.directory(beside: "/opt/bin/k3s") == "/opt/bin/.holdfast-pending")
        #expect(PendingNames.directory(beside: "k3s") == ".holdfast-pending")
    }
}
