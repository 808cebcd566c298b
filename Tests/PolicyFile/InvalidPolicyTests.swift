import Model
import PolicyFile
import Testing

@Suite("policy files that are not valid")
struct InvalidPolicies {
    struct Wrong: Sendable, CustomTestStringConvertible {
        /// Stands from line 2 on, below `apiVersion`.
        var yaml: String
        var line: Int
        var column: Int
        var part: String
        var testDescription: String { yaml }

        init(_ yaml: String, _ line: Int, _ column: Int, _ part: String) {
            self.yaml = yaml
            self.line = line
            self.column = column
            self.part = part
        }
    }

    private func expectOnly(_ wrong: Wrong) {
        let faults = keys(wrong.yaml).faults
        #expect(faults.map(\.line) == [wrong.line], "\(faults)")
        #expect(faults.map(\.column) == [wrong.column], "\(faults)")
        #expect(faults.first?.message.contains(wrong.part) == true, "\(faults)")
    }

    @Test(
        "invariant 13: what stands where a receiver is named is never shown, whatever is wrong with it",
        arguments: [
            "notify: https://ntfy.example/S3CRET", "notify: [https://ntfy.example/S3CRET]",
            "notify: [{webhook: [https://ntfy.example/S3CRET], on: [held]}]",
            "notify: [{webhook: S3CRET, on: [held]}]", "notify: [{webhook: https://a/, on: S3CRET}]",
            "notify: [{webhook: https://a/, on: [https://ntfy.example/S3CRET]}]",
            "notify: [{webhook: https://a/, on: [S3CRET, S3CRET]}]",
            "notify: [{command: curl https://ntfy.example/S3CRET, on: [held]}]",
            "notify: [{command: [curl https://ntfy.example/S3CRET], on: [held]}]",
            "notify: [{https://ntfy.example/S3CRET: 1, on: [held]}]",
        ])
    func secrets(yaml: String) {
        let faults = keys(yaml).faults
        #expect(!faults.isEmpty)
        #expect(faults.allSatisfy { !$0.description.contains("S3CRET") }, "\(faults)")
    }

    @Test(
        "a key that is unknown, misplaced or there twice",
        arguments: [
            Wrong("unatended: patch", 2, 1, "did you mean `unattended`?"),
            Wrong("Unattended: patch", 2, 1, "did you mean `unattended`?"),
            Wrong("allowed-versions: \"1.31\"", 2, 1, "did you mean `allowedVersions`?"),
            Wrong("freeze: []", 2, 1, "did you mean `freezes`?"),
            Wrong("soak: 2h", 2, 1, "it belongs to `stages`"),
            Wrong("hold: general", 2, 1, "it belongs to `enforce`"),
            Wrong("match: {}", 2, 1, "it belongs to a rule"),
            Wrong("colour: red", 2, 1, "known are apiVersion, unattended"),
            Wrong(
                "deny: [{versions: \"1\", reason: old, and odd}]", 2, 37, "quote a text that contains a comma"
            ),
            Wrong("\"\": red", 2, 1, "unknown key \"\""),
            Wrong(
                "unattended: patch\norigin: verified\nunattended: none", 4, 1, "it stands in line 2 already"),
            Wrong("apiVersion: holdfast/v1", 2, 1, "duplicate key `apiVersion`"),
            Wrong("enforce: {hold: none, gates: off}", 2, 23, "in `enforce`; did you mean `gate`?"),
            Wrong("stages:\n- name: a\n  nodes: [a]\n  name: b", 5, 3, "duplicate key `name` in `stages[0]`"),
            Wrong(
                "stages: [{name: a, labels: {x: a, x: b}}]", 2, 35, "stages[0].labels: duplicate key \"x\""),
            Wrong("rules: [{match: {nodes: [a]}, unattended: none}]", 2, 18, "did you mean `node`?"),
            Wrong("rules: [{match: {node: [a]}, stages: [{name: a}]}]", 2, 30, "move it to the top"),
            Wrong("rules: [{match: {node: [a]}, rules: []}]", 2, 30, "move it to the top"),
            Wrong("rules: [{match: {node: [a]}, ledger: {keep: 3d}}]", 2, 30, "move it to the top"),
            Wrong("rules: [{match: {node: [a]}, notify: []}]", 2, 30, "move it to the top"),
            Wrong("rules: [{match: {node: [a]}, apiVersion: holdfast/v1}]", 2, 30, "move it to the top"),
        ])
    func unknownKeys(_ wrong: Wrong) { expectOnly(wrong) }

