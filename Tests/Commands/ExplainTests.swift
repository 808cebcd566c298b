import Testing

/// What `explain --output json` prints of one change, as a script would read it.
private struct Explained: Decodable {
    struct Reason: Decodable {
        let rule: String
        let result: String
        let text: String
        let source: String
        let lever: String?
    }
    struct Decision: Decodable {
        let id: String
        let verdict: String
        let reasons: [Reason]
        let earliest: String?
    }
    let id: String
    let to: String?
    let decision: Decision
}

@Suite("explain, on a node root")
struct ExplainTests {
    private func waiting(_ policy: String = "apiVersion: holdfast/v1\nunattended: patch\n") throws
        -> SampleNode
    {
        let node = try SampleNode(policy: policy)
        _ = try node.holdfast("check")
        try node.install("v1.32.1+k3s1")
        _ = try node.holdfast("check")
        return node
    }

    @Test("gives every requirement with its line, and one lever for each that is not met")
    func whole() throws {
        let node = try waiting(
            "apiVersion: holdfast/v1\nunattended: patch\nallowedVersions: \">=1.31.4 <1.33\"\n")
        let one = try #require(node.holdfast("explain", "--output", "json").json([Explained].self).first)
        #expect(one.decision.reasons.count >= 20)
        for reason in one.decision.reasons {
            #expect(!reason.source.isEmpty && !reason.text.isEmpty, "\(reason.rule)")
            #expect((reason.lever == nil) == (reason.result == "met"), "\(reason.rule)")
        }
        func source(_ rule: String) -> String? { one.decision.reasons.first { $0.rule == rule }?.source }
        #expect(source("ceiling") == "\(node.policy):2" && source("allowed-versions") == "\(node.policy):3")
        #expect(source("skip-minor") == "built-in" && source("window") == "default")
        let text = try node.holdfast("explain").output
        #expect(text.contains("HOLD") && text.contains("\(node.policy):2"))
        #expect(text.contains("Waiting alone does not release it"))
    }

    @Test(
        "says from when on a change would be allowed where time alone releases it, and not before when where not"
    )
    func earliest() throws {
        let windows =
            "windows: [{days: [mon], start: \"03:00\", duration: 1m}]\nclock: trusted\norigin: claimed\n"
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nunattended: patch\n" + windows)
        _ = try node.holdfast("check")
        try node.install("v1.31.5+k3s1")
        let patch = try node.holdfast("explain")
        #expect(
            patch.output.contains("As things stand, allowed from ") && patch.output.contains("T03:00:00Z"))
        let json = try #require(node.holdfast("explain", "--output", "json").json([Explained].self).first)
        #expect(json.decision.earliest?.hasSuffix("T03:00:00Z") == true)
        try node.install("v1.32.1+k3s1")
        let minor = try node.holdfast("explain", "v1.32.1+k3s1")
        #expect(minor.output.contains("nothing does before ") && minor.output.contains("T03:00:00Z"))
    }

    @Test("takes a version, a change's id and a decision's id for the same change")
    func named() throws {
        let node = try waiting()
        let one = try #require(node.holdfast("explain", "--output", "json").json([Explained].self).first)
        for word in ["v1.32.1+k3s1", "1.32.1+k3s1", "v1.32.1", String(one.id.prefix(5)), one.decision.id] {
            let found = try node.holdfast("explain", word, "--output", "json")
            #expect(found.code == 0, "\(word): \(found.errors)")
            #expect(try found.json([Explained].self).map(\.id) == [one.id], "\(word)")
        }
        #expect(try node.holdfast("explain", "v1.32.2+k3s1").code == 1)
        #expect(try node.holdfast("explain", "v1.32.2").code == 1)
    }

    @Test("explains what was decided before of a change that is gone, and says when that was")
    func past() throws {
        let node = try waiting()
        let one = try #require(node.holdfast("explain", "--output", "json").json([Explained].self).first)
        try node.install("v1.31.4+k3s1")
        _ = try node.holdfast("check")
        for word in ["v1.32.1+k3s1", "1.32.1", one.id, one.decision.id] {
            let text = try node.holdfast("explain", word)
            #expect(text.code == 0, "\(word): \(text.errors)")
            #expect(
                text.output.contains("now; this is how it was judged at ") && text.output.contains("HOLD"))
            #expect(text.output.contains("What would change that"))
        }
        let json = try node.holdfast("explain", one.decision.id, "--output", "json").json([Explained].self)
        #expect(json.map(\.decision.id) == [one.decision.id])
    }

    @Test("says what to do where retention has dropped a decision, and where it cannot be read")
    func dropped() throws {
        let node = try waiting()
        try node.install("v1.31.4+k3s1")
        _ = try node.holdfast("check")
        let newest = "WHERE seq = (SELECT max(seq) FROM decision)"
        #expect(
            try SampleNode.edit(
                node.state, "DROP TRIGGER body_stays; UPDATE body SET content = '{}' \(newest)") == 0)
        let unreadable = try node.holdfast("explain", "v1.32.1+k3s1")
        #expect(unreadable.code == 1 && unreadable.errors.contains("holdfast verify"))
        #expect(try SampleNode.edit(node.state, "DROP TRIGGER body_is_kept; DELETE FROM body \(newest)") == 0)
        let dropped = try node.holdfast("explain", "v1.32.1+k3s1")
        #expect(dropped.code == 1)
        for part in ["ledger.keep", "holdfast history", "--state"] { #expect(dropped.errors.contains(part)) }
    }
}
