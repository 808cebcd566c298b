import Testing

extension HeldNodeTests {
    @Suite("a verb that is killed")
    struct Interrupted {
        @Test(
            "invariant 7: the unit starts, and the next tick and the same verb again leave what an undisturbed one leaves",
            arguments: ["adopt", "release", "pause"])
        func killed(verb: String) async throws {
            let node = try LabNode.current
            // An adoption of four installations takes some tenths of a second, a pause hundredths; the simulation has every
            // step.
            var killed = 0
            for milliseconds in [8, 60] {
                let answer = try await node.ask(
                    "/usr/local/lib/lab/interrupt", verb, String(milliseconds), HeldUnit.worker.unit)
                #expect(answer.code == 0, "at \(milliseconds) ms: \(answer.output)\(answer.errors)")
                if answer.output.contains("killed") { killed += 1 }
            }
            #expect(killed > 0)
        }
    }
}
