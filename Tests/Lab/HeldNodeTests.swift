import Model
import Testing

/// Adopted K3s and k0s nodes in each of their roles under a real systemd, all on one node, which is booted once.
///
/// Each case brings its installation to the approved release first, and looks at no other one. The matrices are in
/// `SoakTests`.
@Suite(
    "K3s and k0s, adopted and held", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.plain, with: "k3s", "k0s"), .held)
struct HeldNodeTests {}

/// A way by which somebody brings another release and has it started; `Packaging/lab/node/replace` knows them.
struct ReplacementWay: Sendable, CustomTestStringConvertible {
    let name: String
    let unit: HeldUnit
    /// Whether whoever brings it looks at the version afterwards, and so sees that it came to nothing.
    var looksAfterwards: Bool { name == "k0sctl" }
    var testDescription: String { "\(name) on a \(unit.testDescription)" }

    static let names = ["mv", "installer", "cp", "autopilot", "k0sctl", "suc", "package"]
    /// Each way once, where it is at home.
    static let each = [
        ReplacementWay(name: "mv", unit: .server), ReplacementWay(name: "cp", unit: .agent),
        ReplacementWay(name: "installer", unit: .server), ReplacementWay(name: "installer", unit: .agent),
        ReplacementWay(name: "autopilot", unit: .controller), ReplacementWay(name: "k0sctl", unit: .worker),
        ReplacementWay(name: "suc", unit: .server), ReplacementWay(name: "package", unit: .agent),
    ]
}

extension HeldNodeTests {
    @Suite("an adoption a moment ago")
    struct Young {
        @Test("a release that was installed, adopted and started within two seconds stays in its place")
        func keeps() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            let file = try await node.run(
                """
                holdfast release >/dev/null
                cp "$1" "$2.new"; mv -f "$2.new" "$2"; stat -c %i "$2"
                holdfast adopt >/dev/null; timeout 30 systemctl restart "$3"
                """, unit.approved, unit.binary, unit.unit)
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
            #expect(try await node.run("stat -c %i \"$1\"", unit.binary) == file)
            #expect(try await !node.told(unit).contains("has been put back"))
        }
    }
}

extension HeldNodeTests {
    @Suite("an unattended minor")
    struct Minor {
        @Test(
            "invariant 1: is put back before it starts, kept aside and told, whoever brings it",
            arguments: ReplacementWay.each)
        func held(by way: ReplacementWay) async throws {
            let node = try LabNode.current
            let unit = way.unit
            try await node.prepare(unit)
            let before = try await node.pending(unit)
            let acts = try await node.journal(.gatePutBack).count

            let brought = try await node.replace(unit, by: way.name)
            #expect(brought.code == (way.looksAfterwards ? 1 : 0), "\(brought.output)\(brought.errors)")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
            let told = try await node.told(unit)
            #expect(told.contains("\(unit.approvedVersion) (sha256"), "\(told)")
            #expect(told.contains("has been put back and starts"), "\(told)")
            #expect(told.contains("holdfast pause --for 2h"), "\(told)")
            #expect(try await node.ask("test", "-e", "/run/lab-cordoned").code == 1)

            // Kept whole, to be looked at and approved.
            let kept = try await node.pending(unit).subtracting(before)
            #expect(try await node.areMinor(kept, unit))
            // The tick that the watch starts stages another spare by itself.
            try await node.waitForSpare(of: unit)
            let answer = try await node.ask("holdfast", "check", "--output", "json")
            let seen = try answer.json(NodeAnswer.self).installation(unit.name)
            #expect(seen.installed?.version == unit.approvedVersion)
            #expect(seen.running?.version == unit.approvedVersion)
            #expect((seen.approved?.version, seen.approved?.confirmed) == (unit.approvedVersion, true))
            // Decided and recorded, whether or not a tick saw it before the gate turned it away.
            let change = try #require(seen.changes.first { $0.to == unit.minorVersion })
            #expect(
                (change.phase, change.updateType, change.decision.verdict) == ("offered", "minor", "hold"))
            // A tick in the midst of a swap may have found nothing readable there, and held that too.
            let row = try #require(try await node.history(unit).last { $0.change == change.id })
            #expect((row.change, row.verdict, row.to) == (change.id, "hold", unit.minorVersion))
            // And what the gate did, in the ledger and in Holdfast's own journal.
            try await node.waitForJournal(.gatePutBack, moreThan: acts)
            #expect(try await node.journal(.gatePutBack).last?.installation == unit.name)
            #expect(try await node.ask("holdfast", "verify").code == 0)
        }

