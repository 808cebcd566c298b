import Model
import Testing

/// Upgrades over a k0s controller and a worker of its cluster.
@Suite(
    "a rollout over a k0s controller and its worker", .serialized,
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .fleet(.k0s))
struct FleetK0sTests {
    @Test(
        "a patch goes to the controller, and only when it has proven it to the worker, though one stage holds both (invariant 4)"
    )
    func good() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "2s")
        try await fleet.upgrade(to: .good, on: fleet.node("worker"))
        try await fleet.tick()
        try await fleet.wait(until: .done)
        try await fleet.expectPatched(first: fleet.node("controller"))
    }

    @Test("a release that is never ready is put back on the controller, and the worker keeps its own")
    func neverReady() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "2s")
        try await fleet.upgrade(to: .neverReady, on: fleet.node("worker"))
        try await fleet.tick()
        try await fleet.wait(until: .halted)
        try await fleet.expectPutBack(on: fleet.node("controller"))
    }
}

extension FleetShape {
    /// A k0s controller and a worker of one cluster, in one stage that would take both at once.
    fileprivate static let k0s = FleetShape(
        store: .etcd, software: .k0s,
        members: [
            Member(
                name: "controller", cluster: "plant", unit: "k0scontroller",
                options: ["--role", "controller"],
                // One controller over a file of its own: the stand-in has no etcd that could tell of its members.
                files: ["/etc/k0s/k0s.yaml": "spec: {storage: {type: kine}}\n"]),
            Member(name: "worker", cluster: "plant", unit: "k0sworker", options: ["--role", "worker"]),
        ],
        stages: """
              - {name: all, nodes: ["*"], maxConcurrent: 2, soak: SOAK}
            """)
}

extension FleetSoftware {
    fileprivate static let k0s = FleetSoftware(
        name: "k0s", base: "v1.31.4+k0s.0", version: "v1.31.5+k0s.0", artifact: "k0s-v1.31.5+k0s.0-amd64",
        checksums: "sha256sums.txt")
}
