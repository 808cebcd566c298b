import Model
import Ports
import Testing

@testable import Artifacts

@Suite("How releases are laid out")
struct LayoutTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var template: String
        var architecture = Architecture.amd64
        var version = "v1.31.4+k3s1"
        var binary: String
        var checksums: String
        var testDescription: String { "\(template) \(version) \(architecture)" }
    }

    static let rows = [
        Row(
            template: "https://m/k3s/releases/download/", architecture: .arm64,
            binary: "https://m/k3s/releases/download/v1.31.4%2Bk3s1/k3s-arm64",
            checksums: "https://m/k3s/releases/download/v1.31.4%2Bk3s1/sha256sum-arm64.txt"),
        Row(
            template: "https://m/{version}/{file}", architecture: .arm,
            binary: "https://m/v1.31.4%2Bk3s1/k3s-armhf",
            checksums: "https://m/v1.31.4%2Bk3s1/sha256sum-arm.txt"),
        // The checksums lie beside the binary, which alone the template names.
        Row(
            template: "https://m/{arch}/{version}/kube?t=1",
            binary: "https://m/amd64/v1.31.4%2Bk3s1/kube?t=1",
            checksums: "https://m/amd64/v1.31.4%2Bk3s1/sha256sum-amd64.txt?t=1"),
        Row(
            template: "https://m?t=1", binary: "https://m/v1.31.4%2Bk3s1/k3s?t=1",
            checksums: "https://m/v1.31.4%2Bk3s1/sha256sum-amd64.txt?t=1"),
        Row(
            template: "https://m/get?v={version}&f={file}", binary: "https://m/get?v=v1.31.4%2Bk3s1&f=k3s",
            checksums: "https://m/get?v=v1.31.4%2Bk3s1&f=sha256sum-amd64.txt"),
        Row(
            template: "https://m", architecture: .s390x, binary: "https://m/v1.31.4%2Bk3s1/k3s-s390x",
            checksums: "https://m/v1.31.4%2Bk3s1/sha256sum-s390x.txt"),
        Row(
            template: "https://m", architecture: .arm, version: "v1.36.3+k0s.2",
            binary: "https://m/v1.36.3%2Bk0s.2/k0s-v1.36.3%2Bk0s.2-arm",
            checksums: "https://m/v1.36.3%2Bk0s.2/sha256sums.txt"),
    ]

    @Test("a template, a base or a mirror names the binary and the checksums of a release", arguments: rows)
    func urls(row: Row) throws {
        let wanted = try wanted(row.version, row.architecture)
        let binary = try ReleaseLayout.url(
            row.template, file: wanted.binaryName(), isBinary: true, wanted)
        #expect(binary.origin + binary.target == row.binary)
        let file = ReleaseLayout.checksums(wanted.distribution, wanted.architecture)
        let checksums = try ReleaseLayout.url(row.template, file: file, isBinary: false, wanted)
        #expect(checksums.origin + checksums.target == row.checksums)
        #expect(!binary.shown.contains("?"))
    }

    @Test(
        "a placeholder that is none, credentials, and no URL are refused, and not repeated (invariant 13)",
        arguments: [
            "https://m/{hunter2}/{file}", "https://u:hunter2@m/{file}", "ftp://hunter2", "https://",
            "https:///x", "https://{version}/hunter2",
        ])
    func wrong(template: String) throws {
        let error = try #require(throws: SourceFailure.self) {
            try ReleaseLayout.url(template, file: "k3s", isBinary: true, wanted())
        }
        #expect(error.code == .configuration)
        #expect(!error.description.contains("hunter2"))
    }

    @Test("what no release is built for, or is none, is not looked for")
    func none() throws {
        let version = try version("v1.31.4+k3s1")
        for (wanted, code) in [
            (WantedArtifact(.k3s, version, .ppc64le), SourceFailure.Code.notFound),
            (WantedArtifact(.k0s, version, .amd64), .notFound),
            (WantedArtifact(.k3s, try self.version("v1.31.4"), .amd64), .notFound),
            (WantedArtifact(.microk8s, try self.version("v1.31.4"), .amd64), .configuration),
        ] {
            let error = try #require(throws: SourceFailure.self) { try wanted.binaryName() }
            #expect(error.code == code)
        }
    }

    private func version(_ text: String) throws -> Version { try #require(Version(text)) }

    @Test("a part of an answer is told by its header, and nothing else is")
    func contentRange() {
        #expect(ContentRange("bytes 5-9/10")?.first == 5)
        #expect(ContentRange("bytes 5-9/10")?.total == 10)
        #expect(ContentRange("Bytes 0-0/*")?.first == 0)
        for text in [
            "", "bytes", "bytes */10", "bytes 5-9", "bytes 9-5/10", "bytes 5-10/10", "bytes -1-9/10",
            "bytes 5-9/99999999999999999999", "items 5-9/10", "bytes 5-9/10 x", "bytes 5-9-10/11",
        ] {
            #expect(ContentRange(text) == nil, "\(text)")
        }
    }

    @Test("a part that another ETag, time or length came with is of other bytes")
    func notes() throws {
        let digest = Digest.none
        func note(_ etag: String?, _ time: String?) -> PartialNote? {
            PartialNote(address: digest, sha256: digest, etag: etag, lastModified: time, total: 10)
        }
        let tagged = try #require(note("\"1\"", "now"))
        #expect(tagged.agrees(etag: "\"1\"", lastModified: "later", total: 10))
        #expect(tagged.agrees(etag: nil, lastModified: nil, total: nil))
        #expect(!tagged.agrees(etag: "\"2\"", lastModified: "now", total: 10))
        #expect(!tagged.agrees(etag: "\"1\"", lastModified: "now", total: 11))
        let timed = try #require(note("W/\"1\"", "now"))
        #expect(timed.validator == "now")
        #expect(timed.agrees(etag: "W/\"2\"", lastModified: "now", total: 10))
        #expect(!timed.agrees(etag: nil, lastModified: "later", total: 10))
        for (etag, time) in [
            (nil, nil), ("W/\"1\"", nil), ("\"\u{7}\"", nil), (nil, String(repeating: "x", count: 513)),
        ] {
            #expect(note(etag, time) == nil)
        }
    }

    @Test("sizes are rounded for people")
    func sizes() {
        #expect(mebibytes(0) == "0.0 MiB")
        #expect(mebibytes(1 << 20) == "1.0 MiB")
        #expect(mebibytes((2 << 20) - 1) == "2.0 MiB")
        #expect(mebibytes(3_000_000) == "2.9 MiB")
        #expect(mebibytes(256 << 20) == "256.0 MiB")
        #expect(mebibytes(.max).hasSuffix(" MiB"))
    }
}
