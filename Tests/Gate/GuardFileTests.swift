import Model
import Testing

@Suite("The guard file")
struct GuardFileTests {
    /// Every kind of value, and texts that an escape must bring through.
    static let full: GuardFile = {
        let digest = Digest(bytes: [UInt8](repeating: 0xab, count: 32)) ?? .none
        let identity = FileIdentity(device: -1, inode: .max, size: 0, modified: .min, changed: 17)
        let artifact = Artifact(version: Version("v1.31.4+k3s1"), sha256: digest)
        let k3s = GuardedInstallation(
            id: InstallationID(distribution: .k3s, name: "k3s"), units: ["k3s.service"], role: .server,
            mode: .restore,
            binary: "/usr/local/bin/k3s", dataDirectory: "/srv/k3s data/ü%\n",
            vault: "/var/lib/holdfast/vault/{sha256}", pending: "/usr/local/bin/.pending",
            approved: [
                GuardedArtifact(artifact, identities: [identity, identity]),
                GuardedArtifact(Artifact(version: nil)),
            ],
            lastGood: GuardedArtifact(Artifact(version: Version("v1.31.3+k3s1"), sha256: digest)),
            spare: Spare(path: "/usr/local/bin/.spare", artifact: artifact, identity: identity))
        let microk8s = GuardedInstallation(
            id: InstallationID(distribution: .microk8s, name: "microk8s"), units: ["snap.microk8s.daemon-*"],
            role: nil, mode: .refuse,
            approved: [GuardedArtifact(Artifact(version: nil, revision: "x1"))])
        return GuardFile(
            ledgerSequence: 42, ledgerHash: digest, pausedUntil: Instant(seconds: -5),
            intent: " {\"a\":\"-\"}\n",
            guards: [
                PlacedGuard(kind: .hold, subject: "microk8s", before: ""),
                PlacedGuard(kind: .dropIn, subject: "/etc/systemd/system/k3s.service.d/holdfast.conf"),
                PlacedGuard(kind: .retain, subject: "-", before: "-"),
            ], installations: [k3s, microk8s])
    }()

    @Test("what is written is read again", arguments: [full, GuardFile()])
    func roundTrip(file: GuardFile) throws {
        #expect(try GuardFile.parse(Array(file.text.utf8)) == file)
    }

    @Test("invariant 3: a file cut off anywhere is an error and no trap")
    func truncations() {
        let bytes = Array(Self.full.text.utf8)
        for count in 0..<bytes.count {
            #expect(throws: GuardFileError.self) { try GuardFile.parse(Array(bytes[..<count])) }
        }
    }

    @Test("invariant 3: a file with any byte changed, added or taken out is an error and no trap")
    func changes() {
        let bytes = Array(Self.full.text.utf8)
        for index in bytes.indices {
            for change: UInt8 in [1, 0x80] {
                var changed = bytes
                changed[index] ^= change
                #expect(throws: GuardFileError.self) { try GuardFile.parse(changed) }
            }
            // A byte more in the row of equal ones is another file too.
            let shorter = bytes[..<index] + bytes[(index + 1)...]
            #expect(throws: GuardFileError.self) { try GuardFile.parse(Array(shorter)) }
            let longer = bytes[...index] + bytes[index...]
            #expect(throws: GuardFileError.self) { try GuardFile.parse(Array(longer)) }
        }
        #expect(throws: GuardFileError.self) { try GuardFile.parse(bytes + bytes) }
    }

    @Test("lines that nobody writes are an error even under a right checksum")
    func hostileLines() {
        // Deterministic, so that a failure can be looked at again.
        var seed: UInt64 = 7
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        let lines = Self.full.text.split(separator: "\n").dropFirst().dropLast().map(String.init)
        var refused = 0
        for _ in 0..<400 {
            var mixed = lines
            for _ in 0...next(3) {
                var words = mixed[next(mixed.count)].split(separator: " ").map(String.init)
                let values = [
                    "-", "%", "%00", "%FF", "-1", "99999999999999999999", "", "installation", "k3s/k3s", "/",
                ]
                words[next(words.count)] = values[next(values.count)]
                mixed[next(mixed.count)] = words.joined(separator: " ")
            }
            do {
                let file = try GuardFile.parse(Self.seal(mixed))
                // What is understood means the same after it is written again.
                #expect(try GuardFile.parse(Array(file.text.utf8)) == file)
            } catch { refused += 1 }
        }
        #expect(refused > 200)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var lines: [String]
        var says: String
        var testDescription: String { says }
    }

    static let ledger = "ledger 1 \(String(repeating: "0", count: 64))"
    static let wrong = [
        Wrong(lines: [], says: "the line 'ledger' is missing"),
        Wrong(lines: [ledger, ledger], says: "line 3: it is there twice: in 'ledger'"),
        Wrong(lines: ["ledger 1 00"], says: "line 2: a digest is not one in 'ledger'"),
        Wrong(lines: [ledger, "identity 1 2 3 4 5"], says: "line 3: nobody writes this here: in 'identity'"),
        Wrong(
            lines: [ledger, "installation rke2/rke2"], says: "line 3: no such distribution in 'installation'"),
        Wrong(
            lines: [ledger, "installation k3s/k3s", "binary k3s"],
            says: "line 4: a path is not absolute in 'binary'"),
        Wrong(
            lines: [ledger, "installation k3s/k3s", "mode block"], says: "line 4: no such mode in 'mode'"),
        Wrong(
            lines: [ledger, "installation k3s/k3s", "identity 1 2 3 4 5"],
            says: "line 4: it belongs to nothing: in 'identity'"),
        Wrong(
            lines: [ledger, "intent a%0"], says: "line 3: a word of 'intent' is not escaped as it should be"),
        Wrong(lines: [ledger, "\u{1b}[2J x"], says: "line 3: nobody writes this here: in '?[2J'"),
    ]

    @Test("an error says which line and what is wrong with it", arguments: wrong)
    func errors(row: Wrong) {
        #expect(throws: GuardFileError(row.says)) { try GuardFile.parse(Self.seal(row.lines)) }
    }

    @Test("a file over 64 KiB is not read")
    func size() {
        #expect(throws: GuardFileError("it is longer than 65536 bytes")) {
            try GuardFile.parse([UInt8](repeating: 10, count: 65_537))
        }
    }

    @Test("a unit belongs to the installation that names it, or its beginning before a star")
    func units() {
        #expect(Self.full.installation(ofUnit: "k3s.service")?.id.name == "k3s")
        #expect(
            Self.full.installation(ofUnit: "snap.microk8s.daemon-kubelite.service")?.id.name == "microk8s")
        #expect(Self.full.installation(ofUnit: "k3s-agent.service") == nil)
        #expect(Self.full.installation(ofUnit: "snap.microk8s.daemon") == nil)
    }

    @Test("the vault's path takes the digest where its mark is")
    func vaultPath() {
        var guarded = Self.full.installations[0]
        #expect(guarded.vaultPath(of: .none) == "/var/lib/holdfast/vault/\(Digest.none.hex)")
        guarded.vault = "/vault/{sha1}"
        #expect(guarded.vaultPath(of: .none) == nil)
    }

    static func seal(_ lines: [String]) -> [UInt8] {
        let text = "holdfast-guard 1\n" + lines.map { $0 + "\n" }.joined()
        return Array("\(text)end \(SealedLines.checksum(Array(text.utf8)[...]))\n".utf8)
    }
}
