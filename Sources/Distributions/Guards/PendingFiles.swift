import Host
import Model
import Ports

/// What the gate keeps beside a binary, as far as the tick takes it away.
extension NodeGuards {
    /// What is kept beside a binary; nil where nothing is, which costs one question of the file system.
    func keptAside(beside binary: String) -> KeptAside? {
        guard let directory = try? place(PendingNames.directory(beside: binary)), isDirectory(directory),
            let names = try? listDirectory(directory)
        else { return nil }
        let own = binary.split(separator: "/").last.map(String.init) ?? binary
        let files = names.filter { PendingNames.isName($0, of: own) }.compactMap { name -> PendingFile? in
            guard let identity = try? identityIfPresent(ofFile: "\(directory)/\(name)") else { return nil }
            return PendingFile(
                path: "\(PendingNames.directory(beside: binary))/\(name)", identity: identity)
        }
        guard !files.isEmpty else { return nil }
        let space = (try? space(ofFileSystemAt: directory)).map {
            KeptAside.Space(free: $0.free, total: $0.total)
        }
        return KeptAside(files: files, space: space)
    }

    /// Takes one file away, and its directory where nothing else is in it.
    func remove(_ file: PendingFile) throws(HostError) {
        let path = try place(file.path)
        guard let found = try identityIfPresent(ofFile: path) else {
            return try removeDirectoryIfEmpty(parent(of: path))
        }
        guard found == file.identity else { return }
        try removeFile(path)
        try removeDirectoryIfEmpty(parent(of: path))
    }

    func probe(_ file: PendingFile) throws(HostError) -> EffectProbe {
        let path = try place(file.path)
        if let found = try identityIfPresent(ofFile: path) {
            return found == file.identity ? .notDone : .done(nil)
        }
        let directory = parent(of: path)
        guard isDirectory(directory) else { return .done(nil) }
        return try listDirectory(directory).isEmpty ? .notDone : .done(nil)
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
