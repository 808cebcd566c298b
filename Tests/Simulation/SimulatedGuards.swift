import Model
import Ports

/// The files of a simulated node on which guards are placed.
///
/// The process dies when the fuse has burnt down: what it did until then stays, and everything it then asks for fails.
final class SimulatedGuards: GuardPort {
    struct File: Hashable {
        var text: String
        var identity: FileIdentity
    }

    /// A planted bug.
    enum Bug {
        /// The gate takes every start for one of what ran before.
        case recordsWhatRanBefore
    }

    unowned let world: World
    var bug: Bug?
    /// Told of every effect right before it is performed.
    var onPerform: ((Effect) -> Void)?
    private(set) var files: [String: File] = [:]
    /// Directories of drop-ins.
    private(set) var directories: Set<String> = []
    private(set) var guardFile: String?
    /// Those that were set aside.
    private(set) var guardFilesAside: [String] = []
    /// Why the guard file is not trusted; nil where it is.
    var looseness: String?
    /// Why the guard file cannot be written, though all else can; nil where it can.
    var guardFileTrouble: String?
    /// Why what changed places with an artifact that was put in place cannot be kept; nil where it can.
    var keepTrouble: String?
    /// Told when the effect lock is taken.
    var onTakeLock: (() -> Void)?
    /// What is set, by whomever.
    var settings: [Setting: String] = [:]
    /// Refreshes that snapd was asked to give up.
    private(set) var aborted: [String] = []
    /// Services that were started.
    private(set) var started: [String] = []
    /// snapd, as far as it is asked to refresh.
    let snapd = SimulatedSnapd()
    /// Of what nobody answers: neither snapd nor a cluster.
    var silent: Set<Effect.Lane> = []
    /// How often looks have asked about a setting.
    private(set) var questions: [Setting: Int] = [:]
    /// Files that cannot be read back, though they can be written.
    var unreadable: Set<String> = []
    /// What systemd has read.
    private(set) var loaded: Set<String> = []
    /// The drop-ins of path units by which systemd watches.
    private(set) var watched: Set<String> = []
    /// Whether another process holds the effect lock.
    var isLockedByAnother = false
    /// What the gate left, by name; what was set aside of it.
    var spooled: [String: SpooledFile] = [:]
    var aside: [String] = []
    /// The room on the binaries' file system.
    var space: KeptAside.Space?
    /// How many more steps this process may take; nil for as many as it likes.
    var fuse: Int?
    private var inodes: Int64 = 1000

    init(world: World) { self.world = world }

    /// Everything that is on the node, by path.
    var listing: [String: String] {
        var listing = files.mapValues(\.text)
        for directory in directories { listing[directory] = "directory" }
        listing["guard"] = guardFile
        for (setting, value) in settings { listing[setting.summary] = value }
        return listing
    }

    /// What a look at snapd tells of settings; what it keeps is asked about for itself.
    var lookedAt: [Setting: SettingReading] {
        guard world.snapd != nil else { return [:] }
        var told: [Setting: SettingReading] = [:]
        for setting in [
            Setting(.snapHold, "microk8s"), Setting(.snapChannel, "microk8s"), Setting(.systemHold, "system"),
        ] {
            told[setting] = silent.contains(.snapd) ? .unknown : .value(settings[setting])
        }
        return told
    }

    func put(_ path: String, _ text: String, size: Int64? = nil) {
        inodes += 1
        if path.contains(".d/") { directories.insert(directory(of: path)) }
        files[path] = File(
            text: text,
            identity: FileIdentity(
                device: 1, inode: inodes, size: size ?? Int64(text.utf8.count), modified: inodes,
                changed: inodes))
    }

    func remove(_ path: String) { files[path] = nil }

    /// One step of the process; false where it is dead.
    func burn() -> Bool {
        guard let left = fuse else { return true }
        fuse = max(0, left - 1)
        return left > 0
    }

    private func live() throws(EffectFailure) {
        guard burn() else { throw EffectFailure("the process has died") }
    }

    // MARK: GuardPort

