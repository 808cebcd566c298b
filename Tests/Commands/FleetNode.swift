import Fleet
import FoundationEssentials
import GoPrograms
import Host
import Ledger
import Model
import Ports
import Testing

/// A node that is adopted and has told its fleet of itself: the embedded store, on which a test writes as others would.
struct FleetNode {
    let node: SampleNode

    /// The id that its machine-id makes.
    static let id = "4d9204615dd6401dbcdacf5a9be771fa"

    /// Patches by themselves, from releases that lie in a directory of the test.
    static func policy(_ more: String = "", releases: String? = nil) -> String {
        "apiVersion: holdfast/v1\nunattended: patch\ngates: none\nbackup: {mode: off}\n"
            + (releases.map { "source: {releases: \"\($0)\"}\n" } ?? "") + more
    }

    /// - Parameters:
    ///   - releases: versions that a directory beside the node has; none where there is no source.
    ///   - tells: whether the node is adopted and has looked.
    init(_ more: String = "", releases: [String] = [], tells: Bool = true) throws {
        node = try SampleNode()
        try Data("0123456789abcdef0123456789abcdef\n".utf8).write(
            to: URL(filePath: node.root + "/etc/machine-id"))
        for release in releases { try mirror(release) }
        try node.write(Self.policy(more, releases: releases.isEmpty ? nil : mirror))
        guard tells else { return }
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try node.inPlace("check", "--fleet").code == 0)
    }

    /// A directory of releases, as the makers' site has them.
    var mirror: String { node.directory + "/releases" }
    var state: String { node.root + "/var/lib/holdfast" }

    private func mirror(_ version: String) throws {
        let other = try SampleNode(version)
        let checksums = try other.checksums(version)
        let words = try String(contentsOf: URL(filePath: checksums), encoding: .utf8).split {
            $0.isWhitespace
        }
        let asset = String(try #require(words.last))
        let architecture = asset.split(separator: "-").dropFirst().first ?? "amd64"
        let place = "\(mirror)/\(version)"
        let files = FileManager.default
        try files.createDirectory(atPath: place, withIntermediateDirectories: true)
        try files.copyItem(atPath: other.binary, toPath: "\(place)/\(asset)")
        try files.copyItem(
            atPath: checksums,
            toPath: "\(place)/sha256sum-\(architecture == "armhf" ? "arm" : architecture).txt")
    }

    /// The file of a release in the directory.
    func file(_ version: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(mirror)/\(version)")
        return "\(mirror)/\(version)/\(try #require(names.first { !$0.hasSuffix(".txt") }))"
    }

    /// A k0s, as far as anybody reads it.
    func k0s() throws -> String {
        let path = node.directory + "/k0s"
        try Data(ELFWriter(architecture: .amd64, readOnlyData: linked("v1.32.1+k0s.0")).bytes())
            .write(to: URL(filePath: path))
        return path
    }

    /// What stands in the store.
    func book() throws -> FleetBook { FleetBook(try SQLiteFleetStore(stateDirectory: state)) }

    func rollout() throws -> RolloutDocument { try #require(try book().rollout(of: .k3s)?.value) }

    /// Has another machine of the same fleet tell of itself.
    @discardableResult
    func join(_ name: String, id: String? = nil, change: (inout NodeRecord) -> Void = { _ in }) throws
        -> NodeRecord
    {
        let book = try book()
        var record = try #require(try book.node(Self.id)?.value)
        record.id = id ?? "id-\(name)"
        record.name = name
        record.parts[0].running = Version("v1.31.4+k3s1")
        change(&record)
        _ = try book.put(record, over: nil)
        return record
    }

    /// Changes what earlier looks at the fleet have left.
    func remember(_ change: (inout KnownFleet) -> Void) throws {
        let reading = ClockReading(
            now: Instant(seconds: 1_790_000_000), monotonic: 1, bootID: "boot", synchronised: true)
        let ledger = try Ledger.open(stateDirectory: state, reading: reading)
        var memory = try ledger.load().memory
        var known = try #require(memory.fleet)
        change(&known)
        memory.fleet = known
        try ledger.remember { $0 = memory }
    }

    /// Has its node.yaml name a store that other machines reach.
    func reach(endpoints: String) throws {
        let directory = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("fleet: {store: etcd, endpoints: [\"\(endpoints)\"]}\n".utf8).write(
            to: URL(filePath: directory + "/node.yaml"))
    }

    /// Changes the rollout as another node would.
    func change(_ change: (inout RolloutDocument) -> Void) throws {
        let book = try book()
        let stored = try #require(try book.rollout(of: .k3s))
        var document = stored.value
        change(&document)
        document.generation += 1
        _ = try book.put(document, over: stored)
    }
}