        @Test(
            "invariant 1: on disk it is judged, recorded and told by the tick that the watch starts, before any start"
        )
        func seen() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.controller
            try await node.prepare(unit)
            let begun = try await node.journal(.decided).count
            try await node.run("cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", unit.minor, unit.binary)
            try await node.wait(until: "holdfast status --output json | grep -q '\"phase\": *\"on-disk\"'")
            try await node.waitForJournal(.decided, moreThan: begun)
            let told = try #require(try await node.journal(.decided).last { $0.installation == unit.name })
            #expect((told.verdict, told.phase, told.updateType) == ("hold", "on-disk", "minor"))
            let row = try #require(try await node.history(unit).last { $0.to == unit.minorVersion })
            #expect((row.verdict, row.to, row.phase) == ("hold", unit.minorVersion, "on-disk"))
            #expect(try await node.run("holdfast status").contains("restart pending"))

            // It is put back at the next start, and the change has then ended.
            try await node.restart(unit.unit)
            #expect(try await node.facts(unit) == .held)
            try await node.wait(until: "! holdfast status --output json | grep -q '\"phase\": *\"on-disk\"'")
        }

        @Test(
            "fifty replacements in five seconds leave the approved release, a live watch and bounded leftovers"
        )
        func fifty() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            try await node.run(
                """
                for i in $(seq 50); do
                    cp "$1" "$2.new"; mv -f "$2.new" "$2"
                    [ $((i % 10)) != 0 ] || systemctl restart --no-block "$3"
                    sleep 0.05
                done
                systemctl reset-failed "$3" || true; systemctl restart "$3"
                """, unit.minor, unit.binary, unit.unit)
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
            #expect(
                try await node.ask("systemctl", "is-active", "holdfast.path", "holdfast.timer").output
                    == "active\nactive\n")
            #expect(try await node.pending(unit).count <= 8)
            try await node.waitForSpare(of: unit)
            #expect(try await node.ask("holdfast", "verify").code == 0)
        }

        @Test("one that comes while a tick runs is seen by that tick or by the second look")
        func duringTick() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.worker
            try await node.prepare(unit)
            for delay in ["0.002", "0.006", "0.012"] {
                let begun = try await node.journal(.decided).count
                try await node.run(
                    """
                    cp "$1" "$2.new"; systemctl start --no-block holdfast; sleep "$3"; mv -f "$2.new" "$2"
                    """, unit.minor, unit.binary, delay)
                try await node.waitForJournal(.decided, moreThan: begun)
                #expect(
                    try await node.journal(.decided).last?.installation == unit.name)
                try await node.restart(unit.unit)
                #expect(try await node.facts(unit) == .held)
                try await node.wait(
                    until: "! holdfast status --output json | grep -q '\"phase\": *\"on-disk\"'")
            }
        }

        @Test(
            "invariant 12: one that ran while the guard was off is not taken back over its data; the advice is exact"
        )
        func ranOnce() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            // The gate is away at that start: nobody stood before it.
            try await node.run("mv /usr/local/bin/holdfast-gate /root/holdfast-gate")
            _ = try await node.replace(unit, by: "mv")
            try await node.run("mv /root/holdfast-gate /usr/local/bin/holdfast-gate")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .minor)
            try await node.run("holdfast check >/dev/null")
            _ = try await node.told(unit)

            // The guard is there again, and the unit starts many times: nothing goes back.
            for _ in 0..<2 { try await node.restart(unit.unit) }
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .minor)
            let told = try await node.told(unit)
            #expect(told.contains("is not put back, since that might go back over written data"), "\(told)")
            // A tick in the midst of a restart has rightly seen nothing running.
            try await node.run("holdfast check >/dev/null")
            let row = try #require(try await node.history(unit).last { $0.to == unit.minorVersion })
            #expect((row.verdict, row.to, row.phase) == ("hold", unit.minorVersion, "running"))
            let status = try await node.run("holdfast status")
            #expect(status.contains("holdfast explain"), "\(status)")
            #expect(try await node.ask("holdfast", "verify").code == 0)
        }

        @Test("a worker keeps no data, so one that ran while the guard was off is put back at the next start")
        func ranOnceOnWorker() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.agent
            try await node.prepare(unit)
            try await node.run("mv /usr/local/bin/holdfast-gate /root/holdfast-gate")
            _ = try await node.replace(unit, by: "mv")
            try await node.run("mv /root/holdfast-gate /usr/local/bin/holdfast-gate")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .minor)
            try await node.restart(unit.unit)
            #expect(try await node.facts(unit) == .held)
        }

        @Test(
            "where the policy says warn it starts, and is told; where it says refuse it does not start until it is gone"
        )
        func otherModes() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.agent
            try await node.prepare(unit, mode: "warn")
            _ = try await node.replace(unit, by: "mv")
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .minor)
            #expect(try await node.told(unit).contains("the policy says warn"))

            try await node.prepare(unit, mode: "refuse")
            #expect(try await node.replace(unit, by: "mv").code != 0)
            let told = try await node.told(unit)
            #expect(told.contains("refused; 'holdfast explain' says why"), "\(told)")
            #expect(try await node.facts(unit).running == "nothing")
            #expect(try await node.facts(unit).installed == "minor")
            // systemd tries on, so that it heals as soon as somebody puts the approved release there.
            #expect(try await node.facts(unit).unit == "activating")
            try await node.run("cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", unit.approved, unit.binary)
            try await node.settle(unit)
            #expect(try await node.facts(unit) == .held)
        }
    }
}

