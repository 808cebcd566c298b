import Model
import Testing

@Suite("A version")
struct VersionTests {
    /// Oldest first.
    static let ordered = [
        "v1.9.9", "v1.30.14+k3s2", "v1.31.0-alpha.1", "v1.31.0-alpha.2", "v1.31.0-rc9+k3s1",
        "v1.31.0-rc10+k3s1", "v1.31.0", "v1.31.0+k0s.0", "v1.31.4", "v1.31.4+k0s.3", "v1.31.4+k0s.14",
        "v1.31.4+k0s.14.vendor1", "v1.31.4+k3s1", "v1.31.4+k3s2", "v1.31.4+k3s10", "v1.31.10+k3s1",
        "v1.32.0-beta.0+k0s.0", "v1.32.0-rc1+k3s1", "v1.32.0-rc1+k3s2", "v1.32.0-rc2+k3s1", "v1.32.0+k3s1",
        "v2.0.0",
    ]

    @Test("is older than every one after it, and not the other way round")
    func order() throws {
        let versions = try Self.ordered.map { try #require(Version($0), "\($0)") }
        for (i, left) in versions.enumerated() {
            for (j, right) in versions.enumerated() {
                #expect((left < right) == (i < j), "\(left) \(right)")
                #expect((left == right) == (i == j), "\(left) \(right)")
            }
        }
    }

    @Test("has a total order: of two different ones exactly one is older, and the order is transitive")
    func totalOrder() {
        let prereleases = ["", "-rc1", "-rc01", "-rc9", "-rc10", "-rc.1", "-1", "-alpha", "-rc1.0"]
        let builds = ["", "+k3s1", "+k3s2", "+k3s10", "+k3s01", "+k0s.0", "+k0s.14", "+k0s.3", "+k3s1.x"]
        let versions = ["1.31.4", "1.31.10", "1.4.31"].flatMap { base in
            prereleases.flatMap { pre in builds.compactMap { Version("v\(base)\(pre)\($0)") } }
        }
        #expect(versions.count == 3 * 9 * 9)
        for a in versions {
            for b in versions {
                #expect((a == b ? 1 : 0) + (a < b ? 1 : 0) + (b < a ? 1 : 0) == 1, "\(a) \(b)")
            }
        }
        // Sorting by a relation that is antisymmetric and total is only stable for all pairs if transitive.
        let sorted = versions.sorted()
        for (i, a) in sorted.enumerated() {
            for b in sorted[(i + 1)...] { #expect(a < b, "\(a) \(b)") }
        }
    }

    @Test("is written as it was read", arguments: ordered)
    func roundTrip(_ text: String) {
        #expect(Version(text)?.description == text)
        #expect(Version(text.dropFirst())?.description == text)
    }

    @Test(
        "is not read from what is none",
        arguments: [
            "", "v", "1", "1.31", "1.31.x", "1.31.4.5", "v1.31.4+", "v1.31.4-", "v1.31.4-+k3s1", "v1.31.4 ",
            "vv1.31.4", "v01.31.4", "v1.031.4", "v1.31.04", "v1.31.1234567", "v1.31.-4", "v1.31.4+k3s1+k3s2",
            "v1.31.4+k3s_1", "v1.31.4-rc..1", "v1.31.4+k3s1\n", "v١.31.4",
            "v1.31.4+" + String(repeating: "k", count: 128),
        ])
    func invalid(_ text: String) {
        #expect(Version(text) == nil)
    }

    @Test(
        "says which distribution builds it",
        arguments: zip(
            ["v1.31.4+k3s1", "v1.31.4+k0s.0", "v1.31.4", "v1.31.4+rke2r1"],
            [Distribution.k3s, .k0s, nil, nil]
        )
    )
    func distribution(_ text: String, _ distribution: Distribution?) {
        #expect(Version(text)?.distribution == distribution)
    }
}

private struct Step: Sendable, CustomTestStringConvertible {
    let from: String?
    let to: String?
    let type: UpdateType
    var skips = false
    var testDescription: String { "\(from ?? "unread") → \(to ?? "unread")" }

    init(_ from: String?, _ to: String?, _ type: UpdateType, skips: Bool = false) {
        (self.from, self.to, self.type, self.skips) = (from, to, type, skips)
    }
}

@Suite("An update type")
struct UpdateTypeTests {
    @Test(
        "follows from the two versions",
        arguments: [
            Step("v1.31.4+k3s1", "v1.31.4+k3s1", .build),
            Step("v1.31.4", "v1.31.4", .build),
            Step("v1.31.4+k3s1", "v1.31.4+k3s2", .build),
            Step("v1.31.4+k0s.3", "v1.31.4+k0s.14", .build),
            Step("v1.31.4-rc1+k3s1", "v1.31.4-rc1+k3s2", .build),
            Step("v1.31.4+k3s2", "v1.31.4+k3s1", .downgrade),
            Step("v1.31.4+k3s1", "v1.31.5+k3s1", .patch),
            Step("v1.31.4+k3s1", "v1.31.14+k3s1", .patch),
            Step("v1.31.4-rc1+k3s1", "v1.31.4+k3s1", .patch),
            Step("v1.31.4-rc1+k3s1", "v1.31.4-rc2+k3s1", .patch),
            Step("v1.31.4+k3s1", "v1.31.5-rc1+k3s1", .patch),
            // A release is newer than its own candidates, so going to one is going back.
            Step("v1.31.4+k3s1", "v1.31.4-rc1+k3s1", .downgrade),
            Step("v1.31.4+k3s1", "v1.31.3+k3s2", .downgrade),
            Step("v1.31.4+k3s1", "v1.32.0+k3s1", .minor),
            Step("v1.31.14+k3s1", "v1.32.0-rc1+k3s1", .minor),
            Step("v1.31.4+k3s1", "v1.33.0+k3s1", .minor, skips: true),
            Step("v1.32.0-rc1+k3s1", "v1.31.14+k3s1", .downgrade),
            Step("v1.33.0", "v1.31.0", .downgrade),
            Step("v1.31.4", "v2.0.0", .major),
            Step("v2.0.0", "v1.31.4", .downgrade),
            Step(nil, "v1.31.4", .unknown),
            Step("v1.31.4", nil, .unknown),
            Step(nil, nil, .unknown),
            // Builds of two distributions have no order.
            Step("v1.31.4+k3s1", "v1.31.5+k0s.0", .unknown),
            Step("v1.31.4", "v1.31.5+k3s1", .unknown),
        ])
    private func type(_ step: Step) {
        let from = step.from.flatMap { Version($0) }
        let to = step.to.flatMap { Version($0) }
        #expect(UpdateType(from: from, to: to) == step.type)
        #expect(UpdateType.skipsMinor(from: from, to: to) == step.skips)
    }

    @Test("above minor is within no ceiling, and a wider ceiling takes in whatever a narrower one does")
    func ceilings() {
        for ceiling in Ceiling.allCases {
            for type in [UpdateType.major, .downgrade, .unknown] { #expect(!ceiling.admits(type)) }
            for narrower in Ceiling.allCases where narrower <= ceiling {
                for type in UpdateType.allCases where narrower.admits(type) {
                    #expect(ceiling.admits(type))
                }
            }
        }
        #expect(!UpdateType.allCases.contains { Ceiling.none.admits($0) })
    }
}
