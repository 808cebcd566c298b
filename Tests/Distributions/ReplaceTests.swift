import Distributions
import FoundationEssentials
import Glibc
import Host
import Model
import Ports
import ScriptedServer
import Testing

/// A binary with a spare and a vault on a real file system.
private struct PlacedBinary {
    let node: NodeRoot
    let guards: NodeGuards
    let old = Array("the old artifact".utf8)
    let new = Array("another artifact".utf8)
    static let binary = "/usr/local/bin/k3s"
    static let spare = "/usr/local/bin/.k3s.holdfast-spare"
    static let staged = "/usr/local/bin/.k3s.holdfast-staged"
    static let pending = "/usr/local/bin/.holdfast-pending"
    static let vault = "/var/lib/holdfast/vault/sha256/new"
    static let record = "/var/lib/holdfast/gate/last-ran/data"
    private var crowd: CrowdedDirectory?

    /// - Parameter isCrowded: whether the binary's file system has no room for another file or directory.
    init(isCrowded: Bool = false) throws {
        node = try NodeRoot()
        guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        if isCrowded { crowd = try CrowdedDirectory(node.directory.path + "/usr/local/bin", files: 2) }
        try write(old, at: Self.binary, mode: 0o750)
        try write(new, at: Self.spare, mode: 0o755)
        try write(new, at: Self.vault, mode: 0o400)
        try write(Array("v1.31.4".utf8), at: Self.record, mode: 0o644)
    }

    func path(_ place: String) -> String { node.directory.path + place }

    func write(_ bytes: [UInt8], at place: String, mode: mode_t) throws {
        try node.directory.write(bytes, to: String(place.dropFirst()))
        chmod(path(place), mode)
    }

    func bytes(_ place: String) -> [UInt8]? { try? readFile(path(place), limit: 1000) }

    func identity(_ place: String) throws -> FileIdentity? { try identityIfPresent(ofFile: path(place)) }

    var kept: [String] { ((try? listDirectory(path(Self.pending))) ?? []).sorted() }

    func effect(
        from source: Replacement.Source? = nil, seen: FileIdentity?? = nil, pending: String? = Self.pending
    ) throws -> Effect {
        let artifact = Artifact(version: nil, sha256: hashBytes(new))
        let spare = StagedSpare(
            installation: InstallationID(distribution: .k3s, name: "k3s"), path: Self.spare,
            artifact: artifact, identity: try #require(try identity(Self.spare)))
        return .replace(
            Replacement(
                installation: spare.installation, artifact: artifact, source: source ?? .spare(spare),
                binary: Self.binary, seen: try seen ?? identity(Self.binary), pending: pending,
                lastRan: .init(path: Self.record, text: "v1.31.4"), purpose: .undo))
    }

    /// Performs it as the effect loop does.
    func perform(_ effect: Effect) throws -> EffectProbe {
        let intent = Intent(id: "i", effect: effect, before: try guards.fingerprint(of: effect))
        try guards.perform(effect, before: intent.before)
        return guards.probe(intent)
    }
}

/// A file system on which so many files can be made and nothing more.
private final class CrowdedDirectory {
    private let path: String

    init(_ path: String, files: Int) throws {
        self.path = path
        try makeDirectories(path)
        // The directory itself is the first.
        try #require(mount("tmpfs", path, "tmpfs", 0, "mode=755,nr_inodes=\(files + 1)") == 0)
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}

@Suite("Putting an artifact in a binary's place")
struct ReplaceTests {
    @Test("the spare is renamed in, and what was there is kept under the name that the gate would give it")
    func spare() throws {
        let place = try PlacedBinary()
        let before = try #require(try place.identity(PlacedBinary.binary))
        guard case .done = try place.perform(try place.effect()) else {
            Issue.record("not done")
            return
        }
        #expect(place.bytes(PlacedBinary.binary) == place.new)
        #expect(try place.identity(PlacedBinary.spare) == nil)
        let name = PendingNames.name(
            of: "k3s", inode: UInt64(bitPattern: before.inode), size: before.size,
            modified: before.modified / 1_000_000_000)
        #expect(place.kept == [name])
        #expect(place.bytes("\(PlacedBinary.pending)/\(name)") == place.old)
    }

