/// Reads a release's checksum file: K3s's `sha256sum-amd64.txt` and k0s's `sha256sums.txt`.
///
/// Two line shapes are known: `HEX  k3s-arm64` (text mode) and `HEX *k0s-v1.36.3+k0s.2-amd64` (binary mode). Lines
/// of other assets (airgap images, signatures, Windows binaries) are passed over.
///
/// - Parameters:
///   - distribution: what it is a release of; nil to tell from the lines.
///   - version: the release's version; K3s's file does not say it, and where lines say one they must agree.
/// - Throws: `ChecksumFileError` where a line is no checksum, two lines contradict, or no binary is among them.
public func readChecksumFile(
    _ bytes: [UInt8], file: String, distribution: Distribution?, version: Version?, importedAt: Instant
) throws(ChecksumFileError) -> [CatalogEntry] {
    var entries: [CatalogEntry] = []
    for (index, raw) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .enumerated()
    {
        let line = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
        guard !line.isEmpty else { continue }
        func problem(_ text: String) -> ChecksumFileError {
            ChecksumFileError(line: index + 1, problem: text)
        }
        guard line.count < 1024, let (digest, name) = checksumLine(line) else {
            throw problem("not \"SHA-256, two spaces, file name\"; is this the release's checksum file?")
        }
        guard let asset = Asset(name) else { continue }
        if let distribution, asset.distribution != distribution { continue }
        guard let release = asset.version ?? version else {
            throw problem(
                "\(name.printable) does not say its version; name it with --version, for example v1.31.4+k3s1"
            )
        }
        if let version, release != version {
            throw problem("\(name.printable) is \(release), not \(version)")
        }
        guard release.distribution == asset.distribution else {
            throw problem("\(release) is no version of \(asset.distribution.displayName)")
        }
        let known = entries.first {
            $0.architecture == asset.architecture && $0.distribution == asset.distribution
        }
        if let known, known.sha256 != digest || known.version != release {
            throw problem("\(name.printable) stands twice with different checksums or versions")
        }
        if known == nil {
            entries.append(
                CatalogEntry(
                    distribution: asset.distribution, version: release, architecture: asset.architecture,
                    sha256: digest, file: file, importedAt: importedAt))
        }
    }
    guard !entries.isEmpty else {
        throw ChecksumFileError(
            line: nil, problem: "no line names a K3s or k0s binary of an architecture that is known")
    }
    return entries
}

/// Why a checksum file was not taken; nothing of it is.
public struct ChecksumFileError: Error, Hashable, CustomStringConvertible {
    /// From 1; nil where the whole file is meant.
    public let line: Int?
    /// What is wrong, and what to do about it.
    public let problem: String

    /// The line and the problem.
    public var description: String { line.map { "line \($0): \(problem)" } ?? problem }
}

/// `HEX  name` or `HEX *name`.
private func checksumLine(_ line: ArraySlice<UInt8>) -> (digest: Digest, name: String)? {
    guard line.count > 66, let digest = Digest(String(decoding: line.prefix(64), as: UTF8.self)) else {
        return nil
    }
    let separator = Array(line.dropFirst(64).prefix(2))
    guard separator == Array("  ".utf8) || separator == Array(" *".utf8) else { return nil }
    return (digest, String(decoding: line.dropFirst(66), as: UTF8.self))
}

/// A binary among a release's assets.
private struct Asset {
    let distribution: Distribution
    let architecture: Architecture
    /// Nil where the name does not say it, as K3s's do not.
    let version: Version?

    init?(_ name: String) {
        if let k3s = Self.k3s[name] {
            (distribution, architecture, version) = (.k3s, k3s, nil)
        } else if name.hasPrefix("k0s-v"), let dash = name.lastIndex(of: "-"),
            let architecture = Self.k0s[String(name[name.index(after: dash)...])],
            let version = Version(name[name.index(name.startIndex, offsetBy: 4)..<dash]),
            version.distribution == .k0s
        {
            (distribution, self.architecture, self.version) = (.k0s, architecture, version)
        } else {
            return nil
        }
    }

    // Names of K3s's release assets.
    private static let k3s: [String: Architecture] = [
        "k3s": .amd64, "k3s-arm64": .arm64, "k3s-armhf": .arm, "k3s-s390x": .s390x, "k3s-riscv64": .riscv64,
    ]
    private static let k0s: [String: Architecture] = [
        "amd64": .amd64, "arm64": .arm64, "arm": .arm, "riscv64": .riscv64,
    ]
}
