import Host
public import Model
public import Ports

/// Releases in a directory of this machine: one flat, or one subdirectory a version, named as on the web.
public struct DirectoryReleases: ReleaseSource {
    let settings: ArtifactSource
    /// Bytes that must stay free on the file system that is fetched to.
    let reserve: Int64

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - settings: its `releases` is the directory; with a `channel`, `CHANNEL.txt` in it says the one version.
    ///   - reserve: bytes that must stay free where something is fetched to.
    public init(_ settings: ArtifactSource, reserve: Int64 = defaultReserve) {
        self.settings = settings
        self.reserve = reserve
    }

    private var directory: String { settings.releases }

    public func releases(of distribution: Distribution) throws(SourceFailure) -> [Version] {
        try checkDistribution(distribution)
        guard settings.channel.isEmpty else { return [try channelVersion(of: distribution)] }
        var found: Set<Version> = []
        for name in try host({ () throws(HostError) in try listDirectory(directory) }) {
            if let version = percentDecoded(name).flatMap({ release($0, of: distribution) }) {
                if hasBinary(of: version, distribution) { found.insert(version) }
            } else if distribution == .k0s, let version = k0sVersion(of: name) {
                found.insert(version)
            } else if distribution == .k3s, Self.k3sNames.contains(name),
                let version = readArtifact(at: "\(directory)/\(name)", distribution: .k3s).version
            {
                found.insert(version)
            }
        }
        return found.sorted(by: >)
    }

    public func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact {
        let (name, place) = try locate(wanted)
        return try findFile(wanted, at: place, name: name)
    }

    public func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        let place = try locate(found.wanted).place
        return try copy(place, Landing(found: found, path: path, reserve: reserve), progress)
    }

    private static let k3sNames = Set(
        Architecture.allCases.compactMap { architecture in
            Version("v1.0.0+k3s1").flatMap { ReleaseLayout.binary(WantedArtifact(.k3s, $0, architecture)) }
        })

    /// Of `k0s-v1.36.3+k0s.2-amd64` the version.
    private func k0sVersion(of name: String) -> Version? {
        guard name.hasPrefix("k0s-"), let dash = name.lastIndex(of: "-") else { return nil }
        guard let version = release(String(name[..<dash].dropFirst(4)), of: .k0s),
            let architecture = Architecture(rawValue: String(name[name.index(after: dash)...])),
            ReleaseLayout.binary(WantedArtifact(.k0s, version, architecture)) == name
        else { return nil }
        return version
    }

    private func hasBinary(of version: Version, _ distribution: Distribution) -> Bool {
        Architecture.allCases.contains { architecture in
            (try? locate(WantedArtifact(distribution, version, architecture))) != nil
        }
    }

    private func locate(_ wanted: WantedArtifact) throws(SourceFailure) -> (name: String, place: String) {
        let name = try wanted.binaryName()
        let version = wanted.version.description
        for folder in Set([version, percentEncoded(version)]).sorted() {
            let place = "\(directory)/\(folder)/\(name)"
            if (try? identity(ofFile: place)) != nil { return (name, place) }
        }
        let flat = "\(directory)/\(name)"
        if (try? identity(ofFile: flat)) != nil {
            // K3s's names say no version; which release lies there its bytes say.
            if wanted.distribution != .k3s { return (name, flat) }
            if readArtifact(at: flat, distribution: .k3s).version == wanted.version { return (name, flat) }
        }
        throw SourceFailure(
            .notFound,
            "\(directory): there is no \(wanted.version) for \(wanted.architecture.rawValue) in it; put it at "
                + "\(directory)/\(version)/\(name), with the release's checksum file beside it")
    }

    private func channelVersion(of distribution: Distribution) throws(SourceFailure) -> Version {
        guard !settings.channel.contains(".."), !settings.channel.hasPrefix("http") else {
            throw SourceFailure(.configuration, "\(directory): the channel of a directory is a name in it")
        }
        let file = "\(directory)/\(settings.channel).txt"
        let bytes = try host { () throws(HostError) in try readFile(file, limit: 4096) }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard let version = release(text, of: distribution) else {
            throw SourceFailure(
                .malformed,
                "\(file): \"\(text.cut(to: 64).printable)\" is no version of \(distribution.displayName)")
        }
        return version
    }
}

/// One release that a person names by its file.
public struct FileRelease: ReleaseSource {
    /// The file.
    let path: String
    /// Bytes that must stay free on the file system that is fetched to.
    let reserve: Int64

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - path: of the binary, under whatever name.
    ///   - reserve: bytes that must stay free where it is fetched to.
    public init(_ path: String, reserve: Int64 = defaultReserve) {
        self.path = path
        self.reserve = reserve
    }

