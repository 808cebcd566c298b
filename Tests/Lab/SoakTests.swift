import FoundationEssentials
import Testing

/// The matrices and the long run, on a node of their own: `make soak`.
@Suite(
    "K3s and k0s held, every way in every role", .serialized,
    .enabled(if: Lab.soakRounds != nil, "SKIPPED: make soak runs it"),
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .node(.plain, with: "k3s", "k0s"), .held)
struct SoakTests {
    static let ways = ReplacementWay.names.flatMap { name in
        // system-upgrade-controller writes into the file, which k0s runs from.
        HeldUnit.all.filter { name != "suc" || $0.distribution == "k3s" }.map {
            ReplacementWay(name: name, unit: $0)
        }
    }
    static let breakages = Breakage.all.flatMap { breakage in
        HeldUnit.all.map {
            Breakage(
                name: breakage.name, unit: $0, isHeld: breakage.isHeld, told: breakage.told,
                recorded: breakage.recorded)
        }
    }

    @Test("invariant 1: restore", arguments: ways)
    func restore(by way: ReplacementWay) async throws { try await HeldNodeTests.Minor().held(by: way) }

    @Test("warn lets it start, and tells", arguments: ways)
    func warn(by way: ReplacementWay) async throws {
        let node = try LabNode.current
        try await node.prepare(way.unit, mode: "warn")
        let brought = try await node.replace(way.unit, by: way.name)
        #expect(brought.code == 0, "\(brought.output)\(brought.errors)")
        try await node.settle(way.unit)
        #expect(try await node.facts(way.unit) == .minor)
        #expect(try await node.told(way.unit).contains("the policy says warn"))
    }

    @Test("refuse keeps it from starting until it is gone", arguments: ways)
    func refuse(by way: ReplacementWay) async throws {
        let node = try LabNode.current
        let unit = way.unit
        try await node.prepare(unit, mode: "refuse")
        _ = try await node.replace(unit, by: way.name)
        #expect(
            try await node.facts(unit)
                == HeldFacts(unit: "activating", installed: "minor", running: "nothing"))
        #expect(try await node.told(unit).contains("refused; 'holdfast explain' says why"))
        try await node.run("cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", unit.approved, unit.binary)
        try await node.settle(unit)
        #expect(try await node.facts(unit) == .held)
    }

    @Test("invariant 3: a broken guard lets the unit start, and it is told", arguments: breakages)
    func broken(by breakage: Breakage) async throws {
        try await HeldNodeTests.Broken().starts(with: breakage)
    }

    @Test(
        "invariant 7: a verb that is killed at some instant",
        arguments: ["adopt", "release", "pause"].flatMap { verb in (0..<20).map { (verb, $0 * 7) } })
    func killed(verb: String, milliseconds: Int) async throws {
        let node = try LabNode.current
        let answer = try await node.ask(
            "/usr/local/lib/lab/interrupt", verb, String(milliseconds), HeldUnit.worker.unit)
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
    }

    @Test("invariant 1: rounds of replace and restart, ten thousand where nothing else is said")
    func rounds() async throws {
        let node = try LabNode.current
        for unit in HeldUnit.all { try await node.prepare(unit) }
        let rounds = try #require(Lab.soakRounds)
        let seed = UInt16.random(in: .min ... .max)
        // What one round takes at most on a machine that does much else.
        let answer = try await node.ask(
            "/usr/local/lib/lab/rounds", String(rounds), String(seed), seconds: 60 + rounds * 8)
        print("seed \(seed): \(answer.output)")
        #expect(answer.code == 0, "seed \(seed): \(answer.errors)")
    }
}

extension Lab {
    /// How often the long run replaces and restarts; nil where this is no soak.
    static var soakRounds: Int? {
        let environment = ProcessInfo.processInfo.environment
        guard environment["HOLDFAST_SOAK"] != nil else { return nil }
        return environment["HOLDFAST_ROUNDS"].flatMap { Int($0) } ?? 10_000
    }
}