    @Test(
        "a value of another type, or none",
        arguments: [
            Wrong("unattended:", 2, 12, "has no value"),
            Wrong("unattended: [patch]", 2, 13, "needs a text; found a list"),
            Wrong("unattended: {}", 2, 13, "needs a text; found a mapping"),
            Wrong("unattended: pach", 2, 13, "did you mean `patch`?"),
            Wrong("unattended: major", 2, 13, "is not none, build, patch or minor"),
            Wrong("unattended: \"\"", 2, 13, "is empty"),
            Wrong("enforce: [gate]", 2, 10, "needs a mapping of hold, gate, veto, plans, …; found a list"),
            Wrong("enforce: off", 2, 10, "found the text \"off\""),
            Wrong("enforce:", 2, 9, "found nothing"),
            Wrong("deny: \"1.31\"", 2, 7, "needs a list"),
            Wrong("rules: [{match: {node: edge}, unattended: none}]", 2, 24, "did you mean `[edge]`?"),
            Wrong("enforce: {seal: yes}", 2, 17, "did you mean `true`?"),
            Wrong("enforce: {seal: off}", 2, 17, "did you mean `false`?"),
            Wrong("enforce: {seal: \"true\"}", 2, 17, "without quotation marks"),
            Wrong("enforce: {veto: maybe}", 2, 17, "is not true or false"),
            Wrong("backup: {keep: 010}", 2, 16, "is not a whole number"),
            Wrong("backup: {keep: 0x3}", 2, 16, "is not a whole number"),
            Wrong("backup: {keep: 1e3}", 2, 16, "is not a whole number"),
            Wrong("backup: {keep: 3.0}", 2, 16, "is not a whole number"),
            Wrong("backup: {keep: 1_000}", 2, 16, "is not a whole number"),
            Wrong("backup: {keep: \"3\"}", 2, 16, "without quotation marks"),
            Wrong("backup: {keep: 0}", 2, 16, "from 1 to 1000"),
            Wrong("backup: {keep: -1}", 2, 16, "out of range"),
            Wrong("backup: {keep: 99999999999999999999999}", 2, 16, "out of range"),
            Wrong("gates: nothing", 2, 8, "needs a list, or `none`"),
            Wrong("waypoints: all", 2, 12, "is not shipped or none"),
            Wrong("origin: \"a\\nb\"", 2, 9, "line break"),
        ])
    func types(_ wrong: Wrong) { expectOnly(wrong) }

    @Test(
        "an empty list, wherever a list can stand",
        arguments: [
            "windows", "deny", "freezes", "overrides", "stages", "notify", "rules", "gates", "waypoints",
        ])
    func emptyLists(_ key: String) {
        expectOnly(Wrong("\(key): []", 2, key.utf8.count + 3, "an empty list says nothing"))
    }

    @Test(
        "an empty list inside",
        arguments: [
            Wrong("approval: {mayWaive: []}", 2, 22, "an empty list"),
            Wrong("windows: [{days: [], start: \"02:00\", duration: 1h}]", 2, 18, "an empty list"),
            Wrong("health: {checks: []}", 2, 18, "an empty list"),
            Wrong("backup: {command: []}", 2, 19, "an empty list"),
            Wrong("stages: [{name: a, nodes: []}]", 2, 27, "an empty list"),
            Wrong("rules: [{match: {role: []}, unattended: none}]", 2, 24, "an empty list"),
            Wrong("notify: [{webhook: \"https://a\", on: []}]", 2, 37, "an empty list"),
        ])
    func innerEmptyLists(_ wrong: Wrong) { expectOnly(wrong) }

