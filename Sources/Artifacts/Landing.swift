import Host
import Model
import Ports

/// Where an artifact is put together, proven, and only then given its name.
struct Landing {
    let found: FoundArtifact
    let path: String
    /// Bytes that must stay free on the file system.
    let reserve: Int64

    /// The draft; it is there until the artifact is whole, or proven to be another.
    var partPath: String { path + ".part" }
    /// What the draft's bytes are of, so that they are never mixed with others.
    var notePath: String { path + ".part.of" }

    /// Makes the directory, and takes what is there already where it is the artifact.
    func existing() throws(SourceFailure) -> FetchedArtifact? {
        let isThere = try host { () throws(HostError) in
            guard path.hasPrefix("/"), !path.hasSuffix("/") else {
                throw HostError(description: "\(path): not the absolute path of a file to fetch to")
            }
            try makeDirectories(directory, mode: 0o700)
            return try identityIfPresent(ofFile: path) != nil
        }
        guard isThere else { return nil }
        if let digest = try? hashFile(path), digest == found.sha256, let facts = try? prove(path),
            let identity = try? identity(ofFile: path)
        {
            return FetchedArtifact(path: path, sha256: digest, size: identity.size, evidence: facts.evidence)
        }
        try host { () throws(HostError) in try removeFile(path) }
        return nil
    }

    /// Opens the draft.
    func draft() throws(SourceFailure) -> PartialFile {
        try host { () throws(HostError) in try PartialFile.open(partPath) }
    }

    /// Refuses to begin where the bytes would not leave enough room.
    ///
    /// - Parameter more: bytes that are still to come; nil where nobody knows.
    func checkSpace(for more: Int64?) throws(SourceFailure) {
        let free = try host { () throws(HostError) in try FileSystemSpace(of: directory).free }
        let (needed, overflow) = (more ?? 0).addingReportingOverflow(reserve)
        guard overflow || free < needed else { return }
        throw SourceFailure(
            .space,
            "\(directory): \(mebibytes(free)) are free, \(mebibytes(overflow ? .max : needed - free)) too little: "
                + (more.map { "\(mebibytes($0)) for \(found.name) and " } ?? "")
                + "\(mebibytes(reserve)) to stay free are needed; make room there")
    }

    /// Proves the draft, and gives it its name; a draft that fails is taken away.
    func land(_ draft: PartialFile) throws(SourceFailure) -> FetchedArtifact {
        do throws(SourceFailure) {
            let digest = try host { () throws(HostError) in try draft.finish() }
            if let objection = found.objection(to: digest) { throw objection }
            let facts = try prove(draft.path)
            try host { () throws(HostError) in
                try moveFile(partPath, to: path)
                try removeFile(notePath)
            }
            return FetchedArtifact(path: path, sha256: digest, size: draft.size, evidence: facts.evidence)
        } catch {
            discard()
            throw error
        }
    }

    /// Takes the draft away.
    func discard() {
        try? removeFile(partPath)
        try? removeFile(notePath)
    }

    /// What bytes whose digest is right say of themselves; nothing is executed (invariant 11).
    private func prove(_ path: String) throws(SourceFailure) -> ArtifactFacts {
        let facts = readArtifact(at: path, distribution: found.wanted.distribution)
        guard facts.version == found.wanted.version else {
            throw SourceFailure(
                .version,
                "\(found.place): asked for \(found.wanted.version), and its bytes say "
                    + (facts.version.map { "\($0)" } ?? "no version (\(facts.unreadable ?? "unreadable"))")
                    + "; they were deleted")
        }
        guard facts.architecture == found.wanted.architecture else {
            throw SourceFailure(
                .architecture,
                "\(found.place): asked for \(found.wanted.architecture.rawValue), and it is built for "
                    + "\(facts.architecture?.rawValue ?? "nothing that is known"); it was deleted")
        }
        return facts
    }

    private var directory: String { String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) }
}

/// Takes away what earlier fetches left in a directory of downloads, drafts too, but for some artifacts.
///
/// What cannot be taken away stays for the next time; what another process is at, is left to it.
///
/// - Parameter names: `WantedArtifact.fileName` of those that are kept, with their drafts.
public func tidyDownloads(in directory: String, keeping names: Set<String>) {
    for name in (try? listDirectory(directory)) ?? [] {
        let ends = [".part.of", ".part"]
        let end = ends.first { name.hasSuffix($0) } ?? ""
        let artifact = String(name.dropLast(end.utf8.count))
        guard !names.contains(artifact) else { continue }
        let draft = try? PartialFile.open("\(directory)/\(artifact).part")
        guard let draft else { continue }
        try? removeFile("\(directory)/\(name)")
        try? removeFile(draft.path)
    }
}

/// Does something with this machine's files.
func host<Value>(_ work: () throws(HostError) -> Value) throws(SourceFailure) -> Value {
    do throws(HostError) { return try work() } catch { throw SourceFailure(error) }
}

extension SourceFailure {
    init(_ error: HostError) {
        let code: Code = error.isFull ? .space : error.isBusy ? .busy : error.isAbsence ? .notFound : .other
        self.init(code, error.description + (error.isFull ? "; make room there" : ""))
    }
}

/// A size for people: `66.4 MiB`.
func mebibytes(_ count: Int64) -> String {
    let whole = max(0, count)
    let tenths = (whole >> 20) * 10 + ((whole & 0xF_FFFF) * 10 + 524_288) >> 20
    return "\(tenths / 10).\(tenths % 10) MiB"
}
