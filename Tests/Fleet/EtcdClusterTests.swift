import Fleet
import FleetSuite
import FoundationEssentials
import Glibc
import Model
import Ports
import ScriptedServer
import Testing
import Web

@Suite(
    "A real etcd", .serialized, .enabled(if: EtcdCluster.isHere, "\(EtcdCluster.skipped)"))
struct EtcdClusterTests {
    private let key = FleetKey(.rollout, "k3s")

    @Test(
        "one of three members is killed in the midst of it, and no change is lost or made twice (invariant 4)"
    )
    func memberKilled() throws {
        let etcd = try EtcdCluster(members: 3)
        try etcd.makeUsers()
        let store = try etcd.store(timeoutMilliseconds: 5000)
        _ = try store.create(key, "0")
        var done = 0
        var tries = 0
        while done < 30, tries < 300 {
            tries += 1
            if done == 10 { etcd.kill(0) }
            do throws(FleetFailure) {
                guard let read = try store.get(key) else { break }
                // After a lost reply the value says whether it was made.
                #expect([done, done + 1].map(String.init).contains(read.text))
                done = Int(read.text) ?? -1
                if done == 30 { break }
                _ = try store.put(key, "\(done + 1)", ifRevision: read.revision)
                done += 1
            } catch { #expect(error.code == .unanswered, "\(error)") }
        }
        #expect(try store.get(key)?.text == "30")
    }

    @Test("without a majority nothing is read that might be old, and nothing is written (invariant 2)")
    func majorityLost() throws {
        let etcd = try EtcdCluster(members: 3)
        let store = try etcd.store(timeoutMilliseconds: 3000)
        let revision = try store.create(key, "1")
        etcd.kill(0)
        etcd.kill(1)
        for ask in [
            { _ = try store.get(key) }, { _ = try store.list(.rollout) },
            { _ = try store.put(key, "2", ifRevision: revision) },
        ] as [() throws -> Void] {
            let failure = try #require(throws: FleetFailure.self) { try ask() }
            #expect([.unanswered, .unavailable].contains(failure.code), "\(failure)")
        }
    }

    @Test("a cluster that was restored shows an older generation, and what was read since does not hold")
    func restored() throws {
        let etcd = try EtcdCluster(members: 3)
        try etcd.makeUsers()
        let book = FleetBook(try etcd.store(timeoutMilliseconds: 6000))
        let first = try book.put(.sample(generation: 1), over: nil)
        let second = try book.put(.sample(generation: 2), over: first)
        try etcd.saveSnapshot()
        let third = try book.put(.sample(generation: 3), over: second)
        try book.quarantine(.sample(bytes: "revision:7"), isNew: true)
        try etcd.restoreSnapshot()
        // To the token of a later state etcd may say nothing; the next call has another.
        do throws(FleetFailure) { _ = try book.rollout(of: .k3s) } catch {
            #expect(error.code == .unanswered)
        }
        let found = try #require(try book.rollout(of: .k3s))
        #expect(found == second)
        #expect(try book.quarantine() == [])
        expect(.conflict) { try book.put(.sample(generation: 4), over: third) }
        #expect(try book.rollout(of: .k3s)?.value.generation == 2)
        #expect(try book.put(.sample(generation: 4), over: found).value.generation == 4)
    }

    @Test("a token that a restart made void is renewed, for a change too")
    func restarted() throws {
        let etcd = try EtcdCluster(members: 1)
        try etcd.makeUsers()
        let store = try etcd.store()
        let revision = try store.create(key, "1")
        try etcd.restart(0)
        let next = try store.put(key, "2", ifRevision: revision)
        // A change of rights makes tokens too old as well.
        try etcd.control("role", "grant-permission", "fleet", "--prefix=true", "read", "/elsewhere/")
        #expect(try store.get(key) == FleetValue(text: "2", revision: next))
    }

    @Test("who is refused is told why and what to do, without the password (invariant 13)")
    func refused() throws {
        let etcd = try EtcdCluster(members: 1)
        let early = try etcd.store(userFile: try etcd.writeUser("holdfast:hunter2", to: "early"))
        let asksNobody = try #require(throws: FleetFailure.self) { try early.get(key) }
        #expect(asksNobody.code == .forbidden && asksNobody.description.contains("auth enable"))
        try etcd.makeUsers()

        let nobody = try EtcdFleetStore(endpoints: etcd.endpoints, caFile: etcd.authority)
        let noUser = try #require(throws: FleetFailure.self) { try nobody.get(key) }
        #expect(noUser.code == .forbidden && noUser.description.contains("fleet.userFile"))

        let user = "\(etcd.directory.path)/other"
        for (text, mode, word) in [
            ("holdfast:wrong-hunter2", 0o600, "NAME:PASSWORD"), ("nobody:hunter2", 0o600, "NAME:PASSWORD"),
            ("hunter2", 0o600, "NAME:PASSWORD"), (":hunter2", 0o600, "NAME:PASSWORD"),
            ("holdfast:hunter2\nhunter2:x", 0o600, "NAME:PASSWORD"),
            ("holdfast:\(EtcdCluster.userPassword)", 0o640, "chmod 600"),
        ] as [(String, mode_t, String)] {
            try etcd.writeUser(text, mode: mode, to: "other")
            let failure = try #require(throws: FleetFailure.self) { try etcd.store(userFile: user).get(key) }
            #expect(failure.code == .forbidden, "\(failure)")
            #expect(failure.description.contains(word) && failure.description.contains(user), "\(failure)")
            #expect(!failure.description.contains("hunter2"))
        }

        try etcd.control("role", "revoke-permission", "fleet", "--prefix=true", "/holdfast/")
        let noRight = try #require(throws: FleetFailure.self) { try etcd.store().get(key) }
        #expect(noRight.code == .forbidden && noRight.description.contains("grant-permission"))
        expect(.forbidden) { try etcd.store().create(key, "1") }
    }

    @Test("a member that another authority vouches for is not spoken to")
    func untrusted() throws {
        let etcd = try EtcdCluster(members: 1)
        let other = "\(etcd.certificates.directory.path)/other.crt"
        for file in [other, "\(etcd.directory.path)/none.crt"] {
            expect(.forbidden) { try etcd.store(caFile: file).get(key) }
            expect(.forbidden) { try etcd.store(caFile: file).create(key, "1") }
        }
        #expect(try etcd.store().get(key) == nil)
    }

    @Test("ten thousand nodes are one list, whole and in order")
    func many() throws {
        struct Fill: Encodable {
            struct Operation: Encodable { var request_put: [String: String] }
            var success: [Operation]
        }
        let etcd = try EtcdCluster(members: 1)
        let names = (0..<10_000).map { "n\(100_000 + $0)" }
        let client = HTTPClient(
            .origin(etcd.endpoint(0)), tls: TLSSettings(authorities: .file(etcd.authority)),
            timeoutMilliseconds: 20_000)
        // A record's usual length.
        let value = Data(String(repeating: "x", count: 700).utf8).base64EncodedString()
        // As many operations as etcd takes at once.
        for start in stride(from: 0, to: names.count, by: 125) {
            let fill = Fill(
                success: names[start..<(start + 125)].map {
                    .init(request_put: [
                        "key": Data("/holdfast/node/\($0)".utf8).base64EncodedString(), "value": value,
                    ])
                })
            let body = Array(try JSONEncoder().encode(fill))
            let response = try client.send(HTTPRequest(.post, "/v3/kv/txn", body: body))
            try #require(response.status == 200)
        }
        // Of other kinds, on both sides.
        let store = try etcd.store(timeoutMilliseconds: 60_000)
        _ = try store.create(FleetKey(.checkpoint, "a"), "1")
        _ = try store.create(FleetKey(.quarantine, "a"), "1")
        let listed = try store.list(.node)
        #expect(listed.map(\.key.name) == names)
        #expect(listed.allSatisfy { $0.value.text.utf8.count == 700 })
    }

    @Test("values that are too large for one answer together come in smaller pages")
    func large() throws {
        let etcd = try EtcdCluster(members: 1)
        let store = try etcd.store(timeoutMilliseconds: 60_000)
        let text = String(repeating: "x", count: 400 << 10)
        for number in 10..<40 { _ = try store.create(FleetKey(.archive, "a\(number)"), text) }
        let listed = try store.list(.archive)
        #expect(listed.map(\.key.name) == (10..<40).map { "a\($0)" })
        #expect(listed.allSatisfy { $0.value.text == text })
    }
}
