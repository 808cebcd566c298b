/// What is told to the system's journal.
public struct JournalEntry: Hashable, Sendable {
    /// syslog's levels, as far as they are used.
    public enum Priority: Int, Sendable { case error = 3, warning, notice, info }

    /// What happened; each has a MESSAGE_ID of its own, by which `journalctl` finds it.
    public enum Message: String, CaseIterable, Sendable {
        case installationFound = "6513270e269e4d37b2a74de452e6b438"
        case installationGone = "d23f0824128b4f338c5c7fd0a6a3a450"
        case artifactChanged = "9531985d5d9d49f89818e811892f902b"
        case decided = "36f675cc81e74ef5a8e25d940ed90475"
        case changeEnded = "6b0d549b6f03475a9600a35a099950d8"
        case policyLoaded = "8d116ece173847d9bd9c172411e20b8f"
        case policyRejected = "90c192cfd3ac44af8f21ddb66cad4a26"
        case problem = "a170b33839264059b28c105d1fb17c23"
        case problemEnded = "0fd630f1f29d4da9953f48f1a09f76b5"
        case catalogImported = "0cb1e29c658c4a1495e60af593bd04cf"
        case approved = "51060eadb99e4169894903dcb577bdf9"
        case denied = "df9431152bee4898b91f116436f5b100"
        case revoked = "8ffdd49885a24b43bbdec6db28be98e5"
        case adopted = "f78373c2bd27405fa643ec161e1e8069"
        case released = "a7576f0e51664601add32270eac464bf"
        case paused = "651a09ae650b496ead7f281a0b3d5a5e"
        case resumed = "1e1c222ca0004870aa1ff4d5773df2a9"
        case guardChanged = "904b65c5f07a446789ce5017619ea6f2"
        case guardFailed = "96f9650c60c148269fc0cdd566f3709d"
        case guardBroken = "5fa41564b2754c9eb0e0feb1ba8fdce5"
        case stepBegan = "dbdbf1a0e7524bb7b92ecce2552cd6da"
        case stepMoved = "94fef271f5634bd38b8d2c9cb9c03e14"
        case stepEnded = "0a017904e02142e192e272bce9ceb556"
        case approvalSpent = "df4c8e7306e74adc816c9b51d98739f9"
        case quarantined = "a2db3d5d654c475cb44a6d1af3625d16"
        case seatTaken = "1a224f2b7e2f43e48e048e5c881fdc1b"
        case rolloutSaid = "15d338e6941840818cad9b827e8e64bf"
        case gatePutBack = "d70c4cd88c5f4623979ae77a072bfc7f"
        case gateLetThrough = "565a009f7c2e4de7b87aa9038c7a8345"
        case gateRefused = "e6c4d529c08b45e694f895e97f31f0a1"
        case gateUntold = "268a0d62e50349eaac7d4c5b8943b96c"
        case seeded = "79f66d97a9df4aa7b21fb0c49e9977bd"
        case checkpointSigned = "d9c6b0244ead44888a046eb0c6e401a8"
        case checkpointKey = "d39c06ad4dc84462b299af0185170ca8"
        case bodiesDropped = "c69c14cb0b484503bb234e63b36a17d5"
        case ledgerBegun = "8e81973e0bec47b0b898d190f9ebdacc"
    }

    /// What happened; decides the MESSAGE_ID.
    public var message: Message
    /// How urgent it is; `journalctl -p` filters by it.
    public var priority: Priority
    /// One line for a person.
    public var text: String
    /// Structured fields, names in upper case: `HOLDFAST_CHANGE`, `HOLDFAST_VERDICT`.
    public var fields: [String: String]

    /// Makes an entry.
    public init(message: Message, priority: Priority, text: String, fields: [String: String]) {
        self.message = message
        self.priority = priority
        self.text = text
        self.fields = fields
    }
}
