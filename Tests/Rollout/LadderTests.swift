import Model
import Testing

@testable import Rollout

/// A way from one version to another.
struct Way: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(from) → \(to)" }
    var from: String
    var to: String
    var known: [String] = []
    var waypoints: [(from: String, through: String)] = []
    /// The versions to go through; nil where there is no way.
    var steps: [String]?
}

private let ways = [
    Way(from: "v1.31.4+k3s1", to: "v1.31.4+k3s1", steps: []),
    Way(from: "v1.31.4+k3s1", to: "v1.31.6+k3s1", known: ["v1.31.5+k3s1"], steps: ["v1.31.6+k3s1"]),
    Way(from: "v1.31.4+k3s1", to: "v1.32.1+k3s1", steps: ["v1.32.1+k3s1"]),
    // Latest patch first.
    Way(
        from: "v1.31.4+k3s1", to: "v1.32.1+k3s1", known: ["v1.31.5+k3s1", "v1.31.9+k3s1", "v1.32.0+k3s1"],
        steps: ["v1.31.9+k3s1", "v1.32.1+k3s1"]),
    // No minor is skipped (invariant 9), each by its latest patch.
    Way(
        from: "v1.31.4+k3s1", to: "v1.33.2+k3s1",
        known: ["v1.32.0+k3s1", "v1.32.7+k3s1", "v1.33.1+k3s1", "v1.34.0+k3s1"],
        steps: ["v1.32.7+k3s1", "v1.33.2+k3s1"]),
    Way(from: "v1.31.4+k3s1", to: "v1.33.2+k3s1", known: ["v1.31.9+k3s1"], steps: nil),
    // A pre-release is gone to only where it was asked for.
    Way(
        from: "v1.31.4+k3s1", to: "v1.33.0+k3s1", known: ["v1.32.0+k3s1", "v1.32.1-rc1+k3s1"],
        steps: ["v1.32.0+k3s1", "v1.33.0+k3s1"]),
    Way(from: "v1.31.4+k3s1", to: "v1.32.0-rc1+k3s1", steps: ["v1.32.0-rc1+k3s1"]),
    // A waypoint in the midst.
    Way(
        from: "v1.33.1+k3s1", to: "v1.34.2+k3s1", known: ["v1.33.7+k3s3", "v1.33.5+k3s1"],
        waypoints: [("<v1.33.7+k3s3", ">=v1.33.7+k3s3 <1.33.13")], steps: ["v1.33.7+k3s3", "v1.34.2+k3s1"]),
    Way(
        from: "v1.32.1+k3s1", to: "v1.34.2+k3s1", known: ["v1.33.7+k3s3", "v1.32.9+k3s1", "v1.33.13+k3s1"],
        waypoints: [("<v1.33.7+k3s3", ">=v1.33.7+k3s3 <1.33.13")],
        steps: ["v1.32.9+k3s1", "v1.33.7+k3s3", "v1.33.13+k3s1", "v1.34.2+k3s1"]),
    Way(
        from: "v1.33.1+k3s1", to: "v1.34.2+k3s1", known: ["v1.33.5+k3s1"],
        waypoints: [("<v1.33.7+k3s3", ">=v1.33.7+k3s3 <1.33.13")], steps: nil),
    Way(from: "v1.32.1+k3s1", to: "v1.31.9+k3s1", steps: nil),
    Way(from: "v1.32.1+k3s1", to: "v2.0.0+k3s1", steps: nil),
]

@Suite("The ladder")
struct LadderTests {
    @Test(
        "invariant 9: goes one minor at a time, latest patch first, through every waypoint", arguments: ways)
    func steps(_ way: Way) throws {
        let waypoints = try way.waypoints.map {
            Waypoint(from: try VersionRange($0.from), through: try VersionRange($0.through), reason: "a test")
        }
        let found = try? ladder(
            from: Sample.version(way.from), to: Sample.version(way.to), known: way.known.map(Sample.version),
            waypoints: waypoints)
        #expect(found?.steps.map(\.version.description) == way.steps)
        var current = Sample.version(way.from)
        for step in found?.steps ?? [] {
            #expect(step.version > current && step.version.minor - current.minor <= 1)
            current = step.version
        }
    }
}
