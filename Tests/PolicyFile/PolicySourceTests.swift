import Host
import Model
import PolicyFile
import Ports
import Testing

@Suite("the policy's source")
struct PolicySourceTests {
    private func source(
        _ text: String?, ownership: ((String) -> String?)? = { _ in nil }
    ) -> PolicyFileSource {
        PolicyFileSource(
            path: "/etc/holdfast/policy.yaml", read: { _ in text.map { Array($0.utf8) } },
            ownership: ownership,
            isZone: isZone, identity: { _ in nil }, program: nil, hash: sum)
    }

    @Test("gives what is there: nothing, a policy, or every fault (invariant 2)")
    func readings() throws {
        #expect(source(nil).load() == .absent(file: "/etc/holdfast/policy.yaml"))
        guard case .valid(let policy) = source("apiVersion: holdfast/v1\nunattended: patch").load() else {
            Issue.record("a valid policy was not taken")
            return
        }
        #expect(policy.sources.source(of: "unattended") == "/etc/holdfast/policy.yaml:2")
        guard case .invalid(let rejection) = source("unattended: pach\norigin: x").load() else {
            Issue.record("an invalid policy was taken")
            return
        }
        #expect(rejection.errors.count == 3)
        #expect(rejection.errors.allSatisfy { $0.hasPrefix("/etc/holdfast/policy.yaml:") })
    }

    @Test("a policy that others than root can write is invalid, unless that is not asked (invariant 2)")
    func ownership() {
        let open = source("apiVersion: holdfast/v1", ownership: { "writable by group: chmod g-w \($0)" })
            .load()
        #expect(
            open
                == .invalid(
                    PolicyRejection(
                        file: "/etc/holdfast/policy.yaml",
                        errors: [
                            "/etc/holdfast/policy.yaml: writable by group: chmod g-w /etc/holdfast/policy.yaml"
                        ])))
        guard case .valid = source("apiVersion: holdfast/v1", ownership: nil).load() else {
            Issue.record("ownership was asked for")
            return
        }
    }

    @Test("a file that cannot be read is invalid, not absent")
    func unreadable() {
        let source = PolicyFileSource(
            path: "/p",
            read: { _ throws(HostError) in throw HostError(code: 13, description: "permission denied") },
            ownership: nil, isZone: isZone, identity: { _ in nil }, program: nil, hash: sum)
        #expect(source.load() == .invalid(PolicyRejection(file: "/p", errors: ["/p: permission denied"])))
    }
}

extension PolicyFileSource {
    /// Reads as a tick does that remembers nothing.
    fileprivate func load() -> PolicyReading {
        var known: KnownPolicy?
        return load(now: Instant(seconds: 1_000_000), known: &known)
    }
}

@Suite("the policy's hash is remembered with the file's identity")
struct KnownPolicyTests {
    /// A file, and how often a policy was hashed.
    private final class File {
        var text = "apiVersion: holdfast/v1\nunattended: patch"
        var identity: FileIdentity? = FileIdentity(device: 1, inode: 2, size: 3, modified: 0, changed: 0)
        var program: FileIdentity? = FileIdentity(device: 1, inode: 9, size: 9, modified: 0, changed: 0)
        var path = "/policy.yaml"
        var isWrittenWhileRead = false
        var hashes = 0
        var known: KnownPolicy?

        func load(after span: TimeSpan = .zero) -> Digest? {
            let source = PolicyFileSource(
                path: path,
                read: { [self] _ in
                    if isWrittenWhileRead { identity?.changed += 1 }
                    return Array(text.utf8)
                }, ownership: nil, isZone: isZone, identity: { [self] _ in identity }, program: program,
                hash: { [self] bytes in
                    hashes += 1
                    return sum(bytes)
                })
            let now = Instant(seconds: 1_000_000) + span
            guard case .valid(let policy) = source.load(now: now, known: &known) else { return nil }
            return policy.sha256
        }
    }

    @Test("a file that stands is hashed once, and its policy has the same hash")
    func standing() {
        let file = File()
        let first = file.load()
        #expect(first != nil && file.hashes == 1)
        #expect(file.load(after: .hours(23)) == first && file.hashes == 1)
        #expect(file.load(after: .hours(24)) == first && file.hashes == 2)
        // By a clock that was set back.
        #expect(file.load(after: .hours(-1)) == first && file.hashes == 3)
    }

    private struct Change: Sendable {
        var name: String
        var make: @Sendable (File) -> Void
    }

    @Test("whatever could mean another policy has it hashed again")
    func changes() throws {
        let changes: [Change] = [
            Change(name: "another inode") { $0.identity?.inode = 4 },
            Change(name: "another size") { $0.identity?.size = 4 },
            Change(name: "another time") { $0.identity?.changed = 1 },
            Change(name: "another path") { $0.path = "/other.yaml" },
            Change(name: "another program") { $0.program?.inode = 4 },
            Change(name: "no identity") { $0.identity = nil },
            Change(name: "no program") { $0.program = nil },
            Change(name: "written while it was read") { $0.isWrittenWhileRead = true },
        ]
        for change in changes {
            let file = File()
            _ = file.load()
            file.text += "\norigin: claimed"
            change.make(file)
            #expect(file.load() == (try read(file.text).value.sha256) && file.hashes == 2, "\(change.name)")
        }
    }

    @Test("the hash of a file that could still change unseen is not kept")
    func young() {
        let file = File()
        file.identity?.changed = 999_999_000_000_000
        _ = file.load()
        #expect(file.known == nil)
        _ = file.load(after: TimeSpan(seconds: 10))
        #expect(file.known != nil && file.hashes == 2)
        file.isWrittenWhileRead = true
        _ = file.load(after: TimeSpan(seconds: 20))
        #expect(file.known == nil)
    }

    @Test("a file that stands is still read for faults and by who can write it (invariant 2)")
    func invalid() {
        let file = File()
        _ = file.load()
        // Its zone may have gone from the machine meanwhile.
        file.text = "apiVersion: holdfast/v1\ntimezone: Europe/Gone"
        #expect(file.load() == nil)
    }
}
