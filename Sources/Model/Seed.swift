/// What a ledger that was lost knew of the guards, as the guard file kept it.
///
/// So `release` still takes everything away after a ledger was lost, and restores what was there before us.
public struct Seed: Codable, Hashable, Sendable {
    /// What was adopted, without its changes and offers: the next look finds those.
    public var installations: [InstallationState]
    /// What was done to the node and not yet taken back, open intents too.
    public var records: GuardRecords
    /// Until when a person has lifted every guard; nil where nobody has.
    public var pause: Pause?

    /// Whether there is nothing that a lost ledger would need.
    public var isEmpty: Bool { installations.isEmpty && records.isEmpty && pause == nil }

    /// Makes a seed.
    public init(installations: [InstallationState], records: GuardRecords, pause: Pause?) {
        self.installations = installations
        self.records = records
        self.pause = pause
    }
}

/// That a ledger which had lost its entries, or some of them, was begun anew from the guard file.
public struct Seeding: Codable, Hashable, Sendable {
    /// The last entry of the ledger that the guard file was written after.
    public var source: SeedSource
    /// How many entries the ledger had before this one.
    public var entries: Int64
    /// What was taken over.
    public var seed: Seed

    /// Makes the record of a seeding.
    public init(source: SeedSource, entries: Int64, seed: Seed) {
        self.source = source
        self.entries = entries
        self.seed = seed
    }
}

/// Which entry a guard file was written after.
public struct SeedSource: Codable, Hashable, Sendable {
    /// The entry's number.
    public var sequence: Int64
    /// The entry's hash.
    public var hash: Digest

    /// Names an entry.
    public init(sequence: Int64, hash: Digest) {
        self.sequence = sequence
        self.hash = hash
    }
}

extension NodeState {
    /// Takes over what the guard file kept; it is newer than whatever the ledger had.
    mutating func take(_ seeding: Seeding) {
        for key in installations.keys { installations[key]?.adoption = nil }
        for known in seeding.seed.installations {
            let key = known.installation.id.description
            var seeded = known
            if let present = installations[key] {
                // What this ledger has seen since stands.
                seeded.installation = present.installation
                seeded.changes = present.changes
                // They belong to problems, of which this ledger knows.
                seeded.unseenSince = present.unseenSince
                seeded.missingSince = present.missingSince
                seeded.since = min(present.since, known.since)
            }
            installations[key] = seeded
        }
        guards = seeding.seed.records.isEmpty ? nil : seeding.seed.records
        pause = seeding.seed.pause
        seededFrom = seeding.source
    }
}
