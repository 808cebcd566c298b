import Model
import Testing

extension LabFleet {
    /// Every node but one.
    func others(than node: LabNode) -> [LabNode] { nodes.filter { $0.name != node.name } }

    /// A release has gone to one node, and only when it had proven it there to the others, once on each (invariant 4).
    func expectPatched(first: LabNode) async throws {
        let status = try await nodes[1].ask("holdfast", "status", "--fleet", "--output", "json").json(
            FleetAnswer.self)
        #expect(
            Set(status.nodes.map { "\($0.name) \($0.running ?? "") \($0.hasSamePolicy)" })
                == Set(nodes.map { "\(title($0)) \(software.version) true" }))
        let proven = try #require(try await first.told(.seatTaken).last)
        for node in nodes {
            try await node.expectRunning(software.version)
            #expect(try await node.ask("holdfast", "verify").code == 0)
            let began = try await node.told(.stepBegan)
            let ended = try await node.told(.stepEnded)
            #expect(began.count == 1 && ended.count == 1, "\(node.name): \(began) \(ended)")
            #expect(ended.allSatisfy { $0.message.contains("is done") }, "\(ended)")
            if node.name != first.name {
                #expect(began.allSatisfy { $0.at > proven.at }, "\(node.name) began before the first's proof")
            }
        }
    }

    /// A release that failed on one node was put back there and nobody may have it again; the others keep what they run.
    func expectPutBack(on first: LabNode) async throws {
        try await first.expectRunning(software.base)
        #expect(try await first.told(.quarantined).count == 1)
        #expect(try await first.ask("holdfast", "verify").code == 0)
        // Told to look now, and again by themselves.
        try await each(others(than: first)) { node in
            try await node.run("holdfast check --fleet; systemctl start holdfast; systemctl start holdfast")
            try await node.expectUntouched(software.base)
        }
        struct Entry: Decodable { let version, node: String }
        let listed = try await nodes[1].ask("holdfast", "quarantine", "list", "--output", "json").json(
            [Entry].self)
        #expect(listed.map(\.version) == [software.version])
        #expect(listed.map(\.node) == [title(first)])
    }

    /// The store goes away when the canary has proven a release: nothing begins elsewhere, and a person reads why.
    ///
    /// When it is back the rollout goes on (invariant 2).
    func expectNothingBeginsWhileStoreIsAway() async throws {
        try await upgrade(to: .good, on: west)
        try await tick([canary])
        try await waitForCanary()
        try await store("stop")
        try await each(rest) { node in
            try await node.run("holdfast check --fleet; systemctl start holdfast; systemctl start holdfast")
            try await node.expectUntouched()
            let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
            #expect(status.problems.contains { $0.code == "fleet-silent" }, "\(status.problems)")
        }
        try await store("start")
        try await tick()
        try await wait(until: .done)
        for node in nodes { try await node.expectRunning(FleetRelease.version) }
    }
}

extension LabNode {
    /// The version that is installed, and runs.
    func expectRunning(_ version: String) async throws {
        let (unit, question) =
            version.contains("+k0s") ? ("k0s*", "k0s status") : ("k3s", "k3s --version")
        try await wait(until: "systemctl is-active -q '\(unit)' && \(question) >/dev/null 2>&1")
        #expect(try await run(question).contains(version), "\(name)")
    }

    /// The ledger is whole, and the base release was never replaced here.
    func expectUntouched(_ base: String = FleetRelease.base) async throws {
        try await expectRunning(base)
        #expect(try await told(.stepBegan).isEmpty, "\(name)")
        #expect(try await ask("holdfast", "verify").code == 0, "\(name)")
    }
}
