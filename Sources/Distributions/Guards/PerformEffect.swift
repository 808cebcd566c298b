import Host
public import Model
public import Ports

extension NodeGuards {
    /// What is at the place of an effect before it.
    public func fingerprint(of effect: Effect) throws(EffectFailure) -> Fingerprint {
        switch effect {
        case .set(let setting, _): return .setting(try past(setting))
        case .restore(let placed): return .setting(try read(placed.setting))
        case .abortRefresh(let refresh): return .setting(try snapd.status(of: refresh))
        case .refreshSnap(let refresh): return .setting(try snapd.revision(of: refresh.snap))
        default: break
        }
        return try failing { () throws(HostError) in
            switch effect {
            case .storeInVault(let copy), .stageSpare(let copy): return try ofLargeFile(copy.to)
            case .removeFromVault(let path, _): return try ofLargeFile(path)
            case .removeSpare(let spare): return try ofLargeFile(spare.path)
            case .removePending(let file): return try ofLargeFile(file.path)
            case .placeDropIn(let path, _), .removeLastRan(let path): return try ofSmallFile(path)
            case .removeDropIn(let dropIn): return try ofSmallFile(dropIn.path)
            case .writeLastRan(let record): return try ofSmallFile(record.path)
            case .replace(let replacement): return try ofLargeFile(replacement.binary)
            case .backUp(let backUp): return try ofLargeFile(backUp.directory)
            case .removeBackup(let backup): return try ofLargeFile(backup.directory)
            case .restart(let restart): return .start(restart.invocation)
            case .reloadUnits, .restartWatch, .start, .set, .restore, .abortRefresh, .startServices,
                .refreshSnap:
                return .nothing
            }
        }
    }

    private func ofLargeFile(_ path: String) throws(HostError) -> Fingerprint {
        try identityIfPresent(ofFile: try place(path)).map { .identity($0) } ?? .missing
    }

    private func ofSmallFile(_ path: String) throws(HostError) -> Fingerprint {
        let place = try place(path)
        guard let identity = try identityIfPresent(ofFile: place) else {
            return isDirectory(directory(of: place)) ? .missing : .missingDirectory
        }
        // What is no small regular file is told by its identity.
        guard let bytes = try? readFileIfPresent(place, limit: Self.smallFile), let digest = hashBytes(bytes)
        else {
            return .identity(identity)
        }
        return .content(digest)
    }

    /// Performs an effect; done twice it is as done once.
    public func perform(_ effect: Effect, before: Fingerprint) throws(EffectFailure) {
        switch effect {
        case .set(let setting, let value): return try set(setting, to: value)
        case .restore(let placed): return try restore(placed)
        case .abortRefresh(let refresh): return try snapd.abort(refresh)
        case .startServices(let units): return try snapd.start(units)
        case .refreshSnap(let refresh): return try snapd.refresh(refresh)
        default: break
        }
        try failing { () throws(HostError) in
            switch effect {
            case .storeInVault(let copy):
                let to = try place(copy.to)
                try makeDirectories(directory(of: to), mode: 0o700)
                try copyFile(
                    from: try root.resolve(copy.from), to: to, digest: try digest(of: copy), mode: 0o400)
            case .stageSpare(let copy):
                try expect(before, at: copy.to)
                try keepTurnedAway(inPlaceOf: copy)
                try copyFile(
                    from: try root.resolve(copy.from), to: try place(copy.to), digest: try digest(of: copy),
                    like: try copy.like.map { path throws(HostError) in try root.resolve(path) },
                    mode: mode(like: copy.like))
            case .removeFromVault(let path, _):
                try removeFile(try place(path))
                try removeEmptyVault()
            case .removeSpare(let spare):
                guard try ofLargeFile(spare.path) == .identity(spare.identity) else { return }
                try removeFile(try place(spare.path))
            case .removePending(let file): try remove(file)
            case .placeDropIn(let path, let text):
                try expect(before, at: path)
                let to = try place(path)
                try makeDirectories(directory(of: to))
                try writeFileAtomically(to, Array(text.utf8))
            case .removeDropIn(let dropIn): try remove(dropIn)
            case .reloadUnits: if root.isLive { try reloadSystemd() }
            case .restartWatch: if root.isLive { try restartWatches() }
            case .writeLastRan(let record): try write(record, before: before)
            case .removeLastRan(let path):
                let record = try place(path)
                try underArtifactLock { () throws(HostError) in
                    try removeFile(record)
                    removeGateDraft(of: record)
                }
                removeDrafts(of: record)
            case .replace(let replacement): try replace(replacement)
            case .restart(let restart): try self.restart(restart)
            case .start(let owed): try start(owed)
            case .backUp(let backUp): try perform(backUp)
            case .removeBackup(let backup): try remove(backup)
            case .set, .restore, .abortRefresh, .startServices, .refreshSnap: break
            }
        }
    }

