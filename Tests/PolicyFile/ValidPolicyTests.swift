import Model
import PolicyFile
import Testing

@Suite("policy files that are valid")
struct ValidPolicies {
    /// Every key of the schema, each with a value that is not its default.
    static let everyKey = """
        apiVersion: holdfast/v1
        timezone: Europe/Berlin
        unattended: patch
        approvable: patch
        approval: {required: 1, expires: 3d, mayWaive: [window, release-age]}
        allowedVersions: ">=1.31.4 <1.33"
        pin: {version: v1.31.4+k3s1, channel: 1.31/stable, revision: 7731, digest: {amd64: "sha256:\(digest)"}}
        deny:
          - {versions: "1.31.5", reason: breaks our storage, url: "https://example.org/1"}
          - {versions: 1.30.x, reason: too old}
        origin: claimed
        minimumReleaseAge: {build: 1d, patch: 3d, minor: 2w}
        waypoints:
          - {from: "1.30", through: "1.31", reason: etcd}
        windows:
          - {days: [sat, mon], start: 02:30, duration: 3h}
        freezes:
          - {from: 2026-12-18, until: 2027-01-04, scope: minor, reason: holidays}
        health:
          checks: [unit, dqliteVoters, http: "https://localhost/ok", {command: [/usr/bin/probe, "--fast"]}]
          interval: 1m
          timeout: 5s
          failureLimit: 2
          consecutiveSuccesses: 4
          deadline: 20m
        gates:
          - deprecatedAPIs: {coverage: 2d}
          - {command: [/bin/true], timeout: 30s}
        drain: {enabled: true, timeout: 2m}
        backup: {mode: ifPossible, command: [/bin/save], verify: [/bin/verify], keep: 5}
        rollback: manual
        enforce: {hold: general, gate: off, veto: true, plans: block, seal: true}
        source: {releases: /srv/releases, channel: 1.31/stable, poll: 12h, caFile: /etc/ca.pem, proxy: "http://proxy:3128"}
        clock: trusted
        overrides:
          - {rule: skip-minor, reason: a lab, until: 2026-12-31, match: {node: [lab-*]}}
        stages:
          - {name: canary, nodes: [a, "b?"], labels: {tier: no}, clusters: [staging], maxConcurrent: 2, need: 1, soak: 2h, deadline: 3d}
          - name: rest
        ledger: {keep: 30d}
        notify:
          - {webhook: "https://example.org/hook", on: [held, needs-approval]}
        rules:
          - match: {distribution: [k3s], role: [server], node: ["edge-*"], cluster: ["*"], labels: {site: on}, arch: [arm64]}
            unattended: none
            windows: [{days: [sun], start: "23:00", duration: 2h}]
            deny: [{versions: "1.32", reason: not at the edge}]
        """

    static let digest = String(repeating: "0f", count: 32)

    @Test("every key of the schema is read")
    func everything() throws {
        let document = try read(Self.everyKey).value.document
        var base = Policy()
        base.timezone = "Europe/Berlin"
        base.unattended = .patch
        base.approvable = .patch
        base.approval.expires = .days(3)
        base.approval.mayWaive = [.window, .releaseAge]
        base.allowedVersions = try VersionRange(">=1.31.4 <1.33")
        base.pin.version = Version("v1.31.4+k3s1")
        base.pin.channel = "1.31/stable"
        base.pin.revision = "7731"
        base.pin.digest["amd64"] = Digest(Self.digest)
        base.deny = [
            DeniedVersions(
                versions: try VersionRange("1.31.5"), reason: "breaks our storage",
                url: "https://example.org/1"),
            DeniedVersions(versions: try VersionRange("1.30.x"), reason: "too old", url: ""),
        ]
        base.origin = .claimed
        base.minimumReleaseAge.build = .days(1)
        base.minimumReleaseAge.patch = .days(3)
        base.minimumReleaseAge.minor = .days(14)
        base.waypoints = .listed([
            Waypoint(from: try VersionRange("1.30"), through: try VersionRange("1.31"), reason: "etcd")
        ])
        base.windows = [Window(days: [.mon, .sat], start: 150, duration: .hours(3))]
        base.freezes = [
            Freeze(
                from: try #require(CivilDate("2026-12-18")), until: try #require(CivilDate("2027-01-04")),
                scope: .minor, reason: "holidays")
        ]
        base.health.checks = [
            .unit, .dqliteVoters, .http("https://localhost/ok"), .command(["/usr/bin/probe", "--fast"]),
        ]
        base.health.interval = .minutes(1)
        base.health.timeout = TimeSpan(seconds: 5)
        base.health.failureLimit = 2
        base.health.consecutiveSuccesses = 4
        base.health.deadline = .minutes(20)
        base.gates = [
            .deprecatedAPIs(coverage: .days(2)), .command(["/bin/true"], timeout: TimeSpan(seconds: 30)),
        ]
        base.drain.enabled = .enabled
        base.drain.timeout = .minutes(2)
        base.backup.mode = .ifPossible
        base.backup.command = ["/bin/save"]
        base.backup.verify = ["/bin/verify"]
        base.backup.keep = 5
        base.rollback = .manual
        base.enforce.hold = .general
        base.enforce.veto = true
        base.enforce.plans = .block
        base.enforce.seal = true
        base.source.releases = "/srv/releases"
        base.source.channel = "1.31/stable"
        base.source.poll = .hours(12)
        base.source.caFile = "/etc/ca.pem"
        base.source.proxy = "http://proxy:3128"
        base.clock = .trusted
        var lab = Match()
        lab.node = ["lab-*"]
        base.overrides = [
            Override(
                rule: .skipMinor, reason: "a lab", until: try #require(CivilDate("2026-12-31")), match: lab)
        ]
        #expect(document.base == base)

        var canary = Stage(name: "canary")
        canary.nodes = ["a", "b?"]
        canary.labels = ["tier": "no"]
        canary.clusters = ["staging"]
        canary.maxConcurrent = 2
        canary.need = .count(1)
        canary.soak = .hours(2)
        canary.deadline = .days(3)
        #expect(document.stages == [canary, Stage(name: "rest")])
        #expect(document.ledgerKeep == .days(30))
        #expect(
            document.notify == [
                Notification(target: .webhook("https://example.org/hook"), on: [.held, .needsApproval])
            ])

        var match = Match()
        match.distribution = [.k3s]
        match.role = [.server]
        match.node = ["edge-*"]
        match.cluster = ["*"]
        match.labels = ["site": "on"]
        match.arch = [.arm64]
        var settings = PolicySettings()
        settings.unattended = Ceiling.none
        settings.windows = [Window(days: [.sun], start: 23 * 60, duration: .hours(2))]
        settings.deny = [
            DeniedVersions(versions: try VersionRange("1.32"), reason: "not at the edge", url: "")
        ]
        #expect(document.rules == [PolicyRule(match: match, settings: settings)])
    }

