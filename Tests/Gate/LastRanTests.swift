import Gate
import Model
import Testing

@Suite("What last ran")
struct LastRanTests {
    struct Step: Sendable, CustomTestStringConvertible {
        var before: LastRanFinding
        var starts: String?
        /// Nil where nothing needs to be written.
        var after: LastRanFinding?
        var testDescription: String { "\(before) starts \(starts ?? "something unread")" }
    }

    static let unread = "an artifact that nobody has read yet has started"
    static let steps = [
        Step(before: .missing, starts: "v1.31.4+k3s1", after: .ran("v1.31.4+k3s1")),
        Step(before: .missing, starts: nil, after: .ran(nil, unproven: unread)),
        Step(before: .ran("v1.31.4+k3s1"), starts: "v1.31.4+k3s1", after: nil),
        Step(before: .ran("v1.31.4+k3s1"), starts: "v1.31.3+k3s1", after: nil),
        Step(before: .ran("v1.31.4+k3s1"), starts: "v1.31.4+k3s2", after: .ran("v1.31.4+k3s2")),
        Step(before: .ran("v1.31.4+k3s1"), starts: "v1.32.0+k3s1", after: .ran("v1.32.0+k3s1")),
        Step(before: .ran("v1.31.4+k3s1"), starts: nil, after: .ran("v1.31.4+k3s1", unproven: unread)),
        // What went unrecorded stays so until the tick has looked.
        Step(before: .ran("v1.31.4+k3s1", unproven: unread), starts: nil, after: nil),
        Step(before: .ran("v1.31.4+k3s1", unproven: unread), starts: "v1.31.4+k3s1", after: nil),
        Step(
            before: .ran("v1.31.4+k3s1", unproven: unread), starts: "v1.32.0+k3s1",
            after: .ran("v1.32.0+k3s1", unproven: unread)),
        Step(
            before: .unusable("torn"), starts: "v1.31.4+k3s1", after: .ran("v1.31.4+k3s1", unproven: "torn")),
        Step(before: .unusable("torn"), starts: nil, after: .ran(nil, unproven: unread)),
    ]

    @Test(
        "invariant 12: the record only ever rises, and doubt is never taken away by a start", arguments: steps
    )
    func beforeStart(step: Step) {
        let next = step.before.beforeStart(
            of: step.starts.flatMap { Version($0) }, dataDirectory: "/var/lib/rancher/k3s", invocationID: nil,
            now: Instant(seconds: 0))
        #expect(next.map(LastRanFinding.record) == step.after)
    }

    @Test("invariant 12: after any history, going below the highest recorded minor has an objection")
    func histories() {
        let versions: [String?] = [
            "v1.30.1+k3s1", "v1.30.9+k3s1", "v1.31.4+k3s1", "v1.32.0+k3s1", "v1.32.1+k3s2", nil,
        ]
        var seed: UInt64 = 3
        for _ in 0..<2000 {
            var finding = LastRanFinding.missing
            var highest: Version?
            var isUnread = false
            for _ in 0..<6 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let version = versions[Int((seed >> 33) % UInt64(versions.count))].flatMap { Version($0) }
                if let next = finding.beforeStart(
                    of: version, dataDirectory: "/d", invocationID: nil, now: Instant(seconds: 0))
                {
                    finding = .record(next)
                }
                if let version { highest = max(version, highest ?? version) } else { isUnread = true }
            }
            for version in versions.compactMap({ $0.flatMap { Version($0) } }) {
                let mayStart = finding.objection(toStarting: version) == nil
                let isSafe = highest.map { $0.minor <= version.minor } ?? false
                #expect(mayStart == (isSafe && !isUnread))
            }
        }
    }

    @Test("a record is read as it was written, and never when it was torn")
    func text() throws {
        for (version, reason) in [("v1.31.4+k3s1", nil), (nil, "a \n b"), ("v1.31.4+k3s1", "")]
            as [(String?, String?)]
        {
            let record = LastRan(
                dataDirectory: "/var/lib/my k3s", highest: version.flatMap { Version($0) }, unproven: reason,
                invocationID: "0123456789abcdef0123456789abcdef", at: Instant(seconds: 9))
            let bytes = Array(record.text.utf8)
            #expect(try LastRan.parse(bytes) == record)
            for index in bytes.indices {
                #expect(throws: GuardFileError.self) { try LastRan.parse(Array(bytes[..<index])) }
                var changed = bytes
                changed[index] ^= 2
                #expect(throws: GuardFileError.self) { try LastRan.parse(changed) }
            }
        }
    }

    @Test("a spool record is read as it was written, and never when it was torn")
    func spool() throws {
        let record = SpoolRecord(
            reason: .restored, unit: "k3s.service",
            installation: InstallationID(distribution: .k3s, name: "k3s"),
            at: Instant(seconds: 7), invocationID: nil, text: "two\nlines",
            restored: Artifact(version: Version("v1.31.4+k3s1"), sha256: Digest.none), pending: "/p/ü")
        let bytes = Array(record.fileText.utf8)
        #expect(try SpoolRecord.parse(bytes) == record)
        for index in bytes.indices {
            #expect(throws: GuardFileError.self) { try SpoolRecord.parse(Array(bytes[..<index])) }
        }
    }

    @Test("two data directories never share a record")
    func places() {
        let places = GatePlaces(state: "/var/lib/holdfast")
        let long = String(repeating: "x", count: 300)
        let all = ["/a/b", "/a_b", "/a b", "/ä", "/\(long)a", "/\(long)b"].map {
            places.lastRan(dataDirectory: $0)
        }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.split(separator: "/").last?.utf8.count ?? 999 < 120 })
    }
}
