import Gate
import Model
import Ports

/// What is put back in a binary's place outside a start, and what is started since its binary was missing.
///
/// The gate's own decision, made by the same function; added to it is when: never while an installer may be at work
/// (k0sctl stops, installs, then checks), so the file has been quiet for a minute and the unit runs. Where the unit
/// runs the unapproved artifact already nothing is done here: to put the approved one back takes a restart, an outage
/// that nobody has asked for, and the gate does it at the next start anyway, as far as invariant 12 lets it.
struct ReplacePlan {
    /// In the order in which they are to be performed.
    var effects: [Effect] = []

    /// How long a file must have been quiet or missing, longer than installers take between two of their steps.
    static let quiet = TimeSpan.minutes(1)
    /// How long a start is owed; whoever has had that long to look has decided otherwise.
    private static let owing = TimeSpan.minutes(10)

    private let situation: GuardSituation
    private let presence: GuardPresence
    private var now: Instant { situation.observation.clock.now }

    init(_ situation: GuardSituation, _ presence: GuardPresence) {
        self.situation = situation
        self.presence = presence
    }

    /// Plans for one installation, whose spare is in its place.
    mutating func plan(_ wanted: WantedGate) {
        // A step knows what it does to the binary.
        guard wanted.isSeen, situation.state.step?.change.installation != wanted.installation.id else {
            return
        }
        if let replacement = missing(wanted) ?? unapproved(wanted) {
            effects.append(.replace(replacement))
        }
        let owed = situation.records.owedStarts.first { $0.installation == wanted.installation.id }
        if let owed, now < owed.since + Self.owing, let standing = presence.units[owed.unit],
            standing.isUp || (standing.isEnabled && situation.state.pause == nil)
        {
            effects.append(.start(owed))
        }
    }

    private func unapproved(_ wanted: WantedGate) -> Replacement? {
        let installation = wanted.installation
        guard let installed = installation.installed, let digest = installed.artifact.sha256,
            digest != wanted.digest, let identity = installed.identity,
            // What was done since the look is looked at first.
            presence.identities[wanted.binary] == identity,
            isQuiet(identity), let unit = installation.units.first, unit.activeState == "active",
            installation.units.allSatisfy({ !["activating", "deactivating"].contains($0.activeState) }),
            // Nobody can tell what runs, or it is what lies there.
            let running = installation.running, running.restartPending == true,
            running.startedFrom?.sha256 != digest,
            // What is allowed is carried out rather than put back.
            !wanted.known.isAllowed(digest)
        else { return nil }
        return replacement(wanted, .file(identity), hashed: .taken(digest), owes: nil)
    }

    private func missing(_ wanted: WantedGate) -> Replacement? {
        let installation = wanted.installation
        guard installation.installed?.isMissing == true, presence.identities[wanted.binary] == nil,
            let since = wanted.known.missingSince, since + Self.quiet <= now,
            let unit = installation.units.first, let standing = presence.units[unit.name],
            standing.isEnabled, wanted.known.wasUp == true,
            // A unit that is down though nothing kept it from starting was stopped by somebody.
            standing.isUp || standing.lacksFile
        else { return nil }
        return replacement(
            wanted, .missing, hashed: .notTaken,
            owes: standing.isUp
                ? nil : OwedStart(installation: installation.id, unit: unit.name, since: now))
    }

    /// What the gate would put there now; nil where it would let things be.
    private func replacement(
        _ wanted: WantedGate, _ found: FileFinding, hashed: HashFinding, owes: OwedStart?
    ) -> Replacement? {
        let guarded = situation.guarded(wanted, now: now)
        let spare = guarded.spare.flatMap { spare in presence.identities[spare.path].map { (spare, $0) } }
        let seen = GateObservation(
            binary: found, hash: hashed, spare: spare.map { .file($0.1) } ?? .missing,
            inVault: presence.identities[situation.site.vaultPath(of: wanted.digest)] != nil,
            lastRan: situation.lastRan(of: wanted.installation, presence))
        let decision = decideStart(
            guarded, pausedUntil: situation.state.pause?.until, seen: seen, now: now)
        // The spare is staged first, and what is put back is then a rename.
        guard case .restore(_, .spare(let path, _)) = decision,
            let staged = situation.records.spares[path]
        else { return nil }
        return Replacement(
            installation: wanted.installation.id, artifact: staged.artifact, source: .spare(staged),
            binary: wanted.binary, seen: found.identity,
            pending: found.identity == nil ? nil : situation.site.pendingPath(of: wanted.binary),
            lastRan: situation.lastRanSeen(of: wanted.installation, presence), purpose: .undo, owes: owes)
    }

    /// Whether nobody has touched the file for a minute, by times of which one cannot be set back.
    private func isQuiet(_ identity: FileIdentity) -> Bool {
        let latest = max(identity.modified, identity.changed) / 1_000_000_000
        return latest + Self.quiet.seconds <= now.seconds
    }
}

extension GuardSituation {
    /// Units of which more has to be asked, since their binary is missing or was until just now, or their installation is
    /// not found.
    var unitsInQuestion: Set<String> {
        var units = Set(records.owedStarts.map(\.unit))
        for wanted in wantedGates where wanted.installation.installed?.isMissing == true {
            if let unit = wanted.installation.units.first { units.insert(unit.name) }
        }
        let seen = Set(observation.installations.map(\.id))
        for known in state.installations.values.map(\.installation)
        where !seen.contains(known.id) && known.id.distribution != .microk8s {
            units.formUnion(known.units.map(\.name))
        }
        return units
    }

    /// What is known to have started on an installation's data.
    func lastRan(of installation: Installation, _ presence: GuardPresence) -> LastRanFinding {
        guard let data = installation.dataDirectory else { return .missing }
        switch presence.contents[site.places.lastRan(dataDirectory: data)] {
        case nil: return .missing
        case .unusable(let text): return .unusable(text)
        case .bytes(let bytes):
            do throws(GuardFileError) {
                let record = try LastRan.parse(bytes)
                return record.dataDirectory == data
                    ? .record(record) : .unusable("it is of another data directory")
            } catch {
                return .unusable("\(error)")
            }
        }
    }

    /// The same as it lies there, to be compared under the lock.
    func lastRanSeen(of installation: Installation, _ presence: GuardPresence) -> Replacement.RecordSeen? {
        guard let data = installation.dataDirectory else { return nil }
        let path = site.places.lastRan(dataDirectory: data)
        return Replacement.RecordSeen(path: path, text: presence.contents[path]?.text)
    }
}

extension InstallationState {
    /// Whether the change to these bytes was last judged as one that may go ahead.
    fileprivate func isAllowed(_ digest: Digest) -> Bool {
        changes.contains { $0.change.to.sha256 == digest && $0.verdict == .allow }
    }
}
