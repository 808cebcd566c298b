extension GuardFile {
    private static let title = "holdfast-guard 1"

    /// How a file begins that was written after an entry of the ledger.
    public static func beginning(of head: (sequence: Int64, hash: Digest)) -> String {
        "\(title)\nledger \(head.sequence) \(head.hash.hex)\n"
    }

    /// The file as it is written.
    public var text: String {
        var lines = SealedLines(title: Self.title)
        lines.add("ledger", String(ledgerSequence), ledgerHash.hex)
        if let pausedUntil { lines.add("paused-until", String(pausedUntil.seconds)) }
        if let intent { lines.add("intent", intent) }
        if let seed { lines.add("seed", seed) }
        for placed in guards { lines.add("placed", placed.kind.rawValue, placed.subject, placed.before) }
        for installation in installations { installation.write(to: &lines) }
        return lines.text
    }

    /// Reads a guard file.
    ///
    /// - Throws: `GuardFileError` for anything but what `text` makes of the same format; never traps.
    public static func parse(_ bytes: [UInt8]) throws(GuardFileError) -> GuardFile {
        let lines = try SealedLines.read(bytes, title: title, largest: largest)
        var file = GuardFile()
        var seen: Set<String> = []
        for line in lines {
            if line.key == "installation" {
                try line.expect(1)
                let text = try line.text(0)
                guard let id = InstallationID(description: text) else {
                    throw line.wrong("no such distribution")
                }
                file.installations.append(GuardedInstallation(id: id, units: [], role: nil, mode: .off))
                continue
            }
            guard file.installations.isEmpty else {
                try file.installations[file.installations.count - 1].read(line)
                continue
            }
            switch line.key {
            case "ledger":
                try line.expect(2)
                file.ledgerSequence = try line.number(0)
                file.ledgerHash = try line.digest(1)
            case "paused-until":
                try line.expect(1)
                file.pausedUntil = Instant(seconds: try line.number(0))
            case "intent":
                try line.expect(1)
                file.intent = try line.text(0)
            case "seed":
                try line.expect(1)
                file.seed = try line.text(0)
            case "placed":
                try line.expect(3)
                guard let kind = PlacedGuard.Kind(rawValue: try line.text(0)) else {
                    throw line.wrong("no such kind of guard")
                }
                file.guards.append(
                    PlacedGuard(kind: kind, subject: try line.text(1), before: try line.optional(2)))
            default:
                // A newer tick may say more than this gate knows: that must not leave the unit unguarded.
                guard line.isFromLater else { throw line.wrong("nobody writes this here:") }
                continue
            }
            if line.key != "placed", !seen.insert(line.key).inserted {
                throw line.wrong("it is there twice:")
            }
        }
        guard seen.contains("ledger") else { throw GuardFileError("the line 'ledger' is missing") }
        return file
    }
}

extension GuardedInstallation {
    fileprivate func write(to lines: inout SealedLines) {
        lines.add("installation", id.description)
        for unit in units { lines.add("unit", unit) }
        if let role { lines.add("role", role.rawValue) }
        lines.add("mode", mode.rawValue)
        if let binary { lines.add("binary", binary) }
        if let dataDirectory { lines.add("data", dataDirectory) }
        if let vault { lines.add("vault", vault) }
        if let pending { lines.add("pending", pending) }
        if let ran { lines.add("ran", ran.revision, ran.bootID, String(ran.since.seconds)) }
        for known in approved { write("approved", known, to: &lines) }
        if let lastGood { write("last-good", lastGood, to: &lines) }
        if let spare {
            let artifact = spare.artifact
            lines.add(
                "spare", artifact.version?.description, artifact.sha256?.hex, artifact.revision, spare.path)
            lines.add(spare.identity)
        }
    }

    private func write(_ key: String, _ known: GuardedArtifact, to lines: inout SealedLines) {
        let artifact = known.artifact
        lines.add(key, artifact.version?.description, artifact.sha256?.hex, artifact.revision)
        for identity in known.identities { lines.add(identity) }
    }