    @Test("a file that sets nothing is the defaults")
    func defaults() throws {
        #expect(try keys("").value.document == PolicyDocument())
    }

    struct Scalar: Sendable, CustomTestStringConvertible {
        var yaml: String
        var expected: @Sendable (Policy) -> Bool
        var testDescription: String { yaml }
    }

    @Test(
        "what YAML 1.1 would guess at is what the key means",
        arguments: [
            Scalar(yaml: "allowedVersions: 1.30") { $0.allowedVersions.text == "1.30" },
            Scalar(yaml: "allowedVersions: 1.31, <1.31.9") { $0.allowedVersions.text == "1.31 <1.31.9" },
            Scalar(yaml: "pin: {channel: 1.30}") { $0.pin.channel == "1.30" },
            Scalar(yaml: "source: {channel: stable}") { $0.source.channel == "stable" },
            Scalar(yaml: "source: {channel: \"https://m/channels/stable?t=1\"}") {
                $0.source.channel == "https://m/channels/stable?t=1"
            },
            Scalar(yaml: "pin: {revision: 7731}") { $0.pin.revision == "7731" },
            Scalar(yaml: "enforce: {gate: off, plans: off}") {
                $0.enforce.gate == .off && $0.enforce.plans == .off
            },
            Scalar(yaml: "backup: {mode: off}") { $0.backup.mode == .off },
            Scalar(yaml: "drain: {enabled: false}") { $0.drain.enabled == .disabled },
            Scalar(yaml: "drain: {enabled: \"true\"}") { $0.drain.enabled == .enabled },
            Scalar(yaml: "unattended: none") { $0.unattended == .none },
            Scalar(yaml: "windows: [{days: [mon], start: 12:30, duration: 7d}]") {
                $0.windows?[0].start == 750
            },
            Scalar(yaml: "gates: none") { $0.gates.isEmpty },
            Scalar(yaml: "waypoints: none") { $0.waypoints == Waypoints.none },
            Scalar(
                yaml:
                    "freezes:\n - from: 2026-12-18\n   until: 2026-12-19\n   reason: >-\n     on\n     call\n"
            ) {
                $0.freezes[0].reason == "on call" && $0.freezes[0].scope == .all
            },
        ])
    func scalars(_ scalar: Scalar) throws {
        #expect(scalar.expected(try keys(scalar.yaml).value.document.base))
    }

    @Test("labels are texts whatever they look like")
    func labels() throws {
        let policy = try keys("stages: [{name: a, labels: {zone: no, rack: 0644, v: 1e3, empty: \"\"}}]")
            .value
        #expect(policy.document.stages[0].labels == ["zone": "no", "rack": "0644", "v": "1e3", "empty": ""])
    }