    @Test(
        "an impossible time",
        arguments: [
            Wrong("windows: [{days: [mon], start: \"25:00\", duration: 1h}]", 2, 32, "from 00:00 to 23:59"),
            Wrong("windows: [{days: [mon], start: \"24:00\", duration: 1h}]", 2, 32, "no time of day"),
            Wrong("windows: [{days: [mon], start: 2:00, duration: 1h}]", 2, 32, "no time of day"),
            Wrong("windows: [{days: [mon], start: 12:30:45, duration: 1h}]", 2, 32, "no time of day"),
            Wrong("windows: [{days: [mon], start: \"02:60\", duration: 1h}]", 2, 32, "no time of day"),
            Wrong("windows: [{days: [mon], start: \"02:00\", duration: 0s}]", 2, 51, "from 1m to 1w"),
            Wrong("windows: [{days: [mon], start: \"02:00\", duration: 8d}]", 2, 51, "from 1m to 1w"),
            Wrong(
                "windows: [{days: [mon, tue, mon], start: \"02:00\", duration: 1h}]", 2, 29, "listed twice"),
            Wrong(
                "windows: [{days: [monday], start: \"02:00\", duration: 1h}]", 2, 19, "did you mean `mon`?"),
            Wrong("windows: [{start: \"02:00\", duration: 1h}]", 2, 11, "`days` is missing"),
            Wrong("windows: [{days: [mon], duration: 1h}]", 2, 11, "`start` is missing"),
            Wrong("windows: [{days: [mon], start: \"02:00\"}]", 2, 11, "`duration` is missing"),
            Wrong(
                "freezes: [{from: 2026-02-29, until: 2026-03-01, reason: a}]", 2, 18, "no day of the calendar"
            ),
            Wrong("freezes: [{from: 2026-2-1, until: 2026-03-01, reason: a}]", 2, 18, "2026-12-18"),
            Wrong("freezes: [{from: 2026-03-01, until: 2026-03-01, reason: a}]", 2, 37, "not after `from`"),
            Wrong("freezes: [{from: 2027-03-01, until: 2026-03-01, reason: a}]", 2, 37, "not after `from`"),
            Wrong("freezes: [{from: 2026-03-01, until: 2026-03-02}]", 2, 11, "`reason` is missing"),
            Wrong("freezes: [{from: 2026-03-01, until: 2026-03-02, reason: \" \"}]", 2, 57, "write why"),
            Wrong(
                "freezes: [{from: 2026-03-01, until: 2026-03-02, scope: patch, reason: a}]", 2, 56,
                "all or minor"),
            Wrong("timezone: Europe/Berln", 2, 11, "did you mean `Europe/Berlin`?"),
            Wrong("timezone: europe/berlin", 2, 11, "did you mean `Europe/Berlin`?"),
            Wrong("timezone: Berlin", 2, 11, "did you mean `Europe/Berlin`?"),
            Wrong("timezone: New York", 2, 11, "did you mean `America/New_York`?"),
            Wrong("timezone: ../../etc/passwd", 2, 11, "no time zone"),
            Wrong("timezone: Mars/Olympus", 2, 11, "no time zone"),
            Wrong("approval: {expires: 90}", 2, 21, "did you mean `90s`?"),
            Wrong("approval: {expires: 1h30m}", 2, 21, "did you mean `90m`?"),
            Wrong("approval: {expires: 3 days}", 2, 21, "did you mean `3d`?"),
            Wrong("approval: {expires: 1mo}", 2, 21, "not a duration"),
            Wrong("approval: {expires: -3d}", 2, 21, "not a duration"),
            Wrong("approval: {expires: 0s}", 2, 21, "out of range"),
            Wrong("approval: {expires: 9999999999999999999d}", 2, 21, "not a duration"),
            Wrong("ledger: {keep: 999999999w}", 2, 16, "out of range"),
            Wrong("minimumReleaseAge: {patch: 1.5d}", 2, 28, "not a duration"),
            Wrong(
                "health: {interval: 10m, consecutiveSuccesses: 4, deadline: 15m}", 2, 9, "can never be met"),
        ])
    func times(_ wrong: Wrong) { expectOnly(wrong) }

