import Gate
import Model
import Ports

/// What is to be recorded of what the gate left, and what then becomes of its files.
struct SpoolPlan: Hashable {
    /// New ones, in order of their files' names.
    var acts: [GateAct] = []
    /// Files that the ledger holds, once `acts` are in it.
    var removals: [String] = []
    /// Files that are no records; they are kept where no tick reads them again.
    var asides: [String] = []

    /// The gate ends within two seconds, so what it has not finished after this many it never will.
    static let draftAge: Int64 = 60
    /// No more files than this are kept that are no records: enough to look at, and too few to fill a disk.
    static let mostAside = 8

    /// Plans from what lies in the spool and what was taken from it before.
    ///
    /// Pure. A record that the ledger holds already, because a tick died between the two, is only taken away.
    init(_ finding: SpoolFinding, state: NodeState, now: Instant) {
        for file in finding.files where !file.isOverflow {
            let isDraft = file.name.utf8.first == UInt8(ascii: ".")
            if isDraft, now.seconds - file.changed / 1_000_000_000 < Self.draftAge { continue }
            let identity = file.identity
            let isRecorded = state.spooled.contains(identity)
            switch file.read {
            case .success(let record):
                removals.append(file.name)
                guard !isRecorded else { continue }
                acts.append(
                    GateAct(record, installation: state.installation(of: record), identity: identity))
            case .failure(let error):
                let isKept = finding.keptAside + asides.count < Self.mostAside
                if isKept { asides.append(file.name) } else { removals.append(file.name) }
                guard !isRecorded else { continue }
                let place =
                    isKept
                    ? "it is kept as \(finding.aside)/\(file.name.printable)"
                    : "it is not kept, since \(Self.mostAside) such files are already in \(finding.aside)"
                acts.append(
                    GateAct(
                        kind: .unreadable, reason: "unreadable", unit: "", installation: nil, at: now,
                        invocationID: nil,
                        text: "what the gate left as \(file.name.printable) is no record of a start "
                            + "(\(error.description)); \(place); look at the unit's journal for what it was",
                        record: identity))
            }
        }
        takeOverflow(finding, state: state, now: now)
    }

    /// The gate leaves a file of that name where it may leave no more.
    private mutating func takeOverflow(_ finding: SpoolFinding, state: NodeState, now: Instant) {
        guard let file = finding.files.first(where: \.isOverflow) else { return }
        removals.append(file.name)
        guard !state.spooled.contains(file.identity) else { return }
        acts.append(
            GateAct(
                kind: .overflow, reason: "overflow", unit: "", installation: nil, at: now, invocationID: nil,
                text: "there were more starts than the gate may leave records of (\(SpoolRecord.most)): the "
                    + "others are in the units' journals alone ('journalctl -t sh -g holdfast-gate')",
                record: file.identity))
    }
}

extension SpooledFile {
    fileprivate var isOverflow: Bool { name.utf8.elementsEqual("overflow".utf8) }

    /// Name and bytes: the gate never gives a name twice, and whoever does leaves another record.
    fileprivate var identity: String {
        var bytes = Array(name.utf8) + [0]
        switch content {
        case .bytes(let content) where !isOverflow: bytes += content
        case .bytes: bytes += Array(String(changed).utf8)
        case .unusable(let reason): bytes += Array("\(changed) \(reason)".utf8)
        }
        return SealedLines.checksum(bytes[...])
    }

    fileprivate var read: Result<SpoolRecord, GuardFileError> {
        switch content {
        case .unusable(let reason): .failure(GuardFileError(reason))
        case .bytes(let bytes):
            Result { () throws(GuardFileError) in try SpoolRecord.parse(bytes) }
        }
    }
}

extension GateAct {
    fileprivate init(_ record: SpoolRecord, installation: InstallationID?, identity: String) {
        self.init(
            kind: Kind(record.reason), reason: record.reason.rawValue, unit: record.unit,
            installation: installation, at: record.at, invocationID: record.invocationID, text: record.text,
            restored: record.restored, pending: record.pending, record: identity)
    }
}

extension GateAct.Kind {
    fileprivate init(_ reason: GateReason) {
        switch reason {
        case .restored: self = .putBack
        case .refused, .vetoed: self = .refused
        case .recordFailed: self = .unrecorded
        case .approved, .off, .lastGood, .paused, .warned, .noProof, .noReplacement, .binaryMissing,
            .binaryUnusable, .notHashed, .locked, .restoreFailed, .guardMissing, .guardUnreadable,
            .notGuarded, .usage, .vetoDoubt, .noRefresh:
            self = .letThrough
        }
    }
}

extension NodeState {
    /// Where the guard file could not name it, the unit does.
    fileprivate func installation(of record: SpoolRecord) -> InstallationID? {
        record.installation
            ?? installations.values.first { known in
                known.installation.units.contains { $0.name == record.unit }
            }?.installation.id
    }
}

/// Takes what the gate left into the ledger.
struct TakeSpool {
    let ledger: any LedgerStore
    let port: any GuardPort
    let journal: any Journal
    let reading: ClockReading

    /// What was taken.
    struct Taken {
        var events: [Event] = []
        /// How the ledger then stood; nil where nothing was taken.
        var state: NodeState?
        /// Why the spool could not be looked at, or a file not taken away.
        var problem: Problem?
    }

    /// Appends first and takes away then; an empty spool costs one look at its directory.
    ///
    /// - Parameter dryRun: takes nothing, and tells what would be taken.
    func run(_ state: NodeState, dryRun: Bool) throws(LedgerFailure) -> Taken {
        var taken = Taken()
        let found = port.spool(most: SpoolRecord.most + 1, largest: SpoolRecord.largest)
        taken.problem = found.problem
        guard !found.files.isEmpty else { return taken }
        if dryRun {
            var state = state
            for act in SpoolPlan(found, state: state, now: reading.now).acts {
                state.apply(.gateActed(act), at: reading.now)
                taken.events.append(.gateActed(act))
            }
            taken.state = state
            return taken
        }
        // Whoever holds the lock may be taking them; what it leaves is taken by the next tick.
        guard (try? port.takeLock(patience: 0)) == true else { return taken }
        defer { port.giveLockBack() }
        var state = try ledger.load().state
        let plan = SpoolPlan(
            port.spool(most: SpoolRecord.most + 1, largest: SpoolRecord.largest), state: state,
            now: reading.now)
        for act in plan.acts {
            state.apply(.gateActed(act), at: reading.now)
            taken.events.append(.gateActed(act))
        }
        if !taken.events.isEmpty { try ledger.append(taken.events, reading: reading, state: state) }
        taken.state = state
        taken.events.flatMap(journalEntries).forEach(journal.write)
        do throws(EffectFailure) {
            for name in plan.asides { try port.setAside(spooled: name) }
            for name in plan.removals { try port.remove(spooled: name) }
        } catch {
            taken.problem = Problem(
                code: "spool-stuck",
                text: "\(error.description): what the gate left is recorded and cannot be taken away, and it "
                    + "leaves no more than \(SpoolRecord.most) records: take it away by hand")
        }
        return taken
    }
}