    @Test("a copy from the vault takes the binary's mode, and leaves nothing beside it")
    func vault() throws {
        let place = try PlacedBinary()
        let effect = try place.effect(from: .vault(PlacedBinary.vault), pending: nil)
        guard case .done = try place.perform(effect) else {
            Issue.record("not done")
            return
        }
        #expect(place.bytes(PlacedBinary.binary) == place.new && place.kept.isEmpty)
        #expect(permissions(ofExecutable: place.path(PlacedBinary.binary)) == 0o750)
        #expect(try place.identity(PlacedBinary.staged) == nil)
    }

    @Test("invariant 11: a vault whose bytes are not what was approved puts nothing in the binary's place")
    func damagedVault() throws {
        let place = try PlacedBinary()
        try place.write(Array("damaged artifact".utf8), at: PlacedBinary.vault, mode: 0o400)
        #expect { try place.perform(place.effect(from: .vault(PlacedBinary.vault))) } throws: {
            "\($0)".contains("it changed meanwhile, or is damaged")
        }
        #expect(place.bytes(PlacedBinary.binary) == place.old)
        #expect(place.bytes(PlacedBinary.staged) == nil && place.kept == [])
    }

    @Test("where nothing is, it is put there")
    func missing() throws {
        let place = try PlacedBinary()
        unlink(place.path(PlacedBinary.binary))
        guard case .done = try place.perform(try place.effect(seen: .some(nil))) else {
            Issue.record("not done")
            return
        }
        #expect(place.bytes(PlacedBinary.binary) == place.new && place.kept.isEmpty)
    }

    /// What happened between the decision and the rename.
    enum Meanwhile: CaseIterable, Sendable { case binaryReplaced, spareReplaced, unitStarted, vaultDamaged }

    @Test(
        "invariant 12: what was replaced, or started, since it was decided is left as it is",
        arguments: Meanwhile.allCases)
    func moved(_ meanwhile: Meanwhile) throws {
        let place = try PlacedBinary()
        let effect = try place.effect(
            from: meanwhile == .vaultDamaged ? .vault(PlacedBinary.vault) : nil)
        var expected = place.old
        switch meanwhile {
        case .binaryReplaced:
            expected = Array("somebody was quicker".utf8)
            unlink(place.path(PlacedBinary.binary))
            try place.write(expected, at: PlacedBinary.binary, mode: 0o755)
        case .spareReplaced: try place.write(Array("other".utf8), at: PlacedBinary.spare, mode: 0o755)
        case .unitStarted: try place.write(Array("v1.32.1".utf8), at: PlacedBinary.record, mode: 0o644)
        case .vaultDamaged:
            unlink(place.path(PlacedBinary.vault))
            try place.write(Array("other".utf8), at: PlacedBinary.vault, mode: 0o400)
        }
        let intent = Intent(id: "i", effect: effect, before: .missing)
        #expect(throws: EffectFailure.self) { try place.guards.perform(effect, before: .missing) }
        #expect(place.bytes(PlacedBinary.binary) == expected && place.kept.isEmpty)
        #expect(place.guards.probe(intent) == .notDone)
        try place.guards.undo(intent)
        #expect(try place.identity(PlacedBinary.staged) == nil)
    }