    /// What the file is, by its own bytes.
    ///
    /// - Throws: `SourceFailure` where it is no K3s or k0s that can be read.
    public func identify() throws(SourceFailure) -> WantedArtifact {
        _ = try host { () throws(HostError) in try identity(ofFile: path) }
        var reason = ""
        for distribution in [Distribution.k3s, .k0s] {
            let facts = readArtifact(at: path, distribution: distribution)
            if let version = facts.version, let architecture = facts.architecture {
                return WantedArtifact(distribution, version, architecture)
            }
            if reason.isEmpty || facts.distribution == distribution { reason = facts.unreadable ?? "" }
        }
        throw SourceFailure(.version, "\(path): no K3s or k0s that can be told: \(reason)")
    }

    public func releases(of distribution: Distribution) throws(SourceFailure) -> [Version] {
        try checkDistribution(distribution)
        let own = try identify()
        return own.distribution == distribution ? [own.version] : []
    }

    public func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact {
        let name = try wanted.binaryName()
        let own = try identify()
        guard own.version == wanted.version else {
            throw SourceFailure(
                .version, "\(path): asked for \(wanted.version), and its bytes say \(own.version)")
        }
        guard own.architecture == wanted.architecture else {
            throw SourceFailure(
                .architecture,
                "\(path): asked for \(wanted.architecture.rawValue), and it is built for "
                    + own.architecture.rawValue)
        }
        return try findFile(wanted, at: path, name: name)
    }

    public func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        try copy(self.path, Landing(found: found, path: path, reserve: reserve), progress)
    }
}

/// The source that a policy's settings name; nil where they name none.
///
/// - Parameters:
///   - reserve: bytes that must stay free where something is fetched to.
///   - questionMilliseconds: how long a channel or a checksum file on the web may take; a tick has less time than a step.
public func releaseSource(
    _ settings: ArtifactSource, reserve: Int64 = defaultReserve, questionMilliseconds: Int = 20_000
) -> (any ReleaseSource)? {
    if settings.releases.hasPrefix("/") { return DirectoryReleases(settings, reserve: reserve) }
    if settings.releases.isEmpty, settings.channel.isEmpty { return nil }
    return WebReleases(settings, reserve: reserve, questionMilliseconds: questionMilliseconds)
}

/// A file of a release, with the checksum file that lies beside it, where one does.
private func findFile(
    _ wanted: WantedArtifact, at place: String, name: String
) throws(SourceFailure) -> FoundArtifact {
    let directory = place[..<(place.lastIndex(of: "/") ?? place.startIndex)]
    let file =
        (directory.isEmpty && !place.hasPrefix("/") ? "." : directory) + "/"
        + ReleaseLayout.checksums(wanted.distribution, wanted.architecture)
    let checksums = try host { () throws(HostError) in
        try readFileIfPresent(file, limit: largestChecksumFile)
    }
    var published: Digest?
    if let checksums {
        published = try publishedDigest(checksums, of: wanted, name: name, place: file)
    }
    let (size, own) = try host { () throws(HostError) in
        (try identity(ofFile: place).size, try hashFile(place))
    }
    let (sha256, proof) = try wanted.proof(published: published, bytes: own, place: place)
    return FoundArtifact(
        wanted: wanted, name: name, sha256: sha256, proof: proof, size: size, place: place)
}

/// Copies a release from this machine; it is proven as one from the web is.
private func copy(
    _ source: String, _ landing: Landing, _ progress: (FetchProgress) -> Bool
) throws(SourceFailure) -> FetchedArtifact {
    let from = try host { () throws(HostError) in try identity(ofFile: source) }
    if let there = try? identity(ofFile: landing.path), there.inode == from.inode, there.device == from.device
    {
        throw SourceFailure(
            .configuration, "\(source): it is to be fetched onto itself; name a file elsewhere")
    }
    if let existing = try landing.existing() { return existing }
    let draft = try landing.draft()
    let isWhole: Bool
    do throws(SourceFailure) {
        try host { () throws(HostError) in try draft.restart() }
        try landing.checkSpace(for: from.size)
        isWhole = try host { () throws(HostError) in
            try draft.append(contentsOf: source) {
                progress(FetchProgress(done: draft.size, total: from.size))
            }
        }
    } catch {
        landing.discard()
        throw error
    }
    guard isWhole else {
        landing.discard()
        throw SourceFailure(.stopped, "\(source): the copy was stopped")
    }
    return try landing.land(draft)
}