    func look(at places: GuardedPlaces) -> GuardPresence {
        var presence = GuardPresence()
        for path in places.identities {
            presence.identities[path] = files[path]?.identity ?? installed(path)?.identity
        }
        if silent.contains(.node) {
            presence.silentUnits = places.units
        } else {
            for unit in places.units { presence.units[unit] = world.standings[unit] }
        }
        for path in places.contents {
            presence.contents[path] = files[path].map { .bytes(Array($0.text.utf8)) }
        }
        for setting in places.settings {
            questions[setting, default: 0] += 1
            presence.settings[setting] = silent.contains(.snapd) ? .unknown : .value(settings[setting])
        }
        for binary in places.pending { presence.pending[binary] = keptAside(beside: binary) }
        presence.guardFile = guardFile.map { .bytes(Array($0.utf8)) }
        if let looseness, let guardFile {
            presence.guardFile = .unusable(looseness)
            presence.looseGuardFile = Array(guardFile.utf8)
        }
        presence.guardFilesAside = guardFilesAside.indices.map { "/var/lib/holdfast/guard.loose.\($0)" }
        return presence
    }

    func takeLock(patience: Int) throws(EffectFailure) -> Bool {
        try live()
        if !isLockedByAnother { onTakeLock?() }
        return !isLockedByAnother
    }

    func giveLockBack() {}

    func fingerprint(of effect: Effect) throws(EffectFailure) -> Fingerprint {
        try live()
        guard !silent.contains(effect.lane) else { throw EffectFailure("\(effect.lane.rawValue) is silent") }
        return present(effect)
    }

    private func present(_ effect: Effect) -> Fingerprint {
        guard effect.leavesTrace else { return .nothing }
        switch effect {
        case .set(let setting, _): return .setting(settings[setting])
        case .restore(let placed): return .setting(settings[placed.setting])
        case .restart(let restart): return .start(restart.invocation)
        case .replace(let replacement):
            return installed(replacement.binary)?.identity.map { .identity($0) } ?? .missing
        case .start, .abortRefresh, .startServices: return .nothing
        case .refreshSnap: return .setting(world.installedRevision)
        case .backUp, .removeBackup: return .missing
        default: break
        }
        let path = path(of: effect)
        if let file = files[path] { return .identity(file.identity) }
        return directories.contains(directory(of: path)) || !path.contains(".d/")
            ? .missing : .missingDirectory
    }

    func perform(_ effect: Effect, before: Fingerprint) throws(EffectFailure) {
        try live()
        onPerform?(effect)
        switch effect {
        case .storeInVault(let copy), .stageSpare(let copy):
            let found = bytes(at: copy.from)
            guard let digest = found, digest == copy.artifact.sha256?.hex else {
                throw EffectFailure("\(copy.from): other bytes")
            }
            put(copy.to + ".draft", "half")
            try live()
            remove(copy.to + ".draft")
            put(copy.to, digest)
        case .placeDropIn(let path, let text):
            directories.insert(directory(of: path))
            try live()
            put(path, text)
        case .removeDropIn(let dropIn):
            remove(dropIn.path)
            try live()
            if dropIn.madeDirectory { directories.remove(directory(of: dropIn.path)) }
        case .writeLastRan(let record):
            put(record.path, record.text)
            try live()
            for mark in record.marks { remove(mark) }
        case .removeFromVault(let path, _), .removeLastRan(let path): remove(path)
        case .removeSpare(let spare): remove(spare.path)
        case .removePending(let file):
            remove(file.path)
            world.forget(keptAt: file.path)
        case .reloadUnits: loaded = Set(files.keys.filter { $0.contains(".d/") })
        case .restartWatch: watched = loaded.filter { $0.contains(".path.d/") }
        case .set(let setting, let value): settings[setting] = value
        case .replace(let replacement): try replace(replacement)
        case .restart(let restart): try self.restart(restart)
        case .start(let owed):
            world.start(owed.unit)
        case .restore(let placed):
            if settings[placed.setting] == placed.value { settings[placed.setting] = placed.before }
        case .abortRefresh(let refresh):
            aborted.append(refresh.change)
            world.snapd?.refreshes.removeAll { $0.change == refresh.change }
            try live()
        case .startServices(let units):
            started += units
            world.snapd?.leftStopped.removeAll(where: units.contains)
            try live()
        case .refreshSnap(let refresh):
            try snapd.refresh(refresh, from: world.installedRevision)
            try live()
        case .backUp(let backUp):
            // Of a draft nothing is left once it is there.
            put(backUp.directory + ".draft", "half")
            try live()
            remove(backUp.directory + ".draft")
            put(backUp.directory, backUp.step)
        case .removeBackup(let backup): remove(backup.directory)
        }
    }