    /// Takes one more line in; an identity belongs to the artifact above it.
    fileprivate mutating func read(_ line: SealedLine) throws(GuardFileError) {
        switch line.key {
        case "approved", "last-good":
            try line.expect(3)
            let known = GuardedArtifact(try line.artifact())
            if line.key == "approved", lastGood == nil, spare == nil {
                approved.append(known)
            } else if line.key == "last-good", lastGood == nil, spare == nil {
                lastGood = known
            } else {
                throw line.wrong("it is there twice, or in the wrong place:")
            }
        case "ran":
            try line.expect(3)
            ran = SeenRunning(
                revision: try line.text(0), bootID: try line.text(1),
                since: Instant(seconds: try line.number(2)))
        case "spare":
            try line.expect(4)
            guard spare == nil else { throw line.wrong("it is there twice:") }
            spare = Spare(
                path: try line.path(3), artifact: try line.artifact(),
                identity: FileIdentity(device: 0, inode: 0, size: -1, modified: 0, changed: 0))
        case "identity":
            let identity = try line.identity()
            if spare != nil {
                guard spare?.identity.size == -1 else { throw line.wrong("a spare has one identity:") }
                spare?.identity = identity
            } else if lastGood != nil {
                lastGood?.identities.append(identity)
            } else if !approved.isEmpty {
                approved[approved.count - 1].identities.append(identity)
            } else {
                throw line.wrong("it belongs to nothing:")
            }
        default: try readSetting(line)
        }
    }

    private mutating func readSetting(_ line: SealedLine) throws(GuardFileError) {
        guard SealedLine.settings.contains(line.key) else {
            guard line.isFromLater else { throw line.wrong("nobody writes this here:") }
            return
        }
        try line.expect(1)
        let value = try line.text(0)
        switch line.key {
        case "unit": units.append(value)
        case "role":
            guard let read = Role(rawValue: value) else { throw line.wrong("no such role") }
            role = read
        case "mode":
            guard let read = Enforcement.GateMode(rawValue: value) else { throw line.wrong("no such mode") }
            mode = read
        case "binary": binary = try line.path(0)
        case "data": dataDirectory = try line.path(0)
        case "vault": vault = try line.path(0)
        case "pending": pending = try line.path(0)
        default: break
        }
    }
}

extension SealedLines {
    /// Adds the line of an identity.
    public mutating func add(_ identity: FileIdentity) {
        add(
            "identity", String(identity.device), String(identity.inode), String(identity.size),
            String(identity.modified), String(identity.changed))
    }
}

extension SealedLine {
    fileprivate static let settings: Set<String> = [
        "unit", "role", "mode", "binary", "data", "vault", "pending",
    ]
    private static let others: Set<String> = [
        "ledger", "paused-until", "intent", "seed", "placed", "installation", "approved", "last-good",
        "spare",
        "identity",
    ]

    /// Whether it may be a line that a later version writes: its key is a word, and none that is known.
    fileprivate var isFromLater: Bool {
        !Self.settings.contains(key) && !Self.others.contains(key)
            && key.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// A digest that must be there.
    public func digest(_ index: Int) throws(GuardFileError) -> Digest {
        guard let digest = Digest(try text(index)) else { throw wrong("a digest is not one") }
        return digest
    }

    /// A path of the node: absolute.
    public func path(_ index: Int) throws(GuardFileError) -> String {
        let path = try text(index)
        guard path.utf8.first == UInt8(ascii: "/") else { throw wrong("a path is not absolute") }
        return path
    }

    /// The five numbers of an identity.
    public func identity() throws(GuardFileError) -> FileIdentity {
        try expect(5)
        return FileIdentity(
            device: try number(0), inode: try number(1), size: try number(2), modified: try number(3),
            changed: try number(4))
    }

    /// Version, digest and revision, each of which may be none.
    public func artifact() throws(GuardFileError) -> Artifact {
        var artifact = Artifact(version: nil)
        if let text = try optional(0) {
            guard let version = Version(text) else { throw wrong("a version is not one") }
            artifact.version = version
        }
        if try optional(1) != nil { artifact.sha256 = try digest(1) }
        artifact.revision = try optional(2)
        return artifact
    }
}

extension InstallationID {
    /// Reads what `description` writes: `k3s/k3s-agent`.
    public init?(description text: String) {
        guard let slash = text.firstIndex(of: "/"),
            let distribution = Distribution(rawValue: String(text[..<slash]))
        else { return nil }
        self.init(distribution: distribution, name: String(text[text.index(after: slash)...]))
    }
}
