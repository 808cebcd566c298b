import Host
import Model
import Ports
import ScriptedServer
import Synchronization
import Testing

@testable import Artifacts

private let binary = program("v1.31.4+k3s1", padding: 3_000_000)
private let path = "/v1.31.4%2Bk3s1/k3s"

@Suite(
    "Artifacts fetched from the web",
    .enabled(if: certificates != nil, "the openssl command is not installed"))
struct FetchTests {
    let site: Site
    let downloads: Downloads

    init() throws {
        site = try Site()
        downloads = try Downloads()
        try site.serveK3s(ServedFile(binary))
    }

    @Test("invariant 11: the bytes arrive whole, proven, flushed, for their owner alone, and not executable")
    func whole() throws {
        let seen = Mutex<[FetchProgress]>([])
        let found = try site.source().find(wanted())
        #expect(found.sha256 == hashBytes(binary))
        #expect(found.proof == .release)
        #expect(found.origin == .verified)
        #expect(found.place == site.base + path)
        let fetched = try site.source().fetch(found, to: downloads.path) { progress in
            seen.withLock { $0.append(progress) }
            return true
        }
        #expect(
            fetched
                == FetchedArtifact(
                    path: downloads.path, sha256: found.sha256, size: Int64(binary.count),
                    evidence: .goBuildInfo))
        #expect(downloads.bytes == binary)
        #expect(downloads.names == ["k3s-v1.31.4+k3s1-amd64"])
        #expect(downloads.mode(downloads.path) == 0o600)
        #expect(downloads.mode(downloads.directory.path + "/downloads") == 0o700)
        let done = seen.withLock { $0.map(\.done) }
        #expect(done == done.sorted())
        #expect(seen.withLock { $0.contains { $0.total == Int64(binary.count) } })
    }

    @Test("each architecture has its own file and its own checksum")
    func architectures() throws {
        for (architecture, name) in [(Architecture.arm64, "k3s-arm64"), (.arm, "k3s-armhf")] {
            let other = program("v1.31.4+k3s1", architecture)
            try site.serveK3s(
                ServedFile(other), name: name, checksums: "sha256sum-\(architecture.rawValue).txt")
            let fetched = try site.source().bring(wanted("v1.31.4+k3s1", architecture), to: downloads)
            #expect(fetched.sha256 == hashBytes(other))
        }
    }

    @Test("k0s's release is found among the lines of its one checksum file")
    func k0s() throws {
        let files = [Architecture.amd64, .arm64].map {
            (name: "k0s-v1.36.3+k0s.2-\($0.rawValue)", bytes: program("v1.36.3+k0s.2", $0))
        }
        let list = try checksums(
            files + [("k0s-airgap-bundle-v1.36.3+k0s.2-linux-amd64.tar", [1])], mark: "*")
        site.serve(list, at: "/v1.36.3%2Bk0s.2/sha256sums.txt")
        site.serve(ServedFile(files[1].bytes), at: "/v1.36.3%2Bk0s.2/k0s-v1.36.3%2Bk0s.2-arm64")
        let fetched = try site.source().bring(wanted("v1.36.3+k0s.2", .arm64), to: downloads)
        #expect(fetched.sha256 == hashBytes(files[1].bytes))
        #expect(fetched.evidence == .embeddedString)
    }

    @Test("redirects are followed for checksums and bytes, as GitHub sends them")
    func redirects() throws {
        let store = try Site()
        store.serve(ServedFile(binary), at: "/blob")
        let place = "\(store.base)/blob?X-Signature=hunter2"
        site.answer(path) { _, _, _ in
            [.text("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")]
        }
        #expect(try site.source().bring(wanted(), to: downloads).sha256 == hashBytes(binary))
        #expect(downloads.bytes == binary)
    }

    @Test("a redirect from https to http is refused, and where it leads is not told (invariant 13)")
    func downgrade() throws {
        let plain = try Site(isEncrypted: false)
        plain.serve(ServedFile(binary), at: "/blob")
        let place = "\(plain.base)/blob?X-Signature=hunter2"
        site.answer(path) { _, _, _ in
            [.text("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")]
        }
        let error = try failure { try site.source().bring(wanted(), to: downloads) }
        #expect(error.code == .malformed)
        #expect(error.description.contains("redirects to something other than https://"))
        #expect(!error.description.contains("hunter2"))
        #expect(plain.server.received.isEmpty)
    }

    // MARK: Proofs

    /// What is wrong with a release.
    struct Wrong: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var code: SourceFailure.Code
        var says: [String]
    }

    static let wrong = [
        Wrong(
            testDescription: "another version in the bytes", bytes: program("v1.31.3+k3s1"), code: .version,
            says: ["asked for v1.31.4+k3s1", "say v1.31.3+k3s1"]),
        Wrong(
            testDescription: "no version in the bytes", bytes: Array("#!/bin/sh\n".utf8), code: .version,
            says: ["asked for v1.31.4+k3s1", "no version", "a script"]),
        Wrong(
            testDescription: "another architecture", bytes: program("v1.31.4+k3s1", .arm64),
            code: .architecture,
            says: ["asked for amd64", "built for arm64"]),
    ]

    @Test(
        "bytes with the right checksum that are another release are deleted, and which proof failed is told",
        arguments: wrong)
    func wrongBytes(row: Wrong) throws {
        try site.serveK3s(ServedFile(row.bytes))
        let error = try failure { try site.source().bring(wanted(), to: downloads) }
        #expect(error.code == row.code)
        for text in row.says { #expect(error.description.contains(text), "\(error)") }
        #expect(downloads.names.isEmpty)
    }

    @Test("bytes that the release's checksum file does not name are deleted, and both digests are told")
    func wrongChecksum() throws {
        let other = program("v1.31.4+k3s1", padding: 10)
        site.serve(ServedFile(other), at: path)
        let error = try failure { try site.source().bring(wanted(), to: downloads) }
        #expect(error.code == .checksum)
        #expect(
            error.description.contains("the release's checksum file says \(hashBytes(binary)?.hex ?? "-")"))
        #expect(error.description.contains("its bytes are sha256 \(hashBytes(other)?.hex ?? "-")"))
        #expect(downloads.names.isEmpty)
        #expect(site.requests(path).count == 1)
    }

    @Test("a pinned digest that the release's checksum contradicts is told before anything is fetched")
    func wrongPin() throws {
        let pin = try #require(hashBytes([1]))
        let error = try failure { try site.source().find(wanted(pinned: pin)) }
        #expect(error.code == .pin)
        #expect(error.description.contains(pin.hex))
        var imported = try wanted()
        imported.imported = pin
        #expect(try failure { try site.source().find(imported) }.code == .checksum)
        #expect(site.requests(path).isEmpty)
    }

    @Test("a release without a checksum file is fetched by its pin, or by an imported checksum, alone")
    func pinAlone() throws {
        site.serve(ServedFile(binary), at: "/v1.31.4%2Bk3s1/k3s")
        let elsewhere = "\(site.base)/mirror/{version}/{file}"
        site.serve(ServedFile(binary), at: "/mirror\(path)")
        let error = try failure { try site.source(releases: elsewhere).find(wanted()) }
        #expect(error.code == .notFound)
        #expect(error.description.contains("holdfast catalog import"))
        let found = try site.source(releases: elsewhere).find(wanted(pinned: hashBytes(binary)))
        #expect(found.proof == .pin)
        let fetched = try site.source(releases: elsewhere).fetch(found, to: downloads.path) { _ in true }
        #expect(fetched.sha256 == hashBytes(binary))
    }

    // MARK: What is there already

    @Test("an artifact that is there is not fetched again, and one that was damaged is")
    func existing() throws {
        let found = try site.source().find(wanted())
        for _ in 0..<2 { _ = try site.source().fetch(found, to: downloads.path) { _ in true } }
        #expect(site.requests(path).count == 1)
        try downloads.directory.write("damaged", to: "downloads/k3s-v1.31.4+k3s1-amd64")
        _ = try site.source().fetch(found, to: downloads.path) { _ in true }
        #expect(site.requests(path).count == 2)
        #expect(downloads.bytes == binary)
    }

    @Test("another process that is at the same artifact is waited for by whoever asks, not mixed with")
    func busy() throws {
        let found = try site.source().find(wanted())
        try makeDirectories(downloads.directory.path + "/downloads")
        let other = try PartialFile.open(downloads.path + ".part")
        #expect(
            try failure { try site.source().fetch(found, to: downloads.path) { _ in true } }.code == .busy)
        withExtendedLifetime(other) {}
    }

    // MARK: Terms

    @Test("an authority that does not vouch for the server is no way to trust it")
    func authority() throws {
        let other = try #require(certificates).directory.path + "/other.crt"
        #expect(try failure { try site.source(caFile: other).find(wanted()) }.code == .untrusted)
        #expect(
            try failure { try site.source(caFile: "/nonexistent/ca.crt").find(wanted()) }.code == .untrusted)
    }

    /// A server that does not do its part.
    struct Broken: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: [ScriptedServer.Step]
        var code: SourceFailure.Code
    }

    static let broken = [
        Broken(testDescription: "busy", steps: [.answer("hunter2", status: "503 Busy")], code: .unreachable),
        Broken(testDescription: "refusing", steps: [.answer("hunter2", status: "403 No")], code: .other),
        Broken(testDescription: "gone", steps: [.answer("hunter2", status: "410 Gone")], code: .notFound),
        Broken(testDescription: "odd", steps: [.answer("hunter2", status: "299 Odd")], code: .malformed),
        Broken(testDescription: "silent", steps: [.hang], code: .unreachable),
        Broken(
            testDescription: "announcing more than any release",
            steps: [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n"),
                .drip(97, everyMilliseconds: 1),
            ],
            code: .malformed),
        Broken(
            testDescription: "sending a part that nobody asked for",
            steps: [
                .text("HTTP/1.1 206 OK\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nabcde")
            ],
            code: .unreachable),
    ]

    @Test(
        "a server that does not do its part is an error of its kind, without a token of ours (invariant 13)",
        arguments: broken)
    func failures(row: Broken) throws {
        site.answer(path) { _, _, _ in row.steps }
        var source = try site.source(releases: "\(site.base)/{version}/{file}?token=hunter2")
        source.attempts = 2
        source.questionMilliseconds = 2000
        let error = try failure { try source.bring(wanted(), to: downloads) }
        #expect(error.code == row.code)
        #expect(!error.description.contains("hunter2"))
        #expect(site.requests(path).allSatisfy { $0.target.hasSuffix("?token=hunter2") })
        site.answer("/v1.31.4%2Bk3s1/sha256sum-amd64.txt") { _, _, _ in row.steps }
        let other = try failure { try source.find(wanted()) }
        #expect(!other.description.contains("hunter2"))
    }

    @Test("checksums without end are not read to their end")
    func endless() throws {
        site.answer("/v1.31.4%2Bk3s1/sha256sum-amd64.txt") { _, _, _ in
            [.chunked([UInt8](repeating: 10, count: 2 << 20))]
        }
        #expect(try failure { try site.source().find(wanted()) }.code == .malformed)
    }
}

/// The failure of something that must fail.
func failure<Value>(_ work: () throws -> Value) throws -> SourceFailure {
    try #require(throws: SourceFailure.self) { _ = try work() }
}
