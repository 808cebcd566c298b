import Model
import Testing

private let a = String(repeating: "a", count: 64)
private let b = String(repeating: "b", count: 64)

private func read(
    _ text: String, distribution: Distribution? = nil, version: String? = nil
) throws(ChecksumFileError) -> [String] {
    try readChecksumFile(
        Array(text.utf8), file: "sums.txt", distribution: distribution,
        version: version.flatMap { Version($0) },
        importedAt: Instant(seconds: 0)
    ).map {
        "\($0.distribution.rawValue) \($0.version) \($0.architecture.rawValue) \($0.sha256.hex.prefix(1))"
    }
}

@Suite("A release's checksum file")
struct ChecksumFileTests {
    @Test("K3s's ties each architecture's binary to the version that is named with it")
    func k3s() throws {
        let text = "\(a)  k3s\n\(b)  k3s-arm64\n\(b)  k3s-airgap-images-amd64.tar.gz\n"
        #expect(
            try read(text, version: "v1.31.4+k3s1") == [
                "k3s v1.31.4+k3s1 amd64 a", "k3s v1.31.4+k3s1 arm64 b",
            ])
    }

    @Test("k0s's says its version itself, in binary mode's line shape")
    func k0s() throws {
        let text =
            "\(a) *k0s-v1.36.3+k0s.2-amd64\n\(b) *k0s-v1.36.3+k0s.2-arm64\n\(b) *k0s-airgap-bundle-v1.36.3+k0s.2-amd64\n"
        #expect(try read(text) == ["k0s v1.36.3+k0s.2 amd64 a", "k0s v1.36.3+k0s.2 arm64 b"])
    }

    private struct Refused: Sendable, CustomTestStringConvertible {
        let text: String
        var version: String?
        let problem: String
        var testDescription: String { problem }
    }

    @Test(
        "is refused whole where it cannot be trusted to mean what it says",
        arguments: [
            Refused(text: "\(a)  k3s\n", problem: "line 1: k3s does not say its version"),
            Refused(text: "<html>\n", problem: "line 1: not \"SHA-256"),
            Refused(text: "\(a)  k3s\n\(a) k3s\n", version: "v1.31.4+k3s1", problem: "line 2: not \"SHA-256"),
            Refused(
                text: "\(a)  k3s\n\(b)  k3s\n", version: "v1.31.4+k3s1", problem: "line 2: k3s stands twice"),
            Refused(
                text: "\(a)  k3s\n", version: "v1.31.4+k0s.0",
                problem: "line 1: v1.31.4+k0s.0 is no version of K3s"),
            Refused(
                text: "\(a) *k0s-v1.36.3+k0s.2-amd64\n", version: "v1.36.2+k0s.0",
                problem: "line 1: k0s-v1.36.3+k0s.2-amd64 is v1.36.3+k0s.2, not v1.36.2+k0s.0"),
            Refused(text: "\(a)  README.md\n", problem: "no line names"),
            Refused(text: "", problem: "no line names"),
        ])
    private func refused(row: Refused) {
        #expect { try read(row.text, version: row.version) } throws: { "\($0)".hasPrefix(row.problem) }
    }
}
