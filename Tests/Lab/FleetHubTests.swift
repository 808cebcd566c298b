import Model
import Testing

/// Upgrades over three K3s servers whose fleet is kept in ConfigMaps of a hub cluster that all of them reach.
///
/// The hub's API server is a stand-in (`Packaging/lab/standins/hub`), since none is packaged for Debian: it keeps
/// ConfigMaps of the namespace `holdfast`, refuses what goes by an old resourceVersion and what is there already, lists
/// by label in short pages, over TLS, to a token for each node with the rights of `Packaging/kubernetes`. It is no
/// proof of a real one's ways beyond that: no etcd behind it, no admission, no priority and fairness, no RBAC objects.
@Suite(
    "a rollout over a fleet in a hub's ConfigMaps", .serialized,
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .fleet(.servers(.hub)))
struct FleetHubTests {
    @Test("a good patch goes to the canary, and only when it has proven it there to the rest (invariant 4)")
    func good() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "2s")
        try await fleet.upgrade(to: .good, on: fleet.west)
        try await fleet.tick()
        try await fleet.wait(until: .done)
        try await fleet.expectPatched(first: fleet.canary)
    }

    @Test("while the API server is away nothing begins, and it goes on when it is back (invariant 2)")
    func storeAway() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "1s")
        try await fleet.expectNothingBeginsWhileStoreIsAway()
    }
}
