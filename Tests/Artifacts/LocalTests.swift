import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Artifacts

private let k3s = program("v1.31.4+k3s1", padding: 2_000_000)

@Suite("Releases in a directory")
struct DirectoryTests {
    let directory: TemporaryDirectory
    let downloads: Downloads

    init() throws {
        directory = try TemporaryDirectory()
        downloads = try Downloads()
    }

    private func source(channel: String = "") -> DirectoryReleases {
        var settings = ArtifactSource()
        settings.releases = directory.path
        settings.channel = channel
        return DirectoryReleases(settings, reserve: 0)
    }

    @Test("a subdirectory a version, by its name or as it stands in a URL", arguments: ["+", "%2B"])
    func folders(plus: String) throws {
        for text in ["v1.31.4", "v1.32.0", "v1.31.10"] {
            let bytes = program("\(text)+k3s1", .arm64)
            try directory.write(bytes, to: "\(text)\(plus)k3s1/k3s-arm64")
            try directory.write(
                checksums([("k3s-arm64", bytes)]), to: "\(text)\(plus)k3s1/sha256sum-arm64.txt")
        }
        try directory.write("empty", to: "v1.33.0\(plus)k3s1/README")
        #expect(
            try source().releases(of: .k3s)
                == ["v1.32.0+k3s1", "v1.31.10+k3s1", "v1.31.4+k3s1"].map(version))
        #expect(try source().releases(of: .k0s) == [])
        let found = try source().find(wanted("v1.31.10+k3s1", .arm64))
        #expect(found.proof == .release)
        #expect(found.size == Int64(program("v1.31.10+k3s1", .arm64).count))
        let fetched = try source().fetch(found, to: downloads.path) { _ in true }
        #expect(downloads.bytes == program("v1.31.10+k3s1", .arm64))
        #expect(downloads.mode(fetched.path) == 0o600)
        #expect(try failure { try source().find(wanted("v1.31.10+k3s1", .amd64)) }.code == .notFound)
    }

    @Test("K3s flat: its bytes say which release it is, whose checksums lie beside it")
    func flatK3s() throws {
        try directory.write(k3s, to: "k3s")
        try directory.write(checksums([("k3s", k3s)]), to: "sha256sum-amd64.txt")
        #expect(try source().releases(of: .k3s) == [version("v1.31.4+k3s1")])
        #expect(try source().bring(wanted(), to: downloads).sha256 == hashBytes(k3s))
        #expect(try failure { try source().find(wanted("v1.31.5+k3s1")) }.code == .notFound)
    }

    @Test("k0s flat: several releases with the checksums of all in one file")
    func flatK0s() throws {
        let files = ["v1.36.3+k0s.2", "v1.35.7+k0s.0"].flatMap { text in
            [Architecture.amd64, .arm].map {
                (name: "k0s-\(text)-\($0.rawValue)", bytes: program(text, $0))
            }
        }
        for file in files { try directory.write(file.bytes, to: file.name) }
        try directory.write(checksums(files, mark: "*"), to: "sha256sums.txt")
        try directory.write("x", to: "k0s-v1.36.4+k0s.0-amd64.sig")
        #expect(try source().releases(of: .k0s) == ["v1.36.3+k0s.2", "v1.35.7+k0s.0"].map(version))
        let fetched = try source().bring(wanted("v1.35.7+k0s.0", .arm), to: downloads)
        #expect(fetched.sha256 == hashBytes(program("v1.35.7+k0s.0", .arm)))
    }

    @Test("without a checksum file the bytes are their own claim, and a pin or an import proves them")
    func claimed() throws {
        try directory.write(k3s, to: "v1.31.4+k3s1/k3s")
        let found = try source().find(wanted())
        #expect(found.origin == .claimed)
        #expect(found.sha256 == hashBytes(k3s))
        #expect(try source().find(wanted(pinned: hashBytes(k3s))).origin == .verified)
        #expect(try failure { try source().find(wanted(pinned: hashBytes([1]))) }.code == .pin)
    }

    @Test("bytes that their checksum file does not name are not taken")
    func tampered() throws {
        try directory.write(k3s, to: "v1.31.4+k3s1/k3s")
        try directory.write(checksums([("k3s", [1])]), to: "v1.31.4+k3s1/sha256sum-amd64.txt")
        #expect(try failure { try source().find(wanted()) }.code == .checksum)
        try directory.write("nonsense  k3s\n", to: "v1.31.4+k3s1/sha256sum-amd64.txt")
        #expect(try failure { try source().find(wanted()) }.code == .malformed)
    }

    @Test("bytes that changed after they were found are not taken, and nothing is left of them")
    func changed() throws {
        try directory.write(k3s, to: "v1.31.4+k3s1/k3s")
        let found = try source().find(wanted())
        try directory.write(program("v1.31.4+k3s1", padding: 9), to: "v1.31.4+k3s1/k3s")
        #expect(
            try failure { try source().fetch(found, to: downloads.path) { _ in true } }.code == .checksum)
        #expect(downloads.names.isEmpty)
    }

    @Test("a channel is a file that says one version")
    func channel() throws {
        try directory.write("v1.31.4+k3s1\n", to: "stable.txt")
        try directory.write("hello\n", to: "odd.txt")
        #expect(try source(channel: "stable").releases(of: .k3s) == [version("v1.31.4+k3s1")])
        #expect(try failure { try source(channel: "odd").releases(of: .k3s) }.code == .malformed)
        #expect(try failure { try source(channel: "none").releases(of: .k3s) }.code == .notFound)
    }

    @Test("a directory that is not there is an error that names it")
    func absent() throws {
        var settings = ArtifactSource()
        settings.releases = "\(directory.path)/none"
        let error = try failure { try DirectoryReleases(settings).releases(of: .k3s) }
        #expect(error.description.contains("\(directory.path)/none"))
    }
}