    /// Keeps what changed places with a spare, and came no further: it may be the only copy of what somebody wants in.
    private func keepTurnedAway(inPlaceOf copy: ArtifactCopy) throws(HostError) {
        guard let pending = copy.pending, let binary = copy.like,
            try artifact(at: copy.to)?.digest != copy.artifact.sha256
        else { return }
        let (spare, kept) = (try place(copy.to), try place(pending))
        let whole = try place(binary)
        // A gate that is at it has the lock.
        try underArtifactLock { () throws(HostError) in try keepSwapped(spare, of: whole, in: kept) }
    }

    private func remove(_ dropIn: PlacedDropIn) throws(HostError) {
        let path = try place(dropIn.path)
        if let bytes = try readFileIfPresent(path, limit: Self.smallFile) {
            guard bytes == Array(dropIn.text.utf8) else {
                throw HostError(description: "\(dropIn.path): somebody changed it, so it is left alone")
            }
            try removeFile(path)
        }
        removeDrafts(of: path)
        if dropIn.madeDirectory { try removeDirectoryIfEmpty(directory(of: path)) }
    }

    private func write(_ record: StartRecord, before: Fingerprint) throws(HostError) {
        let path = try place(record.path)
        try makeDirectories(directory(of: path), mode: 0o700)
        try underArtifactLock { () throws(HostError) in
            // The gate may have recorded a start since; that record is newer than ours.
            let present = try ofSmallFile(record.path)
            if present == before || !present.isThere {
                try writeFileAtomically(path, Array(record.text.utf8), mode: 0o644)
            }
            removeGateDraft(of: path)
            for mark in record.marks { try removeFile(try place(mark)) }
        }
    }

    func underArtifactLock(_ body: () throws(HostError) -> Void) throws(HostError) {
        let path = FileLock.artifactLock(in: root)
        guard let lock = try FileLock.take(path, patience: 2000) else {
            throw HostError(
                description: "\(path): another process has held it for over two seconds; see who it is with "
                    + "'fuser -v \(path)'")
        }
        try body()
        _ = consume lock
    }

    private func expect(_ before: Fingerprint, at path: String) throws(HostError) {
        let present = try before.isContent ? ofSmallFile(path) : ofLargeFile(path)
        guard present == before || (!present.isThere && !before.isThere) else {
            throw HostError(description: "\(path): somebody changed it meanwhile, so it is left alone")
        }
    }

    // MARK: Probing

    /// Whether an effect was done.
    public func probe(_ intent: Intent) -> EffectProbe {
        do throws(EffectFailure) {
            switch intent.effect {
            case .set(let setting, let value): return try probe(setting, is: value)
            case .restore(let placed): return try probe(restored: placed)
            case .abortRefresh(let refresh): return try snapd.isOver(refresh) ? .done(nil) : .notDone
            case .startServices(let units): return try snapd.run(units) ? .done(nil) : .notDone
            case .refreshSnap(let refresh): return try snapd.probe(refresh)
            default: break
            }
        } catch {
            return .unknown(error.description)
        }
        do throws(HostError) {
            switch intent.effect {
            case .storeInVault(let copy):
                guard let found = try artifact(at: copy.to), found.digest == copy.artifact.sha256 else {
                    return .notDone
                }
                return .done(found.identity)
            case .stageSpare(let copy): return try probe(copy, before: intent.before)
            case .removeFromVault(let path, _):
                guard try isGone(path) else { return .notDone }
                return try isEmptyVaultLeft() ? .notDone : .done(nil)
            case .removeSpare(let spare):
                let found = try identityIfPresent(ofFile: try place(spare.path))
                return found == spare.identity ? .notDone : .done(nil)
            case .removePending(let file): return try probe(file)
            case .placeDropIn(let path, let text): return try probe(path, holds: text, before: intent.before)
            case .removeDropIn(let dropIn):
                guard let found = content(at: dropIn.path) else { return try directoryIsGone(dropIn) }
                return found == Array(dropIn.text.utf8)
                    ? .notDone : .unknown("\(dropIn.path) is neither gone nor what we placed")
            case .writeLastRan(let record):
                if content(at: record.path) == Array(record.text.utf8) { return try marksAreGone(record) }
                return try ofSmallFile(record.path) == intent.before ? .notDone : try marksAreGone(record)
            case .removeLastRan(let path): return try isGone(path) ? .done(nil) : .notDone
            case .replace(let replacement): return try probe(replacement)
            case .restart(let restart): return try probe(restart)
            case .start(let owed): return try probe(owed)
            case .backUp(let backUp): return try probe(backUp)
            case .removeBackup(let backup): return try isGone(backup.directory) ? .done(nil) : .notDone
            case .reloadUnits, .restartWatch, .set, .restore, .abortRefresh, .startServices, .refreshSnap:
                return .notDone
            }
        } catch {
            return .unknown(error.description)
        }
    }