    @Test(
        "a wrong version, range, name, rule, path or URL",
        arguments: [
            Wrong("allowedVersions: \"=>1.31\"", 2, 18, "not a version range"),
            Wrong("allowedVersions: latest", 2, 18, "\">=1.31.4 <1.33\""),
            Wrong("deny: [{versions: \"\", reason: a}]", 2, 19, "is empty"),
            Wrong("deny: [{versions: \" \", reason: a}]", 2, 19, "would mean every version"),
            Wrong("deny: [{versions: \"1.31.5\"}]", 2, 8, "`reason` is missing"),
            Wrong("deny: [{reason: a}]", 2, 8, "`versions` is missing"),
            Wrong("deny: [1.31.5]", 2, 8, "deny[0]: needs a mapping"),
            Wrong("deny: [{versions: \"1.31\", reason: a, url: example.org}]", 2, 43, "https://"),
            Wrong("pin: {version: 1.31}", 2, 16, "write all of it"),
            Wrong("pin: {channel: 1.32//stable}", 2, 16, "track/risk"),
            Wrong("pin: {revision: latest}", 2, 17, "no snap revision"),
            Wrong("pin: {digest: {amd64: \"sha256:12\"}}", 2, 23, "64 hexadecimal digits"),
            Wrong("pin: {digest: {x86_64: \"sha256:12\"}}", 2, 16, "unknown key \"x86_64\" in `pin.digest`"),
            Wrong("pin: {digest: {}}", 2, 15, "is empty"),
            Wrong("waypoints: [{from: \"1.30\"}]", 2, 13, "`through` is missing"),
            Wrong("approval: {required: 2}", 2, 22, "until approvals are signed"),
            Wrong("approval: {required: 0}", 2, 22, "out of range"),
            Wrong("approval: {mayWaive: [windows]}", 2, 23, "did you mean `window`?"),
            Wrong("approval: {mayWaive: [skew]}", 2, 23, "cannot waive `skew`"),
            Wrong("approval: {mayWaive: [soak, soak]}", 2, 29, "listed twice"),
            Wrong(
                "overrides: [{rule: skip-minr, reason: a, until: 2026-12-31}]", 2, 20,
                "did you mean `skip-minor`?"),
            Wrong(
                "overrides: [{rule: identity, reason: a, until: 2026-12-31}]", 2, 20, "cannot be set aside"),
            Wrong(
                "overrides: [{rule: clock, reason: a, until: 2026-12-31}]", 2, 20, "write `clock: trusted`"),
            Wrong("overrides: [{rule: skew, until: 2026-12-31}]", 2, 13, "`reason` is missing"),
            Wrong("overrides: [{rule: skew, reason: a}]", 2, 13, "`until` is missing"),
            Wrong("stages: [{nodes: [a]}]", 2, 10, "`name` is missing"),
            Wrong("stages:\n- name: a\n  nodes: [a]\n- name: a", 5, 3, "a second stage is named \"a\""),
            Wrong("stages: [{name: a, nodes: [\"edge-[0-9]\"]}]", 2, 28, "no name pattern"),
            Wrong("stages: [{name: a, nodes: [\"a b\"]}]", 2, 28, "no name pattern"),
            Wrong("stages: [{name: a, nodes: [\"*********\"]}]", 2, 28, "more than 8 asterisks"),
            Wrong("stages: [{name: a, nodes: [b, b]}]", 2, 31, "listed twice"),
            Wrong("stages: [{name: a, need: most}]", 2, 26, "is not all or a number"),
            Wrong("stages: [{name: a, need: 50%}]", 2, 26, "whole number"),
            Wrong("stages: [{name: a, need: 0}]", 2, 26, "out of range"),
            Wrong("stages: [{name: a, maxConcurrent: 0}]", 2, 35, "out of range"),
            Wrong("rules: [{match: {distribution: [k8s]}, unattended: none}]", 2, 33, "did you mean `k3s`?"),
            Wrong("rules: [{match: {role: [master]}, unattended: none}]", 2, 25, "is not server"),
            Wrong("rules: [{match: {arch: [x86_64]}, unattended: none}]", 2, 25, "is not amd64"),
            Wrong("health: {checks: [ready]}", 2, 19, "did you mean `readyz`?"),
            Wrong(
                "health: {checks: [{http: \"https://a\", command: [b]}]}", 2, 19,
                "only one of `http`, `command`"),
            Wrong("health: {checks: [{http: ftp://a}]}", 2, 26, "is no URL"),
            Wrong("health: {checks: [{http: \"https:///a\"}]}", 2, 26, "without a host"),
            Wrong("gates: [deprecatedAPIs]", 2, 9, "{coverage: 24h}"),
            Wrong("gates: [{timeout: 3s}]", 2, 9, "needs one of"),
            Wrong("gates: [{command: [\"sh -c true\"]}]", 2, 19, "as an element of its own"),
            Wrong("gates: [{command: [./check]}]", 2, 19, "absolute path"),
            Wrong("gates: [{command: [check]}]", 2, 19, "absolute path"),
            Wrong("notify: [{command: [ntfy, x], on: [held]}]", 2, 20, "absolute path"),
            Wrong("health: {checks: [{command: [probe]}]}", 2, 29, "absolute path"),
            Wrong("backup: {verify: [probe]}", 2, 18, "absolute path"),
            Wrong("notify: [{command: [\"\"], on: [held]}]", 2, 20, "absolute path"),
            Wrong("gates: [{command: \"/bin/true\"}]", 2, 19, "needs a list"),
            Wrong("backup: {verify: [/a, [b]]}", 2, 23, "backup.verify[1]: needs a text"),
            Wrong("source: {releases: releases}", 2, 20, "is no URL"),
            Wrong("source: {releases: /a/../b}", 2, 20, "goes up by .."),
            Wrong("source: {caFile: ca.pem}", 2, 18, "absolute path"),
            Wrong("notify: [{on: [held]}]", 2, 10, "needs one of `webhook`, `command`"),
            Wrong("notify: [{webhook: \"https://a\"}]", 2, 10, "`on` is missing"),
            Wrong("notify: [{webhook: \"https://a\", on: [hold]}]", 2, 38, "did you mean `held`?"),
        ])
    func values(_ wrong: Wrong) { expectOnly(wrong) }

