import Model
import Testing

/// A way in which the guard itself is broken when a minor comes; `Packaging/lab/node/break` knows them.
struct Breakage: Sendable, CustomTestStringConvertible {
    let name: String
    let unit: HeldUnit
    /// Whether the minor is still kept out.
    let isHeld: Bool
    /// What the unit's journal says of it.
    let told: String
    /// What the next tick takes into the ledger and tells; nil where the gate could leave nothing for it.
    var recorded: JournalEntry.Message?
    var testDescription: String { "\(name) on a \(unit.testDescription)" }

    static let all = [
        Breakage(
            name: "no-guard-file", unit: .agent, isHeld: false, told: "there is no guard file",
            recorded: .gateLetThrough),
        Breakage(
            name: "torn-guard-file", unit: .worker, isHeld: false, told: "it was cut off or changed",
            recorded: .gateLetThrough),
        Breakage(
            name: "no-vault", unit: .server, isHeld: true, told: "has been put back", recorded: .gatePutBack),
        // Copied from the vault.
        Breakage(
            name: "no-spare", unit: .controller, isHeld: true, told: "has been put back",
            recorded: .gatePutBack),
        Breakage(
            name: "no-spare-no-vault", unit: .worker, isHeld: false,
            told: "there is neither a spare nor a copy in the vault", recorded: .gateLetThrough),
        Breakage(
            name: "no-policy", unit: .agent, isHeld: true, told: "has been put back", recorded: .gatePutBack),
        // The wrapper's mark is taken into what last ran.
        Breakage(
            name: "gate-hangs", unit: .agent, isHeld: false, told: "it starts unguarded"),
        Breakage(
            name: "gate-crashes", unit: .worker, isHeld: false, told: "it starts unguarded"),
        Breakage(
            name: "gate-without-library", unit: .agent, isHeld: false, told: "it starts unguarded"),
        Breakage(
            name: "gate-gone", unit: .worker, isHeld: false, told: "it starts unguarded"),
        // The renames are on the binary's own file system; the gate can leave no word for the tick.
        Breakage(
            name: "state-full", unit: .server, isHeld: true, told: "has been put back"
        ),
        Breakage(
            name: "state-read-only", unit: .controller, isHeld: true,
            told: "has been put back"),
    ]
}

extension HeldNodeTests {
    @Suite("a guard that is broken")
    struct Broken {
        @Test("invariant 3: the unit starts, and it is told", arguments: Breakage.all)
        func starts(with breakage: Breakage) async throws {
            let node = try LabNode.current
            let unit = breakage.unit
            try await node.prepare(unit)
            let before = try await node.count(breakage.recorded)
            try await node.breakGuard(breakage)
            let brought = try await node.replace(unit, by: "mv")
            #expect(brought.code == 0, "\(brought.output)\(brought.errors)")
            try await node.settle(unit)
            let facts = try await node.facts(unit)
            #expect(facts == (breakage.isHeld ? .held : .minor))
            let told = try await node.told(unit)
            #expect(told.contains(breakage.told), "\(told)")
            // The next tick, once whatever was broken of the machine is whole; without a policy it says so by 78.
            try await node.run("/usr/local/lib/lab/mend; holdfast check >/dev/null || [ $? = 78 ]")
            if breakage.recorded != nil { #expect(try await node.count(breakage.recorded) > before) }
            let row = try #require(try await node.history(unit).last { $0.to == unit.minorVersion })
            #expect((row.verdict, row.to) == ("hold", unit.minorVersion))
            #expect(row.phase == (breakage.isHeld ? "offered" : "running"))
            #expect(try await node.ask("holdfast", "verify").code == 0)
        }

        @Test(
            "invariants 1 and 12: a start while the state cannot be written to costs no proof: the next minor is held too",
            arguments: ["state-full", "state-read-only"])
        func proofStands(way: String) async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            try await node.breakGuard(Breakage(name: way, unit: unit, isHeld: true, told: ""))
            _ = try await node.replace(unit, by: "mv")
            try await node.settle(unit)
            try await node.run("/usr/local/lib/lab/mend; holdfast check >/dev/null")
            _ = try await node.replace(unit, by: "mv")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
            #expect(try await node.told(unit).contains("has been put back"))
        }

        @Test("invariants 2 and 3: bytes that are no release at all are put aside like any other")
        func garbage() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.controller
            try await node.prepare(unit)
            try await node.run("head -c 300000 /dev/urandom >/root/garbage; chmod 755 /root/garbage")
            _ = try await node.replace(unit, by: "mv", with: "/root/garbage")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
            #expect(try await node.told(unit).contains("has been put back"))
        }

        @Test("the next tick puts back what of a guard can be put back, and the minor is held again")
        func mended() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            for name in ["no-vault", "no-spare", "torn-guard-file"] {
                try await node.breakGuard(Breakage(name: name, unit: unit, isHeld: true, told: ""))
            }
            // As the timer does, from inside its sandbox.
            try await node.run("systemctl start holdfast holdfast.path holdfast.timer")
            _ = try await node.replace(unit, by: "mv")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
        }
    }
}

extension LabNode {
    /// Breaks the guard; the ticks are stopped until `prepare`.
    func breakGuard(_ breakage: Breakage) async throws {
        try await run("/usr/local/lib/lab/break \"$@\"", breakage.name, breakage.unit.spare)
    }

    /// How many entries of a kind the journal has.
    fileprivate func count(_ message: JournalEntry.Message?) async throws -> Int {
        guard let message else { return 0 }
        return try await journal(message).count
    }
}