    func probe(_ intent: Intent) -> EffectProbe {
        guard burn() else { return .unknown("the process has died") }
        guard !silent.contains(intent.effect.lane) else { return .unknown("nobody answers") }
        guard !unreadable.contains(path(of: intent.effect)) else {
            return .unknown("\(path(of: intent.effect)): cannot be read: input/output error")
        }
        switch intent.effect {
        case .storeInVault(let copy), .stageSpare(let copy):
            return files[copy.to]?.text == copy.artifact.sha256?.hex
                ? .done(files[copy.to]?.identity) : unmoved(intent)
        case .placeDropIn(let path, let text): return files[path]?.text == text ? .done(nil) : unmoved(intent)
        case .writeLastRan(let record):
            let isWritten = files[record.path]?.text == record.text
            return isWritten && record.marks.allSatisfy { files[$0] == nil } ? .done(nil) : .notDone
        case .backUp(let backUp): return files[backUp.directory] == nil ? .notDone : .done(nil)
        // The gate may have written it anew at a start meanwhile.
        case .removeLastRan(let path): return files[path] == nil ? .done(nil) : .notDone
        case .removeFromVault, .removeSpare, .removePending, .removeBackup:
            return files[path(of: intent.effect)] == nil ? .done(nil) : unmoved(intent)
        case .removeDropIn(let dropIn):
            let isClean = !dropIn.madeDirectory || !directories.contains(directory(of: dropIn.path))
            return files[dropIn.path] == nil && isClean ? .done(nil) : .notDone
        case .replace(let replacement):
            let found = installed(replacement.binary)
            return found?.artifact.sha256 == replacement.artifact.sha256 ? .done(found?.identity) : .notDone
        case .restart(let restart):
            let now = world.installations.flatMap(\.units).first { $0.name == restart.unit }?.invocationID
            return now == restart.invocation ? .notDone : .done(nil)
        case .start(let owed): return world.standings[owed.unit]?.isUp == true ? .done(nil) : .notDone
        case .reloadUnits, .restartWatch: return .notDone
        case .set(let setting, let value): return settings[setting] == value ? .reads(value) : .notDone
        case .abortRefresh(let refresh): return aborted.contains(refresh.change) ? .done(nil) : .notDone
        case .refreshSnap(let refresh): return snapd.probe(refresh, installed: world.installedRevision)
        case .startServices(let units):
            return started.suffix(units.count) == units[...] ? .done(nil) : .notDone
        case .restore(let placed):
            return settings[placed.setting] == placed.value && placed.value != placed.before
                ? .notDone : .reads(settings[placed.setting])
        }
    }

    private func unmoved(_ intent: Intent) -> EffectProbe {
        let now = present(intent.effect)
        return now == intent.before || !now.isThere
            ? .notDone : .unknown("\(path(of: intent.effect)) is neither the one nor the other")
    }

    func undo(_ intent: Intent) throws(EffectFailure) {
        try live()
        switch intent.effect {
        case .storeInVault(let copy), .stageSpare(let copy): remove(copy.to + ".draft")
        case .replace(let replacement):
            if let keepTrouble { throw EffectFailure(keepTrouble) }
            remove(replacement.binary + ".staged")
        case .backUp(let backUp): remove(backUp.directory + ".draft")
        case .placeDropIn(let path, _):
            if intent.before == .missingDirectory { directories.remove(directory(of: path)) }
        default: break
        }
    }

    func writeGuardFile(_ text: String?) throws(EffectFailure) {
        try live()
        if let guardFileTrouble { throw EffectFailure(guardFileTrouble) }
        guardFile = text
        looseness = nil
    }