    @Test(
        "invariant 7: what changed places with the source, and was killed before it was kept, is kept by the next tick",
        arguments: [PlacedBinary.spare, PlacedBinary.staged])
    func killedInExchange(source: String) throws {
        let place = try PlacedBinary()
        try place.write(place.new, at: PlacedBinary.staged, mode: 0o755)
        let before = try #require(try place.identity(PlacedBinary.binary))
        let effect = try place.effect(
            from: source == PlacedBinary.staged ? .vault(PlacedBinary.vault) : nil)
        let intent = Intent(id: "i", effect: effect, before: .identity(before))
        // As the exchange of a file system without hard links leaves it.
        for (from, to) in [(PlacedBinary.binary, "/x"), (source, PlacedBinary.binary), ("/x", source)] {
            #expect(rename(place.path(from), place.path(to)) == 0)
        }
        guard case .done = place.guards.probe(intent) else {
            Issue.record("not done")
            return
        }
        for _ in 0..<2 { try place.guards.undo(intent) }
        #expect(place.bytes(PlacedBinary.binary) == place.new)
        #expect(try place.identity(source) == nil)
        #expect(place.kept.map { place.bytes("\(PlacedBinary.pending)/\($0)") } == [place.old])
        #expect(place.kept.allSatisfy { PendingNames.isName($0, of: "k3s") })
    }

    @Test(
        "where there is no room for a directory to keep what was there, the two change places, and nothing is lost",
        .enabled(if: geteuid() == 0, "SKIPPED: a full file system needs root, to mount one"))
    func noRoom() throws {
        let place = try PlacedBinary(isCrowded: true)
        #expect(mkdir(place.path("/usr/local/bin/x"), 0o700) != 0 && errno == ENOSPC, "what this rests on")
        guard case .done = try place.perform(try place.effect()) else {
            Issue.record("not done")
            return
        }
        #expect(place.bytes(PlacedBinary.binary) == place.new)
        #expect(place.bytes(PlacedBinary.spare) == place.old && place.kept.isEmpty)
    }

    @Test(
        "where they cannot change places either, what was there stays, and it says that there was no room",
        .enabled(if: geteuid() == 0, "SKIPPED: a full file system needs root, to mount one"),
        arguments: [true, false])
    func noRoomAtAll(mayStay: Bool) throws {
        let place = try PlacedBinary(isCrowded: true)
        let binary = place.path(PlacedBinary.binary)
        // A name that is not there changes places with nothing.
        let source = mayStay ? place.path(PlacedBinary.staged) : place.path(PlacedBinary.spare)
        let seen = try place.identity(PlacedBinary.binary)
        let failure = #expect(throws: HostError.self) {
            try putInPlace(
                source, at: binary, seen: seen, keptIn: place.path(PlacedBinary.pending), mayStay: mayStay)
        }
        #expect(failure?.isFull == true && failure?.description.contains(PlacedBinary.pending) == true)
        #expect(place.bytes(PlacedBinary.binary) == place.old)
        #expect(place.bytes(PlacedBinary.spare) == place.new)
    }

    @Test("nothing is kept, or taken away, behind a link that somebody put in the place of the directory")
    func plantedLink() throws {
        let place = try PlacedBinary()
        let theirs = (1...9).map { "k3s.\($0)-1-1" }
        for name in theirs { try place.write([0], at: "/srv/theirs/\(name)", mode: 0o644) }
        try place.node.directory.link(
            String(PlacedBinary.pending.dropFirst()), to: place.path("/srv/theirs"))
        #expect {
            try place.perform(place.effect())
        } throws: {
            "\($0)".contains("a link, where a directory of our own should be")
        }
        #expect(try listDirectory(place.path("/srv/theirs")) == theirs)
        #expect(place.bytes(PlacedBinary.binary) == place.old)
        #expect(place.bytes(PlacedBinary.spare) == place.new)
    }

    @Test("no more than eight are kept, the oldest goes first")
    func bounded() throws {
        let place = try PlacedBinary()
        for number in 1...8 {
            try place.write([UInt8(number)], at: "\(PlacedBinary.pending)/k3s.\(number)-1-1", mode: 0o755)
            usleep(12_000)
        }
        try place.write([0], at: "\(PlacedBinary.pending)/somebody-elses", mode: 0o644)
        _ = try place.perform(try place.effect())
        #expect(place.kept.count == 9)
        #expect(!place.kept.contains("k3s.1-1-1") && place.kept.contains("somebody-elses"))
    }
}
