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
            // What a pause let start has started: the next case begins with what is proven.
            try await node.prepare(unit)
        }
    }
}