@Suite("A release that is named by its file")
struct FileReleaseTests {
    let directory: TemporaryDirectory
    let downloads: Downloads

    init() throws {
        directory = try TemporaryDirectory()
        downloads = try Downloads()
    }

    @Test("its own bytes say what it is, under whatever name", arguments: ["v1.31.4+k3s1", "v1.36.3+k0s.2"])
    func identifies(text: String) throws {
        let source = FileRelease(try directory.write(program(text, .arm64), to: "new"), reserve: 0)
        let own = try source.identify()
        #expect(own == (try wanted(text, .arm64)))
        #expect(try source.releases(of: own.distribution) == [version(text)])
        #expect(try source.releases(of: own.distribution == .k3s ? .k0s : .k3s) == [])
        let found = try source.find(own)
        #expect(found.proof == .bytes)
        let fetched = try source.fetch(found, to: downloads.path) { _ in true }
        #expect(fetched.sha256 == hashBytes(program(text, .arm64)))
    }

    @Test("a checksum file beside it is heeded")
    func checksumFile() throws {
        let source = FileRelease(try directory.write(k3s, to: "k3s-new"), reserve: 0)
        try directory.write(checksums([("k3s", k3s)]), to: "sha256sum-amd64.txt")
        #expect(try source.find(wanted()).proof == .release)
        try directory.write(checksums([("k3s", [1])]), to: "sha256sum-amd64.txt")
        #expect(try failure { try source.find(wanted()) }.code == .checksum)
    }

    @Test("what it is not is told: another version, another architecture, no program, nothing at all")
    func others() throws {
        let source = FileRelease(try directory.write(k3s, to: "k3s"), reserve: 0)
        #expect(try failure { try source.find(wanted("v1.31.5+k3s1")) }.code == .version)
        #expect(try failure { try source.find(wanted("v1.31.4+k3s1", .arm64)) }.code == .architecture)
        let script = FileRelease(try directory.write("#!/bin/sh\n", to: "script"))
        let error = try failure { try script.identify() }
        #expect(error.code == .version)
        #expect(error.description.contains("a script, not a program"))
        #expect(try failure { try FileRelease("\(directory.path)/none").identify() }.code == .notFound)
    }

    @Test("it is never fetched onto itself, and a copy that is stopped leaves nothing")
    func itself() throws {
        let path = try directory.write(k3s, to: "k3s")
        let source = FileRelease(path, reserve: 0)
        let found = try source.find(wanted())
        try directory.write(program("v1.31.5+k3s1"), to: "k3s")
        #expect(try failure { try source.fetch(found, to: path) { _ in true } }.code == .configuration)
        #expect(try readFile(path, limit: 1 << 24) == program("v1.31.5+k3s1"))
        try directory.write(k3s, to: "k3s")
        #expect(
            try failure { try source.fetch(found, to: downloads.path) { $0.done == 0 } }.code == .stopped)
        #expect(downloads.names.isEmpty)
    }
}
