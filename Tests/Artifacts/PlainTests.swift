import Glibc
import Host
import Model
import Ports
import ScriptedServer
import Testing
import Web

@testable import Artifacts

private let binary = program("v1.31.4+k3s1", padding: 3_000_000)
private let path = "/v1.31.4%2Bk3s1/k3s"

@Suite("Artifacts fetched by plain HTTP")
struct PlainTests {
    let site: Site
    let downloads: Downloads

    init() throws {
        site = try Site(isEncrypted: false)
        downloads = try Downloads()
        try site.serveK3s(ServedFile(binary))
    }

    @Test("without a pinned or imported digest nothing is asked for, and the error says what to do")
    func unproven() throws {
        let error = try failure { try site.source().find(wanted()) }
        #expect(error.code == .untrusted)
        #expect(error.description.contains("not encrypted"))
        #expect(error.description.contains("pin: {digest: {amd64: …}}"))
        #expect(error.description.contains("holdfast catalog import"))
        #expect(site.server.received.isEmpty)
    }

    @Test("with one the bytes are fetched, and nothing that the server says of them counts")
    func pinned() throws {
        site.serve("tampered with", at: "/v1.31.4%2Bk3s1/sha256sum-amd64.txt")
        let found = try site.source().find(wanted(pinned: hashBytes(binary)))
        #expect(found.proof == .pin)
        #expect(try site.source().fetch(found, to: downloads.path) { _ in true }.sha256 == hashBytes(binary))
        var imported = try wanted()
        imported.imported = hashBytes(binary)
        #expect(try site.source().find(imported).proof == .imported)
        #expect(site.server.received.map { $0.target.split(separator: "/").last } == ["k3s"])
    }

    @Test("bytes that are not the pinned ones are deleted, and the pin is named")
    func otherBytes() throws {
        let pin = try #require(hashBytes([1]))
        let error = try failure { try site.source().bring(wanted(pinned: pin), to: downloads) }
        #expect(error.code == .pin)
        #expect(error.description.contains("the pinned digest says \(pin.hex)"))
        #expect(error.description.contains(hashBytes(binary)?.hex ?? "-"))
        #expect(downloads.names.isEmpty)
    }

    @Test("the policy's proxy is asked for everything")
    func proxy() throws {
        let mirror = site
        let file = ServedFile(binary)
        let proxy = try ScriptedServer.tcp { request, _ in file.answer(to: request) }
        let source = try mirror.source(proxy: "http://127.0.0.1:\(proxy.port)")
        _ = try source.bring(wanted(pinned: hashBytes(binary)), to: downloads)
        #expect(proxy.received.map(\.target) == [mirror.base + path])
        #expect(mirror.server.received.isEmpty)
        #expect(downloads.bytes == binary)
    }

    @Test("the environment's proxies are heeded where the policy names none, as usual tools do")
    func environment() throws {
        let url = try SourceURL(site.base)
        var settings = ArtifactSource()
        #expect(WebReleases(settings).client(url).usesEnvironmentProxies)
        #expect(WebReleases(settings).client(url).proxy == nil)
        settings.proxy = "http://proxy:3128"
        #expect(!WebReleases(settings).client(url).usesEnvironmentProxies)
        #expect(WebReleases(settings).client(url).proxy == "http://proxy:3128")
    }

    @Test("what the disk would not hold is not begun, and the figures are told")
    func space() throws {
        var source = try site.source(reserve: 1 << 60)
        let error = try failure { try source.bring(wanted(pinned: hashBytes(binary)), to: downloads) }
        #expect(error.code == .space)
        #expect(error.description.contains("2.9 MiB for k3s and 1099511627776.0 MiB to stay free are needed"))
        // By how much.
        #expect(error.description.contains(" MiB too little: "))
        #expect(downloads.bytes == nil)
        source.reserve = .max
        #expect(
            try failure { try source.bring(wanted(pinned: hashBytes(binary)), to: downloads) }.code == .space)
    }
}

/// A file system of two megabytes; nil where we may not mount one.
private final class SmallDisk {
    let directory: TemporaryDirectory

    init?() {
        guard geteuid() == 0, let directory = try? TemporaryDirectory(),
            mount("tmpfs", directory.path, "tmpfs", UInt(MS_NOSUID), "size=2m") == 0
        else { return nil }
        self.directory = directory
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }

    static let canBeMade = SmallDisk() != nil
}

@Suite(
    "A disk that is full", .enabled(if: SmallDisk.canBeMade, "NOT TESTED: a small file system needs root"))
struct FullDiskTests {
    @Test(
        "a disk that fills up while the bytes come is told, with what to do, and what came is kept for later")
    func full() throws {
        let disk = try #require(SmallDisk())
        let site = try Site(isEncrypted: false)
        try site.serveK3s(ServedFile(binary))
        let to = "\(disk.directory.path)/downloads/k3s"
        let wanted = try wanted(pinned: hashBytes(binary))
        let source = try site.source()
        // The length is known before.
        let found = try source.find(wanted)
        let before = try failure { try source.fetch(found, to: to) { _ in true } }
        #expect(before.code == .space)
        #expect(
            before.description.contains("2.0 MiB are free") || before.description.contains("1.9 MiB are free")
        )
        // And where it is not.
        site.answer(path) { _, file, _ in [.chunked(file.bytes)] }
        let during = try failure { try source.fetch(found, to: to) { _ in true } }
        #expect(during.code == .space)
        #expect(during.description.hasSuffix("make room there"))
        #expect(try listDirectory("\(disk.directory.path)/downloads").contains("k3s.part"))
    }

    @Test("a copy from this machine that fills the disk leaves nothing")
    func copy() throws {
        let disk = try #require(SmallDisk())
        let directory = try TemporaryDirectory()
        let source = FileRelease(try directory.write(binary, to: "k3s"), reserve: 0)
        let to = "\(disk.directory.path)/downloads/k3s"
        let error = try failure { try source.fetch(source.find(source.identify()), to: to) { _ in true } }
        #expect(error.code == .space)
        #expect(try listDirectory("\(disk.directory.path)/downloads") == [])
    }
}
