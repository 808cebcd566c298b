import Glibc
import Host
import Testing

@Suite struct SecretFileTests {
    @Test("a file with a secret is read where its owner alone may", arguments: [0o600, 0o400] as [mode_t])
    func kept(mode: mode_t) throws {
        let scratch = try Scratch()
        let file = try scratch.write("secret", "name:hunter2", mode: mode)
        #expect(try readSecretFile(file, limit: 12) == Array("name:hunter2".utf8))
    }

    @Test(
        "one that others may use is refused, with what to do and without what it holds (invariant 13)",
        arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o644] as [mode_t])
    func open(mode: mode_t) throws {
        let scratch = try Scratch()
        let file = try scratch.write("secret", "name:hunter2", mode: mode)
        let error = try #require(throws: HostError.self) { try readSecretFile(file, limit: 100) }
        #expect(error.description.contains("chmod 600 \(file)"))
        #expect(!error.description.contains("hunter2"))
    }

    @Test("one that belongs to somebody else is refused", .enabled(if: geteuid() == 0, "SKIPPED: not root"))
    func foreign() throws {
        let scratch = try Scratch()
        let file = try scratch.write("secret", "x", mode: 0o600)
        try #require(chown(file, 4711, 4711) == 0)
        let error = try #require(throws: HostError.self) { try readSecretFile(file, limit: 100) }
        #expect(error.description.contains("user 4711"))
    }

    @Test("one that is too long, a directory and none at all are errors")
    func other() throws {
        let scratch = try Scratch()
        let file = try scratch.write("secret", "12345", mode: 0o600)
        #expect(throws: HostError.self) { try readSecretFile(file, limit: 4) }
        #expect(throws: HostError.self) { try readSecretFile(scratch.path, limit: 4) }
        let error = try #require(throws: HostError.self) { try readSecretFile(scratch("none"), limit: 4) }
        #expect(error.isAbsence)
    }
}
