import Glibc
import Host
import Testing

private struct Row: Sendable, CustomTestStringConvertible {
    let claimant: Claimant
    let text: String
    var testDescription: String { text }
}

@Suite("Who runs this, as far as the system says")
struct ClaimantTests {
    @Test(
        "names the login before what the environment says, and both where they differ",
        arguments: [
            Row(
                claimant: Claimant(sudoUser: "ada", loginUID: 1000, uid: 0), text: "ada (login uid 1000)"),
            Row(
                claimant: Claimant(sudoUser: "bob", loginUID: 1000, uid: 0),
                text: "ada (login uid 1000, sudo says bob)"),
            Row(claimant: Claimant(sudoUser: nil, loginUID: 7, uid: 0), text: "uid 7 (login uid 7)"),
            Row(claimant: Claimant(sudoUser: "ada", loginUID: nil, uid: 0), text: "ada (sudo, uid 0)"),
            Row(claimant: Claimant(sudoUser: "", loginUID: nil, uid: 1000), text: "ada (uid 1000)"),
            // Whoever is root sets it as they like, and it ends on a screen.
            Row(
                claimant: Claimant(sudoUser: "a\u{1b}[2J\n", loginUID: nil, uid: 0),
                text: "a?[2J? (sudo, uid 0)"),
        ])
    private func text(row: Row) {
        #expect(row.claimant.text { $0 == 1000 ? "ada" : nil } == row.text)
    }

    @Test("finds root in /etc/passwd, and nobody for a number that is not there")
    func names() {
        #expect(Claimant.localName(of: 0) == "root")
        #expect(Claimant.localName(of: .max - 1) == nil)
    }

    @Test("is this process's own user, and nobody has logged in as all bits set")
    func current() {
        #expect(Claimant.current.uid == getuid())
        #expect(Claimant.current.loginUID != .max)
    }
}
