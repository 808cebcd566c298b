import Testing

extension HeldNodeTests {
    @Suite("the timer, the watch, a person and starts of the unit at once")
    struct Crowd {
        @Test("invariants 3, 8 and 10: each ends well, and the node is held in the end")
        func together() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.agent
            try await node.prepare(unit)
            let rounds = min(Lab.soakRounds ?? 2, 40)
            let answer = try await node.ask(
                "/usr/local/lib/lab/crowd", String(rounds), String(UInt16.random(in: .min ... .max)),
                unit.unit,
                unit.binary, unit.approved, unit.minor, seconds: 60 + rounds * 20)
            #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
            print(answer.output)
            // What a pause let start has started: the next case begins with what is proven.
            try await node.prepare(unit)
        }

        @Test(
            "systemd that is executed anew in the midst of ticks takes nothing from what is known and guarded"
        )
        func executedAnew() async throws {
            let node = try LabNode.current
            let unit = HeldUnit.server
            try await node.prepare(unit)
            let rounds = min(Lab.soakRounds ?? 20, 400)
            let answer = try await node.ask(
                "/usr/local/lib/lab/reexec", String(rounds), unit.unit, seconds: 60 + rounds * 3)
            #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
            print("while systemd is executed anew: \(answer.output)")
        }
    }
}