    @Test("the place of each key and of each element is kept by its path")
    func places() throws {
        let sources = try read(Self.everyKey).value.sources
        let lines = Self.everyKey.split(separator: "\n", omittingEmptySubsequences: false)
        func line(of text: String) -> Int? { lines.firstIndex { $0.contains(text) }.map { $0 + 1 } }
        for (path, text) in [
            ("unattended", "unattended: patch"), ("windows", "windows:"), ("windows[0]", "start: 02:30"),
            ("deny[0]", "breaks our storage"), ("deny[1]", "too old"), ("freezes[0]", "holidays"),
            ("overrides[0]", "a lab"), ("stages[0]", "name: canary"), ("stages[1]", "name: rest"),
            ("rules[0]", "match: {distribution"), ("rules[0].windows", "start: \"23:00\""),
            ("rules[0].deny[0]", "not at the edge"), ("enforce.gate", "gate: off"),
            ("health.interval", "interval: 1m"),
            ("stages[0].soak", "soak: 2h"),
        ] {
            #expect(sources.lines[path] == line(of: text), "\(path)")
        }
        #expect(sources.source(of: "unattended") == "policy.yaml:3")
        #expect(try keys("").value.sources.source(of: "unattended") == "default")
    }

    @Test("comments, the order of keys and explicit defaults leave the hash as it is (invariant 5)")
    func stableHash() throws {
        let short = try keys(
            "unattended: patch\nwindows: [{days: [mon, tue], start: \"02:00\", duration: 3h}]\n"
        ).value
        let long = try read(
            """
            # why: patches at night
            windows:
              - duration: 180m   # three hours
                start: 02:00
                days: [tue, mon]
            timezone: UTC
            approvable: minor
            approval: {expires: 7d, required: 1}
            allowedVersions: ""
            pin: {}
            origin: verified
            minimumReleaseAge: {build: 0s}
            waypoints: shipped
            stages: [{name: all, nodes: ["*"], labels: {}, clusters: ["*"], maxConcurrent: 1, need: all, soak: 0s, deadline: 24h}]
            health: {checks: [unit, running, readyz, nodeReady], interval: 30s, timeout: 10s, failureLimit: 3,
              consecutiveSuccesses: 3, deadline: 15m}
            gates: [deprecatedAPIs: {coverage: 24h}]
            drain: {enabled: auto, timeout: 5m}
            backup: {mode: auto, keep: 3}
            rollback: automatic
            enforce: {hold: none, gate: off, veto: false, plans: off, seal: false}
            source: {releases: "", channel: "", poll: 6h, caFile: "", proxy: ""}
            clock: synchronised
            ledger: {keep: 400d}
            unattended: patch
            apiVersion: holdfast/v1
            """
        ).value
        #expect(short.document == long.document)
        #expect(short.sha256 == long.sha256)
        #expect(short.sha256 == sum(Array(try CanonicalJSON.text(of: short.document).utf8)))
        let other = try keys(
            "unattended: minor\nwindows: [{days: [mon, tue], start: \"02:00\", duration: 3h}]\n"
        ).value
        #expect(other.sha256 != short.sha256)
    }

    struct Warned: Sendable, CustomTestStringConvertible {
        var yaml: String
        var line: Int
        var part: String
        var testDescription: String { yaml }
    }

    @Test(
        "what is allowed but dangerous or idle is warned about",
        arguments: [
            Warned(yaml: "origin: claimed", line: 2, part: "forge"),
            Warned(yaml: "clock: trusted", line: 2, part: "clock that may be wrong"),
            Warned(yaml: "enforce:\n  seal: true", line: 3, part: "no trace"),
            Warned(yaml: "rules:\n  - unattended: none", line: 3, part: "matches every installation"),
            Warned(
                yaml: "rules:\n  - {match: {}, unattended: none}", line: 3, part: "matches every installation"
            ),
            Warned(yaml: "rules:\n  - match: {node: [a]}", line: 3, part: "sets nothing"),
            Warned(yaml: "rules: [{match: {node: [a]}, origin: claimed}]", line: 2, part: "rules[0].origin"),
            Warned(
                yaml: "rules: [{match: {distribution: [k3s], role: [worker]}, unattended: none}]", line: 2,
                part: "they have server or agent"),
            Warned(yaml: "stages:\n  - name: a\n  - name: b", line: 4, part: "matches no node"),
            Warned(yaml: "stages:\n  - {name: a, soak: 3d}", line: 3, part: "deadline of 1d"),
        ])
    func warnings(_ warned: Warned) throws {
        let parse = keys(warned.yaml)
        _ = try parse.value
        #expect(parse.warnings.map(\.line) == [warned.line])
        #expect(parse.warnings.first?.message.contains(warned.part) == true, "\(parse.warnings)")
    }

    @Test("an ordinary policy is warned about nothing")
    func quiet() throws {
        let parse = keys("unattended: patch\nstages: [{name: canary, nodes: [a], soak: 2h}, {name: rest}]")
        _ = try parse.value
        #expect(parse.warnings == [])
    }
}
