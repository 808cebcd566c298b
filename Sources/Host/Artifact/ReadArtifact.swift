internal import Glibc
public import Model

/// What the bytes of a program say about it; nothing is executed (invariant 11).
public struct ArtifactFacts: Hashable, Sendable {
    /// Nil where it could not be read; never a guess.
    public var version: Version?
    /// `.goBuildInfo`, `.embeddedString`, or `.unreadable`.
    public var evidence: Evidence
    /// Why there is no version.
    public var unreadable: String?
    /// What it is built for; nil where that is not known either.
    public var architecture: Architecture?
    /// The path of its Go module, if it says so: `github.com/k0sproject/k0s`.
    public var mainModule: String?

    /// Makes facts.
    public init(
        version: Version? = nil, evidence: Evidence, unreadable: String? = nil,
        architecture: Architecture? = nil,
        mainModule: String? = nil
    ) {
        self.version = version
        self.evidence = evidence
        self.unreadable = unreadable
        self.architecture = architecture
        self.mainModule = mainModule
    }

    /// The distribution whose main module it is built from, under whatever name it is installed.
    public var distribution: Distribution? {
        switch mainModule {
        case "github.com/k3s-io/k3s", "github.com/rancher/k3s": .k3s
        case "github.com/k0sproject/k0s": .k0s
        default: nil
        }
    }
}

/// Reads the version of a distribution out of its program.
///
/// Only the headers, Go's build information and, where that has no version, the read-only data are read, in windows
/// of 1 MiB. Whatever is wrong with the file becomes the reason why it is unreadable.
public func readArtifact(at path: String, distribution: Distribution) -> ArtifactFacts {
    do throws(HostError) {
        let descriptor = try Descriptor.openRegularFile(path)
        let size = Int(try descriptor.status(path).st_size)
        let source = ByteSource(size: size) { (offset, buffer) throws(HostError) in
            try descriptor.read(at: offset, into: buffer, path: path)
        }
        return readArtifact(source, distribution: distribution)
    } catch {
        return ArtifactFacts(evidence: .unreadable, unreadable: error.description)
    }
}

/// The most bytes that are read of a program.
///
/// No release comes near it (K3s 70 MB, k0s 260); a sparse file of a terabyte would keep a tick busy for hours.
public let largestArtifact = 2 << 30

func readArtifact(_ source: ByteSource, distribution: Distribution) -> ArtifactFacts {
    var facts = ArtifactFacts(evidence: .unreadable)
    do throws(Unreadable) {
        guard let shape = ReleaseShape(distribution) else {
            throw Unreadable("the version of \(distribution.displayName) is in its snap, not in a program")
        }
        guard source.size <= largestArtifact else {
            throw Unreadable("larger than any release: \(source.size) bytes")
        }
        let image = try ELFImage(source)
        facts.architecture = image.architecture
        let build = GoBuildInfo(image, source)
        facts.mainModule = build?.mainModule
        if let version = try build.flatMap({ (build) throws(Unreadable) in try linkedVersion(build, shape) })
        {
            facts.version = version
            facts.evidence = .goBuildInfo
            return facts
        }
        var scan = VersionScan(for: shape)
        for part in readOnlyData(of: image) { try scan.scan(part, of: source) }
        facts.version = try scan.result()
        facts.evidence = .embeddedString
    } catch {
        facts.unreadable = error.reason
    }
    return facts
}

/// The version in the linker's flags; nil where they do not set it.
private func linkedVersion(_ build: GoBuildInfo, _ shape: ReleaseShape) throws(Unreadable) -> Version? {
    let values = Set(linkerValues(of: shape.variables, in: build.settings["-ldflags"] ?? ""))
    guard let value = values.first else { return nil }
    guard values.count == 1 else {
        let names = values.sorted().prefix(3).map { $0.cut(to: 64).printable }.joined(separator: ", ")
        throw Unreadable("ambiguous: its linker flags say \(names)")
    }
    guard let version = shape.version(value) else {
        throw Unreadable(
            "its linker flags say \"\(value.cut(to: 64).printable)\", which is no release of \(shape.distribution.displayName)"
        )
    }
    return version
}

/// Where constant strings are; without section headers every part that is mapped and not written to.
private func readOnlyData(of image: ELFImage) -> [Range<Int>] {
    let sections = image.sections.filter { $0.name == ".rodata" || $0.name.hasPrefix(".rodata.") }
    let parts =
        sections.isEmpty ? image.segments.filter { !$0.isWritable }.map(\.range) : sections.map(\.range)
    // Overlapping parts would multiply the work; a thousand of them, each the whole file, by a thousand.
    var merged: [Range<Int>] = []
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) where !part.isEmpty {
        if let last = merged.last, part.lowerBound < last.upperBound {
            merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, part.upperBound)
        } else {
            merged.append(part)
        }
    }
    return merged
}
