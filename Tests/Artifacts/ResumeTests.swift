import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Artifacts

private let binary = program("v1.31.4+k3s1", padding: 3_000_000)
private let path = "/v1.31.4%2Bk3s1/k3s"

@Suite(
    "Downloads that are interrupted",
    .enabled(if: certificates != nil, "the openssl command is not installed"))
struct ResumeTests {
    let site: Site
    let downloads: Downloads

    init() throws {
        site = try Site()
        downloads = try Downloads()
        try site.serveK3s(ServedFile(binary))
    }

    @Test(
        "a connection that is cut, reset or stalled again and again is gone on with where it stopped",
        arguments: [[], [.reset], [.hang]] as [[ScriptedServer.Step]])
    func within(then: [ScriptedServer.Step]) throws {
        site.answer(path) { request, file, count in
            count < 3 ? file.answer(to: request, cut: 700_001, then: then) : file.answer(to: request)
        }
        #expect(try site.source().bring(wanted(), to: downloads).size == Int64(binary.count))
        #expect(downloads.bytes == binary)
        #expect(downloads.names == ["k3s-v1.31.4+k3s1-amd64"])
        let requests = site.requests(path)
        #expect(requests.count == 4)
        #expect(requests.first?.header("range") == nil)
        for request in requests.dropFirst() {
            #expect(request.header("if-range") == "\"1\"")
            #expect(request.header("range")?.hasPrefix("bytes=") == true)
        }
        #expect(requests.last?.header("range") == "bytes=2100003-" || !then.isEmpty)
    }

    @Test("what one call brought is gone on with by the next, by ETag or by time")
    func between() throws {
        for (etag, time) in [("\"a\"", nil), (nil, "Sat, 28 Nov 2026 00:00:00 GMT")] as [(String?, String?)] {
            let downloads = try Downloads()
            site.serve(ServedFile(binary, etag: etag, lastModified: time), at: path)
            let before = site.requests(path).count
            site.answer(path) { request, file, count in
                file.answer(to: request, cut: count == before ? 1_000_000 : nil)
            }
            var source = try site.source()
            source.attempts = 1
            let error = try failure { try source.bring(wanted(), to: downloads) }
            #expect(error.code == .unreachable)
            #expect(downloads.names == ["k3s-v1.31.4+k3s1-amd64.part", "k3s-v1.31.4+k3s1-amd64.part.of"])
            #expect(downloads.mode(downloads.path + ".part") == 0o600)
            _ = try source.bring(wanted(), to: downloads)
            #expect(downloads.bytes == binary)
            #expect(site.requests(path).last?.header("range") == "bytes=1000000-")
            #expect(site.requests(path).last?.header("if-range") == etag ?? time)
        }
    }

    @Test("whoever gives up keeps what came, and a draft that is whole is not asked for again")
    func stopped() throws {
        let found = try site.source().find(wanted())
        let error = try failure {
            try site.source().fetch(found, to: downloads.path) { $0.done < 500_000 }
        }
        #expect(error.code == .stopped)
        #expect(downloads.names.contains("k3s-v1.31.4+k3s1-amd64.part"))
        // As a process leaves it that is killed after the last byte.
        try downloads.directory.write(binary, to: "downloads/k3s-v1.31.4+k3s1-amd64.part")
        let before = site.requests(path).count
        _ = try site.source().fetch(found, to: downloads.path) { _ in true }
        #expect(downloads.bytes == binary)
        #expect(site.requests(path).count == before)
    }

