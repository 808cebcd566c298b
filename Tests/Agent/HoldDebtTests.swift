import Agent
import Model
import Ports
import Testing

private let id = InstallationID(distribution: .k3s, name: "k3s")

private func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

/// A K3s server at a version, and what is known around it.
private struct Site {
    var version: Version? = Version("v1.31.4+k3s1")
    var policy = Policy()
    var today = "2026-08-22"
    var table = SupportTable.shipped
    var releases = KnownReleases()
    var offers: [Offer] = []
    var hold: SnapHold?
    var verdict: Verdict? = .hold
    var dataStore = DataStore.sqlite

    func debt() throws -> HoldDebt {
        let now = Instant(seconds: try day(today).daysSinceEpoch * 86_400 + 3600)
        var installation = Installation(
            id: id, role: .server, units: [],
            installed: version.map {
                Installed(
                    artifact: Artifact(version: $0), path: "/usr/local/bin/k3s", evidence: .goBuildInfo,
                    origin: .verified)
            }, running: nil, offers: offers, hold: hold)
        installation.dataStore = dataStore
        var known = InstallationState(installation: installation, reference: nil, since: now)
        if let verdict {
            let change = Change(
                id: "c0ffee", installation: id, trigger: .fileReplaced, phase: .offered,
                from: Artifact(version: version), to: Artifact(version: Version("v1.32.1+k3s1")),
                origin: .verified)
            known.changes = [TrackedChange(change: change, decisionID: "d", verdict: verdict, decidedAt: now)]
        }
        var state = NodeState()
        state.installations[id.description] = known
        let loaded = LoadedPolicy(
            document: PolicyDocument(base: policy), sources: PolicySources(file: "p.yaml", lines: ["pin": 3]),
            sha256: .none)
        let node = NodeFacts(name: "one", cluster: "default", labels: [:], architecture: .amd64)
        let debts = holdDebts(
            of: state, policy: loaded, node: node, table: table, releases: [.k3s: releases], now: now)
        return try #require(debts.first)
    }

    static func with(_ change: (inout Site) throws -> Void) rethrows -> Site {
        var site = Site()
        try change(&site)
        return site
    }
}

private func versions(_ texts: String...) -> Set<Version> { Set(texts.compactMap { Version($0) }) }

