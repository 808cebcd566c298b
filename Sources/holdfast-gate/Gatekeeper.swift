import Gate
import Glibc
import Model

/// Sees, decides and acts before one start.
struct Gatekeeper {
    let report: Report
    /// Exit statuses: only 77 refuses.
    enum Status: Int32 { case start = 0, refuse = 77 }

    /// Every way out but a refusal lets the unit start (invariant 3).
    func run() -> Status {
        let file = report.path(report.places.guardFile)
        // What moves while it is decided is looked at again, but not for ever.
        for attempt in 1...3 {
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try readFile(file, largest: GuardFile.largest, trusted: true)
            } catch {
                let isMissing = error.code == ENOENT || error.code == ENOTDIR
                return unguarded(
                    isMissing ? .guardMissing : .guardUnreadable,
                    isMissing
                        ? "there is no guard file at \(file): it starts unguarded; run 'holdfast adopt'"
                        : "\(error.text): it starts unguarded; run 'holdfast doctor'")
            }
            let guardFile: GuardFile
            do throws(GuardFileError) {
                guardFile = try GuardFile.parse(bytes)
            } catch {
                return unguarded(
                    .guardUnreadable,
                    "\(file) cannot be used (\(error)): it starts unguarded; 'holdfast check' writes it anew")
            }
            guard let guarded = guardFile.installation(ofUnit: report.unit) else {
                return unguarded(
                    .notGuarded, "\(file) does not name this unit: it starts unguarded; run 'holdfast adopt'")
            }
            if guarded.id.distribution == .microk8s {
                return ServiceStart(report: report, guarded: guarded, pausedUntil: guardFile.pausedUntil)
                    .run()
            }
            guard let binary = guarded.binary else {
                return unguarded(.notGuarded, "the guard file names no binary for it: it starts unguarded")
            }
            let start = UnitStart(
                report: report, guarded: guarded, pausedUntil: guardFile.pausedUntil,
                binary: report.path(binary), isLast: attempt == 3)
            do throws(PutBackFailure) {
                return try start.run { (try? readFile(file, largest: GuardFile.largest)) == bytes }
            } catch {
                // Anything but `moved` has been dealt with inside.
                continue
            }
        }
        return unguarded(.restoreFailed, "its binary or the guard file keeps changing: it starts as it is")
    }

    private func unguarded(_ reason: GateReason, _ text: String) -> Status {
        report.tell(reason, text, installation: nil)
        report.markMissed(nil)
        return .start
    }
}

/// One start of a unit that has a binary of its own.
private struct UnitStart {
    let report: Report
    let guarded: GuardedInstallation
    let pausedUntil: Instant?
    let binary: String
    /// Whether there is no further look where the binary moves.
    let isLast: Bool

    func run(isCurrent: () -> Bool) throws(PutBackFailure) -> Gatekeeper.Status {
        var hashed = HashFinding.notTaken
        while true {
            let seen = observe(hashed)
            switch decide(seen) {
            case .allow(let reason, let artifact, let text):
                return allow(reason, artifact, text, seen)
            case .refuse(let text):
                report.tell(.refused, text, installation: guarded.id)
                return .refuse
            case .hash:
                // Asked for once: what it finds is never `notTaken`.
                hashed = try hashBinary(seen.binary)
            case .restore(let artifact, .spare(let path, let identity)):
                let spare = report.path(path)
                guard isExecutable(spare) else {
                    return allow(
                        .restoreFailed, nil, "\(spare) is not executable: what is there starts", seen)
                }
                return try put(artifact, from: spare, spare: identity, seen, isCurrent)
            case .restore(let artifact, .vault(let path, let digest)):
                let copy: String
                do throws(PutBackFailure) {
                    copy = try putBack(seen).copy(from: report.path(path), digest: digest)
                } catch {
                    return try giveUp(error, seen)
                }
                defer { unlink(copy) }
                return try put(artifact, from: copy, spare: nil, seen, isCurrent)
            }
        }
    }

    private func decide(_ seen: GateObservation) -> GateDecision {
        decideStart(guarded, pausedUntil: pausedUntil, seen: seen, now: report.now)
    }

