import Host
import Model
import Ports

/// One look at a distribution that is a program with a unit, which K3s and k0s both are.
struct BinaryLook {
    let distribution: Distribution
    let site: Site
    let reading: ClockReading
    var problems: [Problem] = []

    // MARK: On disk

    /// Learns what is on disk at a place of the node, or takes over what is known of it.
    mutating func installed(at path: String, _ memory: inout ObserverMemory) -> Installed {
        do {
            let place = try site.root.resolve(path)
            let known = memory.files[place]
            let found = try inspect(place, distribution: distribution, known: known, now: reading.now)
            memory.files[place] = found.known
            return Installed(
                artifact: Artifact(version: found.known.version, sha256: found.sha256), path: path,
                evidence: found.known.evidence,
                // Its bytes are its own word; the catalogue may make more of it.
                origin: found.known.version == nil ? .unknown : .claimed, unreadable: found.known.unreadable,
                identity: found.known.identity, architecture: found.known.architecture,
                // However another binary comes here, by an installer, a plan or a person, it replaces the file.
                cause: .fileReplaced)
        } catch {
            if error.isAbsence { report(missing: path) }
            return Installed(
                artifact: Artifact(version: nil), path: path, evidence: .unreadable, origin: .unknown,
                unreadable: error.isAbsence ? "missing: there is no file at \(path)" : error.description,
                identity: (try? site.root.resolve(path)).flatMap { try? identity(ofFile: $0) },
                cause: .fileReplaced)
        }
    }

    private mutating func report(missing path: String) {
        let problem = Problem(
            code: Problem.binaryMissing,
            text: "\(path): there is no file, but a unit of \(distribution.displayName) runs it; "
                + "put it back, or remove the unit and the data directory",
            about: path)
        // Two units can run one binary.
        if !problems.contains(problem) { problems.append(problem) }
    }

    // MARK: Running

    /// What runs, from what the adapter was told and from the main process itself; nil where nothing runs.
    ///
    /// - Parameter answers: what the distribution itself says, the most trustworthy first.
    mutating func running(
        _ state: UnitObservation, _ installed: Installed, of id: InstallationID, answers: [Running.Source],
        _ memory: inout ObserverMemory
    ) -> Running? {
        guard site.root.isLive else {
            return answers.isEmpty ? nil : Running(version: answers.firstVersion, sources: answers)
        }
        guard state.isRunning else { return nil }
        var sources = answers
        let process = process(state.mainPID, of: id)
        let executable = process.map { learn($0, installed, of: id, &memory) }
        if let version = executable?.version {
            sources.append(Running.Source(source: .processExecutable, version: version))
        }
        let start = state.invocationID.flatMap { invocation in
            memory.starts[id.description].flatMap { $0.invocationID == invocation ? $0.sha256 : nil }
        }
        let pending = restartIsPending(
            StartEvidence(
                installed: installed, place: try? site.root.resolve(installed.path), process: process,
                executable: executable, startedFrom: start))
        if pending == false {
            if let version = installed.artifact.version {
                sources.append(Running.Source(source: .installedFile, version: version))
            }
            if let digest = installed.artifact.sha256, let invocation = state.invocationID {
                memory.starts[id.description] = ObserverMemory.KnownStart(
                    invocationID: invocation, sha256: digest)
            }
        }
        let version = sources.firstVersion
        // The digest is the installed file's, not that of a program which it unpacked and became.
        let digest = pending == false ? installed.artifact.sha256 : start ?? executable?.sha256
        return Running(
            version: version, sources: sources, invocationID: state.invocationID, restartPending: pending,
            startedFrom: digest.map { Artifact(version: version, sha256: $0) })
    }

    private mutating func process(_ number: Int32, of id: InstallationID) -> ProcessFacts? {
        guard number > 0 else { return nil }
        do {
            return try ProcessFacts(process: number)
        } catch {
            // A process that has ended meanwhile is no problem: the next look sees what came after it.
            if error.isDenial {
                problems.append(
                    Problem(
                        code: "process-unreadable",
                        text:
                            "\(error.description), so what runs cannot be told from its executable; run this as root",
                        about: id.description))
            }
            return nil
        }
    }

