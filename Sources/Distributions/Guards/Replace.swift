import Host
import Model
import Ports

extension NodeGuards {
    /// Puts an artifact in a binary's place, where all is as it was when that was decided.
    func replace(_ replacement: Replacement) throws(HostError) {
        let binary = try place(replacement.binary)
        let pending = try replacement.pending.map { path throws(HostError) in try place(path) }
        let source = try stage(replacement)
        try underArtifactLock { () throws(HostError) in
            // A start since then may have let another version at the data (invariant 12).
            if let record = replacement.lastRan, text(at: record.path) != record.text {
                throw HostError(
                    description: "\(replacement.binary): its unit was started meanwhile, so it is left alone")
            }
            var isSpare = false
            if case .spare(let spare) = replacement.source {
                guard try identityIfPresent(ofFile: source) == spare.identity else {
                    throw HostError(description: "\(spare.path): it is not the spare that was staged")
                }
                isSpare = true
            }
            // As the gate does: the spare's place is looked at by every tick, that of a copy by none.
            try putInPlace(
                source, at: binary, seen: replacement.seen, keptIn: pending, mayStay: isSpare)
        }
        try flushPlace(of: binary, keptIn: pending)
    }

    /// Whether the artifact is in its place.
    ///
    /// A rename is done or it is not; whatever else is there, somebody has put there since, and it is decided anew.
    func probe(_ replacement: Replacement) throws(HostError) -> EffectProbe {
        guard let found = try artifact(at: replacement.binary), found.digest == replacement.artifact.sha256
        else { return .notDone }
        return .done(found.identity)
    }

    /// Takes away what was staged and not put in place.
    func undo(_ replacement: Replacement) throws(HostError) {
        let source: String
        switch replacement.source {
        case .spare(let spare): source = try place(spare.path)
        case .vault:
            source = try place(stagedPath(of: replacement.binary))
            try removeFile(draftPath(of: source))
        }
        // On a file system without hard links both changed places, and what was turned away came no further.
        if let pending = replacement.pending, let seen = replacement.seen,
            try identityIfPresent(ofFile: source)?.isSameFile(as: seen) == true
        {
            return try keepSwapped(source, of: try place(replacement.binary), in: try place(pending))
        }
        if case .vault = replacement.source { try removeFile(source) }
    }

    /// The mode of a copy that stands for a binary: its own where it can be executed, else that of any program.
    func mode(like binary: String?) -> UInt32 {
        binary.flatMap { try? root.resolve($0) }.flatMap(permissions(ofExecutable:)) ?? 0o755
    }

    private func stage(_ replacement: Replacement) throws(HostError) -> String {
        switch replacement.source {
        case .spare(let spare): return try place(spare.path)
        case .vault(let path):
            guard let digest = replacement.artifact.sha256 else {
                throw HostError(description: "\(path): its digest is not known, so it is not put in place")
            }
            let staged = try place(stagedPath(of: replacement.binary))
            try copyFile(
                from: try root.resolve(path), to: staged, digest: digest,
                like: try root.resolve(replacement.binary), mode: mode(like: replacement.binary))
            return staged
        }
    }

    /// Beside the binary, so that putting it in place is a rename.
    private func stagedPath(of binary: String) -> String {
        guard let slash = binary.lastIndex(of: "/") else { return ".\(binary).holdfast-staged" }
        return "\(binary[...slash]).\(binary[binary.index(after: slash)...]).holdfast-staged"
    }

    private func text(at path: String) -> String? {
        guard let place = try? place(path),
            let bytes = try? readFileIfPresent(place, limit: Self.smallFile)
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