    private func observe(_ hashed: HashFinding) -> GateObservation {
        let found = find(binary)
        var seen = GateObservation(binary: found, hash: hashed, lastRan: report.lastRan(of: guarded))
        // In steady state the guard file knows the file; nothing more is looked at.
        if let identity = found.identity,
            guarded.approved.contains(where: { $0.identities.contains(identity) })
        {
            return seen
        }
        seen.cached = report.cachedDigest(of: found.identity)
        if let spare = guarded.spare { seen.spare = find(report.path(spare.path)) }
        if let digest = guarded.approved.first?.artifact.sha256, let path = guarded.vaultPath(of: digest) {
            seen.inVault = find(report.path(path)).identity != nil
        }
        return seen
    }

    private func hashBinary(_ found: FileFinding) throws(PutBackFailure) -> HashFinding {
        let finding: HashFinding
        do throws(FileFailure) {
            let (digest, identity) = try hash(binary, limit: 1000)
            finding =
                found == .file(identity) ? .taken(digest) : .failed("\(binary) changed while it was read")
        } catch {
            finding = .failed(error.text)
        }
        guard find(binary) == found else {
            // Another gate, or a tick, may have put the approved artifact in its place: that is looked at instead. What
            // never stays for long enough to be hashed is swapped unhashed.
            if !isLast { throw .moved }
            return .failed("\(binary) changed while it was read")
        }
        if case .taken(let digest) = finding, let identity = found.identity {
            report.cache(digest, of: identity)
        }
        return finding
    }

    private func allow(
        _ reason: GateReason, _ artifact: Artifact?, _ text: String, _ seen: GateObservation
    ) -> Gatekeeper.Status {
        if reason.isTold { report.tell(reason, text, installation: guarded.id) }
        if seen.binary != .missing {
            report.recordStart(of: artifact, guarded, seen.lastRan, isLocked: false)
        }
        return .start
    }

    private func put(
        _ artifact: Artifact, from source: String, spare: FileIdentity?, _ seen: GateObservation,
        _ isCurrent: () -> Bool
    ) throws(PutBackFailure) -> Gatekeeper.Status {
        let lock: ArtifactLock
        do throws(FileFailure) {
            lock = try ArtifactLock(root: report.root)
        } catch {
            report.markMissed(guarded)
            report.tell(.locked, "\(error.text): what is there starts", installation: guarded.id)
            return .start
        }
        // Decided without the lock, so decided again with it.
        let kept: String?
        do throws(PutBackFailure) {
            guard isCurrent(), find(binary) == seen.binary, report.lastRan(of: guarded) == seen.lastRan else {
                throw .moved
            }
            if let spare, find(source) != .file(spare) { throw .moved }
            report.recordStart(of: artifact, guarded, seen.lastRan, isLocked: true)
            kept = try putBack(seen).rename(from: source, isSpare: spare != nil)
            _ = consume lock
        } catch {
            return try giveUp(error, seen)
        }
        let isKept = kept.map { $0.hasPrefix(putBack(seen).pending + "/") } ?? false
        let old =
            switch kept {
            case nil: "nothing was there"
            case .some(let path) where isKept:
                "what was there is kept as \(path), 'holdfast approve' lists it"
            // It had to change places with the spare, and found no room where such things are kept.
            case .some(let path): "what was there is \(path) until 'holdfast check' keeps it with the others"
            }
        report.tell(
            .restored,
            "\(binary) \(objection(seen)): \(artifact.summary) has been put back and starts; \(old); "
                + "'holdfast pause --for 2h --reason …' lifts all guards for a while",
            installation: guarded.id, restored: artifact, pending: isKept ? kept.map(report.nodePath) : nil)
        return .start
    }

    /// What was wrong with what was there; in steady state it is swapped unhashed, and then nobody knows its bytes.
    private func objection(_ seen: GateObservation) -> String {
        if seen.binary == .missing { return "was not there" }
        if case .taken = seen.hash { return "was not approved" }
        return seen.cached == nil ? "was not known to be approved" : "was not approved"
    }

    private func giveUp(_ error: PutBackFailure, _ seen: GateObservation) throws(PutBackFailure)
        -> Gatekeeper.Status
    {
        guard case .failed(let text) = error else { throw error }
        return allow(.restoreFailed, nil, "\(text): what is there starts; run 'holdfast doctor'", seen)
    }

    private func putBack(_ seen: GateObservation) -> PutBack {
        PutBack(
            report: report, guarded: guarded, binary: binary,
            pending: guarded.pending.map(report.path) ?? PendingNames.directory(beside: binary),
            seen: seen.binary)
    }

    private func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o111 != 0
    }
}