    func setGuardFileAside() throws(EffectFailure) {
        try live()
        if let guardFile { guardFilesAside.append(guardFile) }
        guardFile = nil
        looseness = nil
    }

    /// The guard file is lost, or somebody puts an older one in its place.
    func replaceGuardFile(_ text: String?) { guardFile = text }

    /// A person puts the newest of those that were set aside in its place again.
    func putGuardFileBack() { guardFile = guardFilesAside.popLast() }

    // MARK: SpoolPort

    func spool(most: Int, largest: Int) -> SpoolFinding {
        var finding = SpoolFinding()
        finding.aside = "/var/lib/holdfast/spool-unreadable"
        finding.keptAside = aside.count
        finding.files = Array(spooled.values.sorted { $0.name < $1.name }.prefix(most))
        return finding
    }

    func remove(spooled name: String) throws(EffectFailure) {
        try live()
        spooled[name] = nil
    }

    func setAside(spooled name: String) throws(EffectFailure) {
        try live()
        if spooled.removeValue(forKey: name) != nil { aside.append(name) }
    }

    // MARK: Places

    private func keptAside(beside binary: String) -> KeptAside? {
        let directory = PendingNames.directory(beside: binary) + "/"
        let own = binary.split(separator: "/").last.map(String.init) ?? binary
        let kept = files.filter { path, _ in
            path.hasPrefix(directory) && PendingNames.isName(String(path.dropFirst(directory.count)), of: own)
        }
        .map { PendingFile(path: $0.key, identity: $0.value.identity) }.sorted { $0.path < $1.path }
        return kept.isEmpty ? nil : KeptAside(files: kept, space: space)
    }

    private func bytes(at path: String) -> String? {
        if let file = files[path] { return file.text }
        let offered = world.installations.flatMap(\.offers).first { $0.path == path }
        return (installed(path)?.artifact ?? offered?.artifact)?.sha256?.hex
    }

    private func installed(_ path: String) -> Installed? {
        world.installations.compactMap(\.installed).first { $0.path == path }
    }

    private func replace(_ replacement: Replacement) throws(EffectFailure) {
        let source: String
        switch replacement.source {
        case .spare(let spare): source = spare.path
        case .vault(let path):
            put(replacement.binary + ".staged", bytes(at: path) ?? "")
            source = replacement.binary + ".staged"
        }
        try live()
        guard settings[Setting(.seal, replacement.binary)] == nil else {
            throw EffectFailure("\(replacement.binary): it is immutable")
        }
        guard files[source]?.text == replacement.artifact.sha256?.hex,
            installed(replacement.binary)?.identity == replacement.seen
        else { throw EffectFailure("\(replacement.binary): somebody replaced it meanwhile") }
        if let record = replacement.lastRan, files[record.path]?.text != record.text {
            throw EffectFailure("\(replacement.binary): its unit was started meanwhile")
        }
        if let pending = replacement.pending, let old = installed(replacement.binary)?.artifact {
            world.keep(old, at: "\(pending)/\(old.sha256?.short ?? "")", of: replacement.installation)
        }
        remove(source)
        inodes += 1
        world.put(replacement.artifact, inode: inodes, at: replacement.binary)
        try live()
    }

    private func restart(_ restart: UnitRestart) throws(EffectFailure) {
        world.start(restart.unit)
        try live()
    }

    private func path(of effect: Effect) -> String {
        switch effect {
        case .storeInVault(let copy), .stageSpare(let copy): copy.to
        case .removeFromVault(let path, _), .placeDropIn(let path, _), .removeLastRan(let path): path
        case .removeSpare(let spare): spare.path
        case .removePending(let file): file.path
        case .removeDropIn(let dropIn): dropIn.path
        case .writeLastRan(let record): record.path
        case .replace(let replacement): replacement.binary
        case .backUp(let backUp): backUp.directory
        case .removeBackup(let backup): backup.directory
        case .reloadUnits, .restartWatch, .set, .restore, .restart, .start, .abortRefresh, .startServices,
            .refreshSnap:
            ""
        }
    }

    private func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
