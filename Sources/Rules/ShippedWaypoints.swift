import Model

/// A waypoint that ships with the rules.
struct ShippedWaypoint {
    let distribution: Distribution
    let waypoint: Waypoint

    /// Only what is certain is listed: versions whose embedded etcd is known from the release itself.
    ///
    /// etcd 3.6 may take members that were removed long ago for present ones unless every member has run
    /// 3.5.26 or newer first (etcd's announcement of December 2025; k3s-io/k3s#13485, #13493, #13496).
    static let all: [ShippedWaypoint] = [
        // K3s: v1.33.7+k3s3 is the first of its minor with etcd 3.5.26, v1.33.13 has 3.6.12 (k3s-io/k3s#14183),
        // and so has every release of 1.34 some 3.6. Which of 1.33.8 to 1.33.12 carry what was not found out;
        // they are let through, since nothing proves them to be a jump.
        make(
            .k3s, from: "<v1.33.7+k3s3", through: ">=v1.33.7+k3s3 <1.33.13",
            "etcd 3.6 needs etcd 3.5.26 to have run first (k3s-io/k3s#13493)"),
        // k0s, from the etcd_version of each tag: v1.33.8+k0s.0 has 3.5.25, v1.33.8+k0s.1 has 3.5.27, the last of
        // 1.33 has 3.5.33, the first of 1.34 has 3.6.5.
        make(
            .k0s, from: "<v1.33.8+k0s.1", through: ">=v1.33.8+k0s.1 <1.34",
            "etcd 3.6 needs etcd 3.5.26 to have run first (etcd, December 2025)"),
    ].compactMap { $0 }

    private static func make(
        _ distribution: Distribution, from: String, through: String, _ reason: String
    ) -> ShippedWaypoint? {
        guard let from = try? VersionRange(from), let through = try? VersionRange(through) else { return nil }
        return ShippedWaypoint(
            distribution: distribution, waypoint: Waypoint(from: from, through: through, reason: reason))
    }
}
