import Gate
import Glibc
import Model

extension Report {
    /// What has run on the data directory, as far as records can be relied on.
    func lastRan(of guarded: GuardedInstallation) -> LastRanFinding {
        guard let directory = guarded.dataDirectory else {
            return .unusable("the guard file does not name its data directory")
        }
        for unit in guarded.units + [unit] where GatePlaces.isUnitName(unit) {
            for mark in places.missed(unit: unit) where access(path(mark), F_OK) == 0 {
                return .unusable("a start of \(unit) has not been recorded")
            }
        }
        let file = path(places.lastRan(dataDirectory: directory))
        do throws(FileFailure) {
            let bytes = try readFile(file, largest: LastRan.largest)
            do throws(GuardFileError) {
                let record = try LastRan.parse(bytes)
                guard record.dataDirectory.utf8.elementsEqual(directory.utf8) else {
                    return .unusable("it is about \(record.dataDirectory)")
                }
                return .record(record)
            } catch {
                return .unusable("\(error)")
            }
        } catch {
            return error.code == ENOENT ? .missing : .unusable(error.text)
        }
    }

    /// Records that an artifact is about to start; nil stands for one that was not recognised.
    ///
    /// Where that fails, the start is marked as missed, so that *last ran* proves nothing until the tick has looked.
    ///
    /// - Parameter isLocked: whether this process holds the artifact lock already.
    func recordStart(
        of artifact: Artifact?, _ guarded: GuardedInstallation, _ finding: LastRanFinding, isLocked: Bool
    ) {
        listStart(of: artifact)
        guard let directory = guarded.dataDirectory else {
            // Nobody knows yet which data this start will write.
            markMissed(guarded)
            return
        }
        guard
            let next = finding.beforeStart(
                of: artifact?.version, dataDirectory: directory, invocationID: invocationID, now: now)
        else { return }
        do throws(FileFailure) {
            if isLocked {
                try replaceFile(path(places.lastRan(dataDirectory: directory)), next.text, flushed: true)
            } else {
                let lock = try ArtifactLock(root: root)
                try replaceFile(path(places.lastRan(dataDirectory: directory)), next.text, flushed: true)
                _ = consume lock
            }
        } catch {
            tell(
                .recordFailed,
                "\(error.text): what starts now is not recorded, so nothing will be put back across "
                    + "a minor until 'holdfast check' has looked", installation: guarded.id)
            markMissed(guarded)
        }
    }

    /// Notes that a start went unrecorded, in one of the ways that are left.
    func markMissed(_ guarded: GuardedInstallation?) {
        guard GatePlaces.isUnitName(unit) else { return }
        for mark in places.missed(unit: unit) {
            if access(path(mark), F_OK) == 0 { return }
            makeDirectories(path(split(mark).directory))
            do throws(FileFailure) {
                try writeFile(path(mark), "", flags: 0, flushed: true)
                return
            } catch {
                continue
            }
        }
        // A disk without room for a name still has room for one less; a record that is not there proves nothing.
        if let directory = guarded?.dataDirectory { unlink(path(places.lastRan(dataDirectory: directory))) }
    }

    /// Adds this start to the unit's list.
    ///
    /// Not flushed: where it is lost, the tick sees a start without a record, and trusts *last ran* less.
    private func listStart(of artifact: Artifact?) {
        guard let invocationID, GatePlaces.isUnitName(unit) else { return }
        let version = artifact?.version?.description ?? "-"
        let bytes = artifact?.sha256?.hex ?? artifact?.revision ?? "-"
        let line = [invocationID, String(now.seconds), version, bytes, bootID() ?? "-"]
        var text = ""
        for words in listedStarts().suffix(31) + [line] {
            text += words.joined(separator: " ") + "\n"
        }
        let meanwhile = path(GatePlaces.startsMeanwhile(unit: unit))
        do throws(FileFailure) {
            try replaceFile(path(places.starts(unit: unit)), text, flushed: false)
            unlink(meanwhile)
        } catch {
            try? replaceFile(meanwhile, text, flushed: false)
        }
    }

    /// The unit's recorded starts, oldest first, in words.
    func listedStarts() -> [[String]] {
        let bytes =
            (try? readFile(path(GatePlaces.startsMeanwhile(unit: unit)), largest: 16_384))
            ?? (try? readFile(path(places.starts(unit: unit)), largest: 16_384)) ?? []
        return bytes.split(separator: UInt8(ascii: "\n")).map { line in
            String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
        }
    }

    /// The kernel's name of this boot.
    func bootID() -> String? {
        let bytes = (try? readFile("/proc/sys/kernel/random/boot_id", largest: 64)) ?? []
        return bytes.count == 37 ? String(decoding: bytes.dropLast(), as: UTF8.self) : nil
    }

    /// The digest of the binary, where it was cached for exactly this identity.
    func cachedDigest(of identity: FileIdentity?) -> Digest? {
        guard let identity, GatePlaces.isUnitName(unit),
            let bytes = try? readFile(path(places.known(unit: unit)), largest: 4096),
            let lines = try? SealedLines.read(bytes, title: Self.knownTitle, largest: 4096), lines.count == 2,
            (try? lines[0].identity()) == identity
        else { return nil }
        return try? lines[1].digest(0)
    }

    /// Caches a digest, where the file has been as it is for over two seconds.
    ///
    /// Before Linux 6.13 ctime has the grain of a jiffy: a store just after the hash might not move it.
    func cache(_ digest: Digest, of identity: FileIdentity) {
        guard GatePlaces.isUnitName(unit), identity.changed / 1_000_000_000 < now.seconds - 2 else { return }
        var lines = SealedLines(title: Self.knownTitle)
        lines.add(identity)
        lines.add("sha256", digest.hex)
        try? replaceFile(path(places.known(unit: unit)), lines.text, flushed: false)
    }

    private static let knownTitle = "holdfast-known 1"
}