    @Test(
        "apiVersion is required and is one that is known",
        arguments: [
            (
                "unattended: patch",
                "policy.yaml:1:1: `apiVersion` is missing; write `apiVersion: holdfast/v1`"
            ),
            ("apiVersion: holdfast/v2", "write holdfast/v1"),
            ("apiVersion: 1", "write holdfast/v1"),
            ("apiVersion:", "has no value"),
            ("", "policy.yaml:1:1: the file is empty"),
            ("# only a comment\n", "the file is empty"),
            ("[]", "needs a mapping"),
            ("holdfast/v1", "needs a mapping"),
            ("a: *b", "policy.yaml:1:4: aliases"),
        ])
    func version(_ yaml: String, _ part: String) {
        let faults = read(yaml).faults
        #expect(faults.count == 1)
        #expect(faults.first?.description.contains(part) == true, "\(faults)")
    }

    @Test("everything that is wrong is reported at once, in the order of the file")
    func atOnce() {
        let faults = read(
            """
            apiVersion: holdfast/v9
            unatended: patch
            timezone: Europe/Berln
            windows:
              - {days: [], start: "25:00", duration: 0h}
            freezes:
              - {from: 2026-12-18, until: 2026-12-01}
            approval: {required: 3, mayWaive: [everything]}
            rules:
              - match: {node: ["[a"]}
                stages: []
                unattended: sometimes
            """
        ).faults
        #expect(
            faults.map { "\($0.line):\($0.column)" } == [
                "1:13", "2:1", "3:11", "5:12", "5:23", "5:42", "7:5", "7:31", "8:22", "8:36", "10:20", "11:5",
                "12:17",
            ], "\(faults.map(\.description).joined(separator: "\n"))")
    }

    @Test("a file with thousands of faults gives the first hundred and their number")
    func many() {
        let faults = keys((0..<5000).map { "k\($0): v" }.joined(separator: "\n")).faults
        #expect(faults.count == 101)
        #expect(faults.last?.message == "4900 more faults are not shown")
    }

    @Test("no message carries an escape of a terminal, a line break or a long text")
    func hostileTexts() {
        let faults = keys("\"a\\e[31m\\n\\u202e\": b\nunattended: \"\(String(repeating: "ü", count: 900))\"")
            .faults
        #expect(faults.count == 2)
        for fault in faults {
            #expect(fault.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            #expect(!fault.message.unicodeScalars.contains("\u{202E}"))
            #expect(fault.message.utf8.count < 400)
        }
    }

    @Test(
        "a URL that may hold a secret is in no message (invariant 13)",
        arguments: [
            "notify: [{webhook: \"https://user:hunter2@a/b\", on: [held]}]",
            "notify: [{webhook: \"hunter2\", on: [held]}]",
            "source: {proxy: \"socks://hunter2\"}",
            "source: {proxy: \"http://u:hunter2@proxy\"}",
            "health: {checks: [{http: \"https:// hunter2\"}]}",
            "source: {releases: \"https://x@hunter2/\"}",
            "source: {channel: \"https://x@hunter2/stable\"}",
            "source: {channel: \"https://a/ hunter2\"}",
        ])
    func secrets(_ yaml: String) {
        let faults = keys(yaml).faults
        #expect(faults.count == 1)
        #expect(faults.allSatisfy { !$0.message.contains("hunter2") })
    }

    @Test("10 MB, deep nesting and an alias bomb are one clear fault each")
    func hostileFiles() {
        let big = keys("# " + String(repeating: "x", count: 10_000_000)).faults
        #expect(big.map(\.message) == ["10000026 bytes are too many; at most 1048576 are read"])
        let deep = keys("pin: " + String(repeating: "[", count: 10_000)).faults
        #expect(deep.count == 1 && deep[0].message.contains("too deep"))
        let bomb = keys("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]").faults
        #expect(
            bomb.map(\.description) == [
                "policy.yaml:2:4: anchors (&name) are not taken; leave it out, or quote a text that begins with &"
            ])
    }

    @Test("every prefix of a policy gives a policy or faults, and so does every changed byte")
    func fuzz() {
        let whole = Array(ValidPolicies.everyKey.utf8)
        func isJudged(_ bytes: [UInt8]) -> Bool {
            switch parsePolicy(bytes, file: "p", isZone: isZone, hash: sum) {
            case .valid: true
            case .invalid(let faults): !faults.isEmpty
            }
        }
        for length in stride(from: 0, through: whole.count, by: 1) {
            #expect(isJudged(Array(whole[..<length])))
        }
        var state: UInt64 = 7
        for _ in 0..<2000 {
            var changed = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                changed[Int(state >> 33) % whole.count] = UInt8(truncatingIfNeeded: state >> 25)
            }
            #expect(isJudged(changed))
        }
    }
}