extension LabNode {
    /// Brings the minor in one of the ways.
    func replace(_ unit: HeldUnit, by way: String, with release: String? = nil) async throws -> Answer {
        try await ask(
            "/usr/local/lib/lab/replace", way, release ?? unit.minor, unit.binary, unit.unit, seconds: 90)
    }

    /// What the gate keeps of what it turned away, by name.
    func pending(_ unit: HeldUnit) async throws -> Set<String> {
        Set(
            try await run("ls \"$1/.holdfast-pending\" 2>/dev/null || true", unit.directory)
                .split(separator: "\n").map(String.init).filter { $0.hasPrefix("\(unit.distribution).") })
    }

    /// Whether there is something of those names, and each is the minor.
    func areMinor(_ names: Set<String>, _ unit: HeldUnit) async throws -> Bool {
        for name in names {
            let path = "\(unit.directory)/.holdfast-pending/\(name)"
            guard try await ask("cmp", path, unit.minor).code == 0 else { return false }
        }
        return !names.isEmpty
    }

    /// The decisions that were recorded of an installation.
    func history(_ unit: HeldUnit) async throws -> [HistoryRow] {
        try await ask("holdfast", "history", "--output", "jsonl").jsonLines(HistoryRow.self).filter {
            $0.installation == unit.name
        }
    }

    /// Waits until the journal has more entries of a kind than before.
    func waitForJournal(_ message: JournalEntry.Message, moreThan count: Int) async throws {
        try await wait(
            until: "[ $(journalctl -q -o cat MESSAGE_ID=\(message.rawValue) | wc -l) -gt \(count) ]")
    }
}
