/// What we have done to a node and not yet taken back: what `release` is to undo, and nothing else (invariant 10).
///
/// A fold over intents and their ends. What is about to be placed is recorded before it is placed.
public struct GuardRecords: Codable, Hashable, Sendable {
    /// Effects that were begun and not ended; at most one while everything goes well.
    public var intents: [Intent] = []
    /// Why some of them could not be done, or cannot be judged; empty while all goes well.
    @OmittedWhenEmpty public var troubles: [IntentTrouble] = []
    /// Artifacts in the vault, by path.
    public var vault: [String: Digest] = [:]
    /// Spares, by path.
    public var spares: [String: StagedSpare] = [:]
    /// Drop-ins, by path.
    public var dropIns: [String: PlacedDropIn] = [:]
    /// Records of what last ran, by path, with the adoption at which they began.
    public var lastRan: [String: Instant] = [:]
    /// Settings that we placed.
    ///
    /// In order of kind and subject.
    @OmittedWhenEmpty public var settings: [PlacedSetting] = []
    /// Whether systemd has not been told yet of what changed in its unit files.
    public var needsReload = false
    /// Units to be started, since their binary was missing and has been put back.
    @OmittedWhenEmpty public var owedStarts: [OwedStart] = []
    /// Whether our path units still watch what they did before a drop-in of theirs changed; nil where they do not.
    public var needsWatch: Bool?

    /// Nothing was done.
    public init() {}

    /// Whether nothing of ours is left.
    public var isEmpty: Bool { self == GuardRecords() }

    mutating func begin(_ intent: Intent) {
        intents.append(intent)
        // Recorded as ours before it is there.
        if case .placeDropIn(let path, let text) = intent.effect, dropIns[path] == nil {
            dropIns[path] = PlacedDropIn(
                path: path, text: text, madeDirectory: intent.before == .missingDirectory)
        }
        if case .set(let setting, let value) = intent.effect {
            var placed = self.setting(setting) ?? PlacedSetting(setting: setting, value: value)
            if self.setting(setting) == nil, case .setting(let before) = intent.before {
                placed.before = before
            }
            placed.value = value
            placed.seen = nil
            keep(placed)
        }
    }

    mutating func end(_ end: EffectEnd) {
        guard let intent = intents.first(where: { $0.id == end.intent }) else { return }
        switch end.outcome {
        case .failed(let text):
            trouble(intent, "guard-failed", text)
        case .unknown(let text):
            trouble(intent, "intent-unknown", text)
        case .undone:
            intents.removeAll { $0.id == end.intent }
            troubles.removeAll { $0.intent == intent.id }
            // Where another text was there before, that one is still ours.
            if case .placeDropIn(let path, _) = intent.effect, !intent.before.isThere { dropIns[path] = nil }
            // One that was ours before stays ours.
            if case .set(let setting, _) = intent.effect, case .setting(let before) = intent.before,
                self.setting(setting)?.before == before
            {
                forget(setting)
            }
        case .takenBack:
            intents.removeAll { $0.id == end.intent }
            troubles.removeAll { $0.intent == intent.id }
        case .done(let identity):
            intents.removeAll { $0.id == end.intent }
            troubles.removeAll { $0.intent == intent.id }
            done(intent, identity)
        case .reads(let value):
            intents.removeAll { $0.id == end.intent }
            troubles.removeAll { $0.intent == intent.id }
            switch intent.effect {
            case .set(let setting, _):
                guard var placed = self.setting(setting) else { break }
                placed.seen = value
                keep(placed)
            case .restore(let placed): forget(placed.setting)
            default: break
            }
        }
    }

    /// What we placed of a setting; nil where nothing of it is ours.
    public func setting(_ setting: Setting) -> PlacedSetting? { settings.first { $0.setting == setting } }

    private mutating func keep(_ placed: PlacedSetting) {
        forget(placed.setting)
        settings.append(placed)
        settings.sort { $0.setting < $1.setting }
    }

    private mutating func forget(_ setting: Setting) { settings.removeAll { $0.setting == setting } }

    private mutating func trouble(_ intent: Intent, _ code: String, _ text: String) {
        troubles.removeAll { $0.intent == intent.id }
        troubles.append(
            IntentTrouble(
                intent: intent.id,
                problem: Problem(code: code, text: text, about: intent.effect.lane.rawValue)))
    }

    private mutating func changed(_ dropIn: String) {
        needsReload = true
        if dropIn.split(separator: "/").contains(where: { $0.hasSuffix(".path.d") }) { needsWatch = true }
    }

    private mutating func done(_ intent: Intent, _ identity: FileIdentity?) {
        switch intent.effect {
        case .storeInVault(let copy): vault[copy.to] = copy.artifact.sha256
        case .removeFromVault(let path, _): vault[path] = nil
        case .stageSpare(let copy):
            guard let identity else { return }
            spares[copy.to] = StagedSpare(
                installation: copy.installation, path: copy.to, artifact: copy.artifact, identity: identity)
        case .removeSpare(let spare): spares[spare.path] = nil
        case .placeDropIn(let path, let text):
            dropIns[path]?.text = text
            changed(path)
        case .removeDropIn(let dropIn):
            dropIns[dropIn.path] = nil
            changed(dropIn.path)
        case .reloadUnits: needsReload = false
        case .restartWatch: needsWatch = nil
        case .writeLastRan(let record): lastRan[record.path] = record.since
        case .removeLastRan(let path): lastRan[path] = nil
        case .replace(let replacement):
            guard let owed = replacement.owes else { return }
            owedStarts.removeAll { $0.unit == owed.unit }
            owedStarts.append(owed)
        case .start(let owed): owedStarts.removeAll { $0.unit == owed.unit }
        case .removePending, .set, .restore, .restart, .abortRefresh, .startServices, .refreshSnap, .backUp,
            .removeBackup:
            break
        }
    }
}

/// Why an intent could not be carried out.
public struct IntentTrouble: Codable, Hashable, Sendable {
    /// The intent's id.
    public var intent: String
    /// What is wrong, and what to do about it.
    public var problem: Problem
}

extension Fingerprint {
    /// Whether something was there.
    public var isThere: Bool {
        switch self {
        case .nothing, .missing, .missingDirectory: false
        case .content, .identity: true
        case .start(let invocation): invocation != nil
        case .setting(let value): value != nil
        }
    }
}

/// A person's word that the artifact of an installation is what this node is meant to run.
public struct Adoption: Codable, Hashable, Sendable {
    /// Which installation.
    public var installation: InstallationID
    /// What it is meant to run.
    public var artifact: Artifact
    /// When, by this node's clock.
    public var at: Instant

    /// Makes an adoption.
    public init(installation: InstallationID, artifact: Artifact, at: Instant) {
        self.installation = installation
        self.artifact = artifact
        self.at = at
    }
}

/// A person's wish that no guard stands in the way for a while.
public struct Pause: Codable, Hashable, Sendable {
    /// Exclusive.
    public var until: Instant
    /// Why, in the person's words.
    public var reason: String

    /// Makes a pause.
    public init(until: Instant, reason: String) {
        self.until = until
        self.reason = reason
    }
}

/// The end of a pause.
public struct Resumption: Codable, Hashable, Sendable {
    /// The pause that is over.
    public var pause: Pause
    /// Whether it ended by itself.
    public var isByTime: Bool

    /// Makes an end.
    public init(pause: Pause, isByTime: Bool) {
        self.pause = pause
        self.isByTime = isByTime
    }
}