    private func probe(_ copy: ArtifactCopy, before: Fingerprint) throws(HostError) -> EffectProbe {
        let present = try ofLargeFile(copy.to)
        guard present.isThere else { return .notDone }
        if let found = try artifact(at: copy.to), found.digest == copy.artifact.sha256,
            isExecutable(try place(copy.to))
        {
            return .done(found.identity)
        }
        return present == before
            ? .notDone : .unknown("\(copy.to) is neither the spare nor what was there before")
    }

    private func probe(
        _ path: String, holds text: String, before: Fingerprint
    ) throws(HostError) -> EffectProbe {
        if content(at: path) == Array(text.utf8) { return .done(nil) }
        let present = try ofSmallFile(path)
        if present == before || !present.isThere { return .notDone }
        return .unknown("\(path) is neither our drop-in nor what was there before")
    }

    private func marksAreGone(_ record: StartRecord) throws(HostError) -> EffectProbe {
        for mark in record.marks where try !isGone(mark) { return .notDone }
        return .done(nil)
    }

    /// A directory of ours goes with the drop-in, unless somebody has put something else there.
    private func directoryIsGone(_ dropIn: PlacedDropIn) throws(HostError) -> EffectProbe {
        let directory = directory(of: try place(dropIn.path))
        guard dropIn.madeDirectory, isDirectory(directory) else { return .done(nil) }
        return try listDirectory(directory).isEmpty ? .notDone : .done(nil)
    }

    private var vaultDirectories: [String] { ["\(state)/vault/sha256", "\(state)/vault"] }

    /// Takes the vault's own directories away, as far as nothing else is kept.
    private func removeEmptyVault() throws(HostError) {
        for directory in vaultDirectories {
            let place = try place(directory)
            if try isOwnDirectory(place) { try removeDirectoryIfEmpty(place) }
        }
    }

    /// Whether it is a plain directory, rather than a link to one or where another disk is mounted: those an admin made.
    private func isOwnDirectory(_ path: String) throws(HostError) -> Bool {
        guard isDirectory(path), (try? readLink(path)) == nil, let own = try identityIfPresent(ofFile: path),
            let above = try identityIfPresent(ofFile: directory(of: path))
        else { return false }
        return own.device == above.device
    }

    /// Whether whoever took the last artifact away was killed before its directories were gone too.
    private func isEmptyVaultLeft() throws(HostError) -> Bool {
        for directory in vaultDirectories {
            let place = try place(directory)
            if try isOwnDirectory(place), try listDirectory(place).isEmpty { return true }
        }
        return false
    }

    private func isGone(_ path: String) throws(HostError) -> Bool { try !ofLargeFile(path).isThere }

    private func content(at path: String) -> [UInt8]? {
        (try? place(path)).flatMap { try? readFileIfPresent($0, limit: Self.smallFile) }
    }

    /// The digest of a large file, of one and the same file before and after it was read; nil where there is none.
    func artifact(at path: String) throws(HostError) -> (digest: Digest, identity: FileIdentity)? {
        let place = try place(path)
        guard let before = try identityIfPresent(ofFile: place), let digest = try? hashFile(place),
            try identityIfPresent(ofFile: place) == before
        else { return nil }
        return (digest, before)
    }

    // MARK: Undoing

    /// Takes away what a half-performed effect left.
    public func undo(_ intent: Intent) throws(EffectFailure) {
        try failing { () throws(HostError) in
            switch intent.effect {
            case .storeInVault(let copy):
                try removeFile(draftPath(of: try place(copy.to)))
                try removeEmptyVault()
            case .stageSpare(let copy): try removeFile(draftPath(of: try place(copy.to)))
            case .placeDropIn(let path, _):
                removeDrafts(of: try place(path))
                guard intent.before == .missingDirectory else { return }
                try removeDirectoryIfEmpty(directory(of: try place(path)))
            case .writeLastRan(let record): removeDrafts(of: try place(record.path))
            case .removeFromVault, .removeSpare, .removeDropIn, .reloadUnits, .restartWatch,
                .removeLastRan, .removePending, .set, .restore, .restart, .start, .abortRefresh,
                .startServices, .refreshSnap, .removeBackup:
                break
            case .replace(let replacement): try undo(replacement)
            case .backUp(let backUp): try undo(backUp)
            }
        }
    }

    private var snapd: SnapdActs { SnapdActs(root: root) }

    private func digest(of copy: ArtifactCopy) throws(HostError) -> Digest {
        guard let digest = copy.artifact.sha256 else {
            throw HostError(description: "\(copy.from): its digest is not known, so it cannot be copied")
        }
        return digest
    }
}

private func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}

extension Fingerprint {
    fileprivate var isContent: Bool {
        switch self {
        case .content, .missing, .missingDirectory: true
        case .identity, .nothing, .setting, .start: false
        }
    }
}