    /// A server on which the file was replaced between two attempts, or that cannot go on.
    struct Other: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var first: ServedFile
        var then: ServedFile
    }

    static let replacement = program("v1.31.4+k3s1", padding: 3_000_000, seed: 9)
    static let others = [
        Other(
            testDescription: "another ETag", first: ServedFile(binary),
            then: ServedFile(replacement, etag: "\"2\"")),
        Other(
            testDescription: "another ETag, and a server that heeds no If-Range", first: ServedFile(binary),
            then: ServedFile(replacement, etag: "\"2\"", heedsIfRange: false)),
        Other(
            testDescription: "the same time and length, so that nobody can tell",
            first: ServedFile(binary, etag: nil, lastModified: "Sat, 28 Nov 2026 00:00:00 GMT"),
            then: ServedFile(replacement, etag: nil, lastModified: "Sat, 28 Nov 2026 00:00:00 GMT")),
        Other(
            testDescription: "a weak ETag, which proves nothing of bytes",
            first: ServedFile(binary, etag: "W/\"1\""),
            then: ServedFile(replacement, etag: "W/\"1\"")),
        Other(
            testDescription: "neither ETag nor time", first: ServedFile(binary, etag: nil),
            then: ServedFile(replacement, etag: nil)),
        Other(
            testDescription: "a server that heeds no Range", first: ServedFile(binary),
            then: ServedFile(replacement, etag: "\"2\"", heedsRange: false)),
        Other(
            testDescription: "a shorter file", first: ServedFile(binary, etag: "\"1\""),
            then: ServedFile(program("v1.31.4+k3s1", padding: 10), etag: "\"1\"")),
    ]

    @Test(
        "a release that was replaced between two attempts is never mixed with the one before",
        arguments: others)
    func replaced(row: Other) throws {
        site.serve(row.first, at: path)
        site.answer(path) { request, file, count in
            file.answer(to: request, cut: count == 0 ? 1_000_000 : nil)
        }
        var source = try site.source()
        source.attempts = 1
        _ = try failure { try source.bring(wanted(), to: downloads) }
        // The checksums are still those of the first one, as a mirror in the middle of a change has them.
        let found = try source.find(wanted())
        source.attempts = 3
        site.serve(row.then, at: path)
        let error = try failure { try source.fetch(found, to: downloads.path) { _ in true } }
        #expect(error.code == .checksum)
        #expect(error.description.contains("its bytes are sha256 \(hashBytes(row.then.bytes)?.hex ?? "-")"))
        #expect(downloads.names.isEmpty)
        // And with its checksums the new one comes whole.
        try site.serveK3s(row.then)
        #expect(try source.bring(wanted(), to: downloads).sha256 == hashBytes(row.then.bytes))
        #expect(downloads.bytes == row.then.bytes)
    }

    @Test("the bytes of one release are not gone on with as another's")
    func otherDigest() throws {
        site.answer(path) { request, file, count in
            file.answer(to: request, cut: count == 0 ? 1_000_000 : nil)
        }
        var source = try site.source()
        source.attempts = 1
        _ = try failure { try source.bring(wanted(), to: downloads) }
        try site.serveK3s(ServedFile(Self.replacement))
        _ = try source.bring(wanted(), to: downloads)
        #expect(downloads.bytes == Self.replacement)
        #expect(site.requests(path).map { $0.header("range") } == [nil, nil])
    }

    @Test(
        "a draft whose note is damaged or another's is begun anew",
        arguments: [nil, "", "holdfast download 1\nx\n"])
    func note(text: String?) throws {
        try downloads.directory.write(Array(binary.prefix(1000)), to: "downloads/k3s-v1.31.4+k3s1-amd64.part")
        if let text { try downloads.directory.write(text, to: "downloads/k3s-v1.31.4+k3s1-amd64.part.of") }
        _ = try site.source().bring(wanted(), to: downloads)
        #expect(downloads.bytes == binary)
        #expect(site.requests(path).map { $0.header("range") } == [nil])
    }

    @Test("bytes of a draft that a crash damaged cost a second download, and never more")
    func damaged() throws {
        site.answer(path) { request, file, count in
            file.answer(to: request, cut: count == 0 ? 1_000_000 : nil)
        }
        var source = try site.source()
        source.attempts = 1
        _ = try failure { try source.bring(wanted(), to: downloads) }
        try downloads.directory.write(
            [UInt8](repeating: 0, count: 1_000_000), to: "downloads/k3s-v1.31.4+k3s1-amd64.part")
        _ = try source.bring(wanted(), to: downloads)
        #expect(downloads.bytes == binary)
        #expect(site.requests(path).count == 3)
    }

    @Test("a poor line is put up with as long as it leads on, and no longer")
    func poor() throws {
        let long = program("v1.31.4+k3s1", padding: 12_000_000)
        try site.serveK3s(ServedFile(long))
        site.answer(path) { request, file, _ in file.answer(to: request, cut: 1_100_000) }
        var source = try site.source()
        source.attempts = 2
        _ = try source.bring(wanted(), to: downloads)
        #expect(downloads.bytes == long)
        #expect(site.requests(path).count == 11)
        // And one that sends the same beginning again and again.
        try site.serveK3s(ServedFile(long, etag: nil))
        let error = try failure { try source.bring(wanted("v1.31.4+k3s1"), to: try Downloads()) }
        #expect(error.code == .unreachable)
        #expect(site.requests(path).count == 13)
    }

    @Test("what was left of other artifacts is taken away, but not under a process that is at it")
    func tidy() throws {
        let names = [
            "k3s-a", "k3s-a.part", "k3s-b", "k3s-b.part", "k3s-b.part.of", "k3s-c.part", "k3s-c.part.of",
            "k3s-d.part.of",
        ]
        for name in names { try downloads.directory.write("x", to: "downloads/\(name)") }
        let busy = try PartialFile.open(downloads.directory.path + "/downloads/k3s-c.part")
        tidyDownloads(in: downloads.directory.path + "/downloads", keeping: ["k3s-a"])
        #expect(downloads.names == ["k3s-a", "k3s-a.part", "k3s-c.part", "k3s-c.part.of"])
        withExtendedLifetime(busy) {}
        tidyDownloads(in: downloads.directory.path + "/none", keeping: [])
    }
}
