import Model
import Ports

/// The largest checksum file that is read; K3s's has some ten lines, k0s's thirty.
let largestChecksumFile = 1 << 20

/// The digest that a release's checksum file gives for an artifact; nil where no line is about it.
///
/// Only lines that name its binary are looked at: a mirror may keep the checksums of several releases in one file.
///
/// - Parameters:
///   - name: what the binary is called there.
///   - place: where the file is, for people.
/// - Throws: `SourceFailure` where such a line is no checksum, or two contradict each other.
func publishedDigest(
    _ bytes: [UInt8], of wanted: WantedArtifact, name: String, place: String
) throws(SourceFailure) -> Digest? {
    let ends = ["  \(name)", " *\(name)"].map { Array($0.utf8) }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { raw in
        let line = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
        return ends.contains { line.suffix($0.count).elementsEqual($0) }
    }
    guard !lines.isEmpty else { return nil }
    do throws(ChecksumFileError) {
        let entries = try readChecksumFile(
            Array(lines.joined(separator: [UInt8(ascii: "\n")])), file: place,
            distribution: wanted.distribution, version: wanted.version, importedAt: Instant(seconds: 0))
        return entries.first { $0.architecture == wanted.architecture }?.sha256
    } catch {
        throw SourceFailure(.malformed, "\(place): what it says of \(name) is no checksum: \(error.problem)")
    }
}

extension WantedArtifact {
    /// The digest that everything that says one says, and who says it.
    ///
    /// - Parameters:
    ///   - published: what the release's checksum file says; nil where there is none.
    ///   - bytes: what the bytes have that are here already; nil where none are.
    ///   - place: where the release is, for people.
    /// - Throws: `SourceFailure` where two say different ones, or nobody says any.
    func proof(
        published: Digest?, bytes: Digest? = nil, place: String
    ) throws(SourceFailure) -> (sha256: Digest, by: FoundArtifact.Proof) {
        let said: [(Digest?, FoundArtifact.Proof)] = [
            (published, .release), (pinned, .pin), (imported, .imported), (bytes, .bytes),
        ]
        let known = said.compactMap { digest, proof in digest.map { ($0, proof) } }
        guard let (first, by) = known.first else {
            throw SourceFailure(
                .untrusted,
                "\(place): nothing says which bytes \(version) for \(architecture.rawValue) has; "
                    + "\(Self.advice(architecture))")
        }
        for (digest, other) in known.dropFirst() where digest != first {
            let isPin = other == .pin || by == .pin
            throw SourceFailure(
                isPin ? .pin : .checksum,
                "\(place): \(by.rawValue) says sha256 \(first.hex) for \(version) (\(architecture.rawValue)), and "
                    + "\(other.rawValue) has \(digest.hex); nothing is fetched until they agree")
        }
        return (first, by)
    }

    /// How bytes come to be known without their release's own checksum file.
    static func advice(_ architecture: Architecture) -> String {
        "pin the digest in the policy (pin: {digest: {\(architecture.rawValue): …}}), or import the release's "
            + "checksum file with 'holdfast catalog import'"
    }
}

extension FoundArtifact {
    /// Why bytes with that digest are not what was found; nil where they are.
    func objection(to digest: Digest) -> SourceFailure? {
        guard digest != sha256 else { return nil }
        return SourceFailure(
            proof == .pin ? .pin : .checksum,
            "\(place): its bytes are sha256 \(digest.hex), and \(proof.rawValue) says \(sha256.hex) for "
                + "\(wanted.version) (\(wanted.architecture.rawValue)); they were deleted")
    }
}
