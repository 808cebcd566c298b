import FoundationEssentials
import Glibc
import GoPrograms
import Model
import Testing

@testable import Host

private let program = ELFWriter(readOnlyData: linked("v1.31.4+k3s1")).bytes()
private let newer = ELFWriter(readOnlyData: linked("v1.32.0+k3s1")).bytes()

/// An hour from now, so that a file written by a test is old enough.
private let later = Instant(seconds: Int64(time(nil)) + 3600)

@Suite struct InspectTests {
    struct Judgement: Sendable, CustomTestStringConvertible {
        var what: String
        var known: KnownFile?
        var identity = InspectTests.identity()
        var now = Instant(seconds: 1_000_000)
        var judgement: FileJudgement
        var testDescription: String { what }
    }

    static func identity(inode: Int64 = 7, size: Int64 = 100, modified: Int64 = 1, changed: Int64 = 2)
        -> FileIdentity
    {
        FileIdentity(device: 1, inode: inode, size: size, modified: modified, changed: changed)
    }

    static func known(hashedAt: Int64 = 1_000_000, hasHash: Bool = true) -> KnownFile {
        KnownFile(
            path: "/k3s", identity: identity(), sha256: hasHash ? Digest.none : nil,
            version: Version("v1.31.4+k3s1"),
            evidence: .goBuildInfo, unreadable: nil, architecture: .amd64,
            hashedAt: Instant(seconds: hashedAt))
    }

    static let judgements = [
        Judgement(what: "nothing is known", known: nil, judgement: .read(.unknown)),
        Judgement(what: "the same file", known: known(), judgement: .stands),
        Judgement(
            what: "replaced", known: known(), identity: identity(inode: 8), judgement: .read(.identity)),
        Judgement(what: "longer", known: known(), identity: identity(size: 101), judgement: .read(.identity)),
        Judgement(
            what: "written", known: known(), identity: identity(modified: 9), judgement: .read(.identity)),
        Judgement(
            what: "written, and its time set back", known: known(), identity: identity(changed: 9),
            judgement: .read(.identity)),
        Judgement(what: "too young last time", known: known(hasHash: false), judgement: .read(.noHash)),
        Judgement(
            what: "a second before a day", known: known(hashedAt: 1_000_000 - 86_399), judgement: .stands),
        Judgement(what: "after a day", known: known(hashedAt: 1_000_000 - 86_400), judgement: .read(.age)),
        Judgement(what: "hashed in the future", known: known(hashedAt: 1_000_001), judgement: .read(.age)),
        Judgement(what: "hashed at the end of time", known: known(hashedAt: .max), judgement: .read(.age)),
        Judgement(what: "hashed at the start of time", known: known(hashedAt: .min), judgement: .read(.age)),
    ]

    @Test("what is known stands only for the same file, hashed within a day", arguments: judgements)
    func judged(example: Judgement) {
        #expect(
            judge(known: example.known, identity: example.identity, now: example.now) == example.judgement)
    }

    @Test(
        "a hash is kept only with equal times before and after, and more than two seconds after the last change"
    )
    func keeping() {
        func keeps(changed: Int64, now: Int64, after: FileIdentity? = nil) -> Bool {
            let before = Self.identity(changed: changed)
            return mayKeepHash(before: before, after: after ?? before, now: Instant(seconds: now))
        }
        #expect(keeps(changed: 7_999_999_999, now: 10))
        #expect(!keeps(changed: 8_000_000_000, now: 10))
        #expect(!keeps(changed: 11_000_000_000, now: 10))
        #expect(!keeps(changed: .max, now: .max))
        #expect(!keeps(changed: .max, now: 10))
        #expect(!keeps(changed: 1, now: 10, after: Self.identity(changed: 2)))
    }

    @Test("a file that stands is not opened; one that was touched is read again")
    func steady() throws {
        let scratch = try Scratch()
        let path = try scratch.write("k3s", program, mode: 0o755)
        let first = try inspect(path, distribution: .k3s, known: nil, now: later)
        #expect(first.wasRead)
        #expect(first.known.version == Version("v1.31.4+k3s1"))
        #expect(first.known.sha256 == first.sha256)
        #expect(first.sha256 != nil)
        #expect(first.known.hashedAt == later)

        let second = try inspect(path, distribution: .k3s, known: first.known, now: later + .hours(23))
        #expect(!second.wasRead)
        #expect(second.known == first.known)
        #expect(second.sha256 == first.sha256)

        let daily = try inspect(path, distribution: .k3s, known: first.known, now: later + .days(1))
        #expect(daily.wasRead)
        #expect(daily.sha256 == first.sha256)
        #expect(daily.known.hashedAt == later + .days(1))

        #expect(chmod(path, 0o700) == 0)
        #expect(try inspect(path, distribution: .k3s, known: first.known, now: later).wasRead)
    }

    @Test("a file that was changed just now is hashed for this look and not for the next")
    func young() throws {
        let scratch = try Scratch()
        let path = try scratch.write("k3s", program)
        let look = try inspect(path, distribution: .k3s, known: nil, now: Instant(seconds: Int64(time(nil))))
        #expect(look.sha256 != nil)
        #expect(look.known.sha256 == nil)
        #expect(try inspect(path, distribution: .k3s, known: look.known, now: later).wasRead)
    }

    @Test("a file that is written to while it is hashed is neither the one nor the other")
    func writtenMeanwhile() throws {
        let scratch = try Scratch()
        let path = try scratch.write("k3s", program)
        let look = try inspect(path, distribution: .k3s, now: later) {
            let file = try #require(fopen(path, "r+"))
            fputs("x", file)
            fclose(file)
        }
        #expect(look.sha256 == nil)
        #expect(look.known.sha256 == nil)
        #expect(look.known.version == nil)
        #expect(look.known.unreadable == "it was written to while it was read")
    }

    @Test(
        "a file that is replaced while it is hashed is described as it was, and read again at the next look")
    func replacedMeanwhile() throws {
        let scratch = try Scratch()
        let path = try scratch.write("k3s", program)
        try scratch.write("new", newer)
        let look = try inspect(path, distribution: .k3s, now: later) { _ = rename(scratch("new"), path) }
        let next = try inspect(path, distribution: .k3s, known: look.known, now: later)
        #expect(next.wasRead)
        #expect(next.known.version == Version("v1.32.0+k3s1"))
        #expect(next.sha256 != nil)
    }

    @Test("an unreadable program has a digest all the same, and what is no file is an error")
    func unreadable() throws {
        let scratch = try Scratch()
        let look = try inspect(
            scratch.write("k3s", "#!/bin/sh\n"), distribution: .k3s, known: nil, now: later)
        #expect(look.known.evidence == .unreadable)
        #expect(look.known.unreadable == "a script, not a program")
        #expect(look.sha256?.hex.isEmpty == false)
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        for name in ["pipe", "none"] {
            #expect(throws: HostError.self) {
                try inspect(scratch(name), distribution: .k3s, known: nil, now: later)
            }
        }
        #expect(
            readArtifact(at: scratch("pipe"), distribution: .k3s).unreadable?.contains("regular file") == true
        )
    }

    @Test("a file's digest is what sha256sum says", arguments: [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000])
    func digest(length: Int) throws {
        let scratch = try Scratch()
        let path = try scratch.write("file", (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 17) })
        let outcome = try runProcess(["/usr/bin/sha256sum", path], timeout: 60_000)
        #expect(String(decoding: outcome.output.prefix(64), as: UTF8.self) == (try hashFile(path)).hex)
    }
}
