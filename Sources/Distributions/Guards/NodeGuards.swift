public import Host
public import Model
public import Ports

/// Guards as files of a node and what systemd is told of them.
public final class NodeGuards: GuardPort {
    let root: Root
    /// The state directory, as the node has it.
    let state: String
    /// Who reads and writes settings, by kind; one without is not ours to set here.
    let settings: [Setting.Kind: any SettingPort]
    /// Who runs a distribution's own programs.
    let transientUnits: any TransientUnits
    private var lock: HeldLock?

    /// The longest small file that is read: drop-ins, records, the guard file.
    static let smallFile = 65_536

    /// Makes the port of a node.
    ///
    /// - Parameters:
    ///   - state: the state directory, as the node has it.
    ///   - settings: who reads and writes settings, by kind.
    ///   - transientUnits: who runs a distribution's own programs.
    public init(
        root: Root, state: String, settings: [Setting.Kind: any SettingPort] = [:],
        transientUnits: any TransientUnits = SystemdTransientUnits()
    ) {
        self.transientUnits = transientUnits
        self.root = root
        self.state = state
        self.settings = settings
    }

    private var guardFile: String { "\(state)/guard" }
    /// The names of those that were set aside; a node that needs more than one has lost its ledger more than once.
    private var asides: [String] { ["", ".1", ".2", ".3"].map { "\(guardFile).loose\($0)" } }

    // MARK: Looking

    /// What is at those places, links not followed.
    public func look(at places: GuardedPlaces) -> GuardPresence {
        var presence = GuardPresence()
        for path in places.identities {
            presence.identities[path] = (try? place(path)).flatMap { try? identityIfPresent(ofFile: $0) }
        }
        for path in places.contents { presence.contents[path] = content(of: path) }
        for setting in places.settings {
            // Not `try?`, which makes one of what is not set and what cannot be asked.
            do throws(EffectFailure) {
                presence.settings[setting] = .value(try read(setting))
            } catch {
                presence.settings[setting] = .unknown
                presence.refusals[setting] = error.description
            }
        }
        if root.isLive {
            for unit in places.units {
                presence.units[unit] = standing(of: unit)
                if presence.units[unit] == nil { presence.silentUnits.insert(unit) }
            }
        }
        for binary in places.pending { presence.pending[binary] = keptAside(beside: binary) }
        // By the gate's own test: one that it does not go by is not in force, and is no seed of a ledger.
        presence.guardFile = content(of: guardFile, trusted: true)
        if case .unusable = presence.guardFile, case .bytes(let bytes) = content(of: guardFile) {
            presence.looseGuardFile = bytes
        }
        presence.guardFilesAside = asides.filter(isThere)
        return presence
    }

    private func content(of path: String, trusted: Bool = false) -> GuardPresence.FileContent? {
        do throws(HostError) {
            return try readFileIfPresent(try place(path), limit: Self.smallFile, trusted: trusted)
                .map { .bytes($0) }
        } catch {
            return .unusable(error.description)
        }
    }

    /// Where a path of the node is on this machine; its last name is never followed, since what is changed is that name.
    func place(_ path: String) throws(HostError) -> String {
        guard !root.isLive, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            return try root.resolve(path)
        }
        return try root.resolve(String(path[..<slash])) + path[slash...]
    }

    // MARK: The effect lock

    /// Takes the effect lock of the state directory.
    public func takeLock(patience: Int) throws(EffectFailure) -> Bool {
        try failing { () throws(HostError) in
            guard !root.isLive || Machine.effectiveUser == 0 else {
                throw HostError(
                    description: "guards are placed and taken away by root alone: run this as root")
            }
            guard let taken = try FileLock.take(try place("\(state)/effect.lock"), patience: patience)
            else { return false }
            lock = HeldLock(taken)
            return true
        }
    }

    /// Gives it back.
    public func giveLockBack() { lock = nil }

    // MARK: The guard file

    /// Replaces the guard file, or takes it away.
    public func writeGuardFile(_ text: String?) throws(EffectFailure) {
        try failing { () throws(HostError) in
            let path = try place(guardFile)
            if let text {
                try writeFileAtomically(path, Array(text.utf8), mode: 0o600)
            } else {
                try removeFile(path)
                removeDrafts(of: path)
            }
        }
    }

    /// Gives the guard file the first free name of those that are set aside, or the last where none is free.
    public func setGuardFileAside() throws(EffectFailure) {
        try failing { () throws(HostError) in
            let aside = asides.first { !isThere($0) } ?? "\(guardFile).loose.3"
            try moveFile(try place(guardFile), to: try place(aside))
        }
    }

    private func isThere(_ path: String) -> Bool {
        (try? place(path)).flatMap { try? identityIfPresent(ofFile: $0) } != nil
    }

    /// Runs a closure, and hands its error on as one of an effect.
    func failing<Result>(_ body: () throws(HostError) -> Result) throws(EffectFailure) -> Result {
        do {
            return try body()
        } catch {
            throw EffectFailure(error.description)
        }
    }
}

/// Keeps a lock in a property that can be emptied.
private final class HeldLock {
    private let lock: FileLock

    init(_ lock: consuming FileLock) { self.lock = lock }
}