    /// Learns what the executable of a process is; nothing is read while it is one that was read before.
    private func learn(
        _ process: ProcessFacts, _ installed: Installed, of id: InstallationID, _ memory: inout ObserverMemory
    ) -> KnownFile {
        let key = "\(id) executable"
        if let identity = installed.identity, identity.isSameFile(as: process.identity) {
            let known = KnownFile(
                path: process.executable, identity: process.identity, sha256: installed.artifact.sha256,
                version: installed.artifact.version, evidence: installed.evidence,
                unreadable: installed.unreadable,
                architecture: installed.architecture, hashedAt: reading.now)
            // Kept without the time, so that an unchanged node has an unchanged memory.
            if memory.files[key]?.identity != known.identity || memory.files[key]?.sha256 != known.sha256 {
                memory.files[key] = known
            }
            return known
        }
        if let known = memory.files[key], known.identity.isSameFile(as: process.identity) { return known }
        let facts = readArtifact(at: process.openablePath, distribution: distribution)
        // Only an executable that once stood at the installed place is compared with what stands there now.
        let wasInstalled = process.isDeleted && process.executable == (try? site.root.resolve(installed.path))
        let known = KnownFile(
            path: process.executable, identity: process.identity,
            sha256: wasInstalled ? try? hashFile(process.openablePath) : nil, version: facts.version,
            evidence: facts.evidence, unreadable: facts.unreadable, architecture: facts.architecture,
            hashedAt: reading.now)
        memory.files[key] = known
        return known
    }

    /// An answer that is remembered while neither the binary nor the start has moved, else a new one.
    ///
    /// Where there is no new one, an earlier one about the same start still counts: a process does not change its version.
    func remembered(
        _ key: String, _ state: UnitObservation, _ installed: Installed, _ memory: inout ObserverMemory,
        ask: () -> Version?
    ) -> Version? {
        let known = memory.apiAnswers[key].flatMap { answer in
            answer.invocationID != nil && answer.invocationID == state.invocationID ? answer : nil
        }
        if let known, known.identity == installed.identity { return known.version }
        guard let version = ask() else { return known?.version }
        memory.apiAnswers[key] = ObserverMemory.APIAnswer(
            version: version, invocationID: state.invocationID, identity: installed.identity)
        return version
    }
}

/// What tells whether the file on disk is still what the main process was started from.
struct StartEvidence {
    var installed: Installed
    /// Where the installed file is on this machine.
    var place: String?
    var process: ProcessFacts?
    var executable: KnownFile?
    /// The digest that the installed file had when an earlier look found it untouched since this start.
    var startedFrom: Digest?
}

/// Whether a restart would start something else than what runs; nil where that cannot be told.
///
/// Pure. K3s unpacks another program and runs that, so there only times and digests tell; a change of the file's metadata
/// alone looks like a replacement until a digest says otherwise.
func restartIsPending(_ evidence: StartEvidence) -> Bool? {
    let installed = evidence.installed
    let digest = installed.artifact.sha256
    if let process = evidence.process, let identity = installed.identity,
        identity.isSameFile(as: process.identity)
    {
        return false
    }
    if let startedFrom = evidence.startedFrom, let digest { return startedFrom != digest }
    guard let process = evidence.process else { return nil }
    // The file is not there.
    guard let identity = installed.identity else { return true }
    if process.executable == evidence.place {
        if let executable = evidence.executable, let ran = executable.sha256, let digest {
            return ran != digest
        }
        if let ran = evidence.executable?.version, let now = installed.artifact.version, ran != now {
            return true
        }
        return nil
    }
    let (latest, overflow) = process.started.addingReportingOverflow(ProcessFacts.grain)
    return overflow ? nil : identity.changed > latest
}

extension FileIdentity {
    /// Whether both are one file with the bytes that it had: a running executable cannot be written to (ETXTBSY), but
    /// its change time moves when its name goes.
    func isSameFile(as other: FileIdentity) -> Bool {
        device == other.device && inode == other.inode && size == other.size && modified == other.modified
    }
}

extension UnitObservation {
    /// Whether a main process may be there.
    fileprivate var isRunning: Bool {
        // "activating" without one waits for its next start.
        mainPID > 0 || ["active", "reloading", "refreshing"].contains(activeState ?? "")
    }
}

extension [Running.Source] {
    fileprivate var firstVersion: Version? { lazy.compactMap(\.version).first }
}