@Suite("What holding costs")
struct HoldDebtTests {
    @Test(
        "counts days past the end, patches and minors behind, and takes the latest patch of each minor on the way"
    )
    func past() throws {
        let debt = try Site().debt()
        #expect(debt.daysLeft == -284)
        #expect(debt.isPastSupport == true)
        #expect(debt.patches?.count == 10)
        #expect(debt.minors?.count == 5)
        #expect(debt.minors?.newest == Version("v1.36.4"))
        #expect(
            debt.way
                == .ladder(
                    ["v1.31.14", "v1.32.13", "v1.33.13", "v1.34.11", "v1.35.8", "v1.36.4"].compactMap {
                        Version($0)
                    }))
        #expect(debt.causes == [.change(id: "c0ffee", to: Version("v1.32.1+k3s1"), verdict: .hold)])
        #expect(debt.table == "2026-08-22 shipped")
    }

    struct Days: Sendable {
        var today: String
        var left: Int
        var isPast: Bool
    }

    @Test(
        "the last day of support is one, and the next is past it",
        arguments: [
            Days(today: "2026-10-26", left: 1, isPast: false),
            Days(today: "2026-10-27", left: 0, isPast: false),
            Days(today: "2026-10-28", left: -1, isPast: true),
        ])
    func boundary(_ days: Days) throws {
        let debt = try Site.with {
            $0.version = Version("v1.34.2+k3s1")
            $0.today = days.today
        }.debt()
        #expect(debt.daysLeft == days.left)
        #expect(debt.isPastSupport == days.isPast)
    }

    @Test("invariant 2: what is not known is nil, never 0")
    func unknown() throws {
        let newer = try Site.with { $0.version = Version("v1.40.1+k3s1") }.debt()
        #expect(newer.supportEnd == nil)
        #expect(newer.daysLeft == nil)
        #expect(newer.isPastSupport == nil)
        #expect(newer.patches == nil)
        #expect(newer.way == .unknown("no newer release is known"))
        let unread = try Site.with { $0.version = nil }.debt()
        #expect(unread.patches == nil)
        #expect(unread.minors == nil)
        #expect(unread.way == .unknown("what is installed is not known"))
    }

    @Test("invariant 2: nothing newer in a table counts as nothing newer only while the table is fresh")
    func freshness() throws {
        func debt(_ today: String, _ change: (inout Site) -> Void = { _ in }) throws -> HoldDebt {
            try Site.with {
                $0.version = Version("v1.36.4+k3s1")
                $0.today = today
                change(&$0)
            }.debt()
        }
        let fresh = try debt("2026-10-06")
        #expect(fresh.patches?.count == 0)
        #expect(fresh.minors?.count == 0)
        #expect(fresh.way == .ladder([]))
        // 46 days after the table, and then 121.
        let older = try debt("2026-10-07")
        #expect(older.patches == nil)
        #expect(older.minors?.count == 0)
        #expect(older.way == .unknown("no newer release is known"))
        #expect(try debt("2026-12-21").minors == nil)
        // A source that is asked knows its own minor.
        let asked = try debt("2026-12-21") {
            $0.releases = KnownReleases(versions: versions("v1.36.4+k3s1"), current: ["1.36"])
        }
        #expect(asked.patches?.count == 0)
        #expect(asked.minors == nil)
    }

    @Test("what the distribution itself has counts more than upstream's number")
    func releases() throws {
        let debt = try Site.with {
            $0.version = Version("v1.36.1+k3s1")
            $0.releases.versions = versions("v1.36.4+k3s1", "v1.36.6+k3s1", "v1.37.0-rc1+k3s1")
        }.debt()
        #expect(debt.patches?.count == 5)
        #expect(debt.minors?.count == 0)
        #expect(debt.way == .ladder(Array(versions("v1.36.6+k3s1"))))
    }

    @Test("an offer counts, but for what a plan claims and for what nobody relies on")
    func offers() throws {
        func newest(_ trigger: Trigger, _ origin: Origin) throws -> Int? {
            try Site.with {
                $0.offers = [
                    Offer(
                        artifact: Artifact(version: Version("v1.31.99+k3s1")), trigger: trigger,
                        published: nil,
                        origin: origin)
                ]
            }.debt().patches?.count
        }
        #expect(try newest(.rollout, .claimed) == 95)
        #expect(try newest(.rollout, .unknown) == 10)
        #expect(try newest(.sucPlan, .claimed) == 10)
    }

    @Test("the way out keeps to what the policy permits, and says where that is nothing")
    func compliant() throws {
        let range = try VersionRange("<1.33")
        let bounded = try Site.with {
            $0.policy.allowedVersions = range
            $0.policy.deny = [
                DeniedVersions(versions: try VersionRange("1.32.13"), reason: "it loses volumes", url: "")
            ]
            $0.releases.versions = versions("v1.32.9+k3s1")
        }.debt()
        #expect(bounded.way == .ladder([Version("v1.31.14"), Version("v1.32.9+k3s1")].compactMap(\.self)))
        #expect(bounded.minors?.count == 5)
        let shut = try Site.with { $0.policy.allowedVersions = try VersionRange("<1.31") }.debt()
        guard case .unknown(let reason) = shut.way else {
            Issue.record("\(shut.way)")
            return
        }
        #expect(reason.contains("allowedVersions"))
    }

    @Test("invariant 9: no minor is skipped and no waypoint jumped over, so that there may be no way")
    func waypoints() throws {
        let etcd = try Site.with { $0.dataStore = .etcd }.debt()
        guard case .unknown(let reason) = etcd.way else {
            Issue.record("\(etcd.way)")
            return
        }
        #expect(reason.contains("etcd"))
        let known = try Site.with {
            $0.dataStore = .etcd
            $0.releases.versions = versions("v1.33.9+k3s1")
        }.debt()
        guard case .ladder(let steps) = known.way else {
            Issue.record("\(known.way)")
            return
        }
        #expect(steps.contains { $0 == Version("v1.33.9+k3s1") })
    }

    @Test("a pin and a snap's hold are causes, and what is let through is none")
    func causes() throws {
        let debt = try Site.with {
            $0.verdict = .allow
            $0.policy.pin.version = Version("v1.31.4+k3s1")
            $0.hold = SnapHold(until: Instant(seconds: 11_000_000_000), inhibitProceed: nil)
        }.debt()
        #expect(debt.causes == [.pin("version v1.31.4+k3s1", source: "p.yaml:3"), .snapHold(until: nil)])
        #expect(try Site.with { $0.verdict = nil }.debt().causes == [])
        #expect(
            try Site.with {
                $0.verdict = nil
                // Over since 1970.
                $0.hold = SnapHold(until: Instant(seconds: 0), inhibitProceed: nil)
            }.debt().causes == [])
    }
}
