import Crypto
import Model
import Testing

@testable import Reports

/// Texts as somebody hostile would name versions, units, channels and reasons.
let hostileTexts = [
    "</script><script>document.title='owned'</script>", "\"><img src=x onerror=\"document.title='owned'\">",
    "'><svg onload=document.title='owned'>", "</title></style></table><h1>owned</h1>", "<!-- ", "]]>",
    "&lt;script&gt;", "\u{202e}desrever\u{2066}", "\u{1b}[2J\u{7}", "javascript:document.title='owned'",
    "na\u{0}ul", "line\nbreak",
]

extension StoryLedger {
    /// A node on which everything that somebody else may name is named by somebody hostile.
    static func hostile() -> StoryLedger {
        var story = StoryLedger()
        for (index, text) in hostileTexts.enumerated() {
            let id = InstallationID(distribution: .k0s, name: text)
            story.record(
                .installationFound(
                    Installation(
                        id: id, role: nil, units: [UnitObservation(name: text)],
                        installed: Installed(
                            artifact: Artifact(version: nil, revision: text, channel: text), path: text,
                            evidence: .snapd, origin: .unknown),
                        running: nil)),
                .problemBegan(Problem(code: text, text: text)),
                .denied(
                    Denial(
                        id: text, distribution: .k3s, target: Artifact(version: nil, revision: text),
                        deniedAt: story.now, reason: text, claimedBy: text)),
                .rolloutSaid(
                    RolloutWord(
                        distribution: .k3s, rollout: text, version: nil, word: .forget(node: text),
                        reason: text,
                        claimedBy: text)))
            story.act(.letThrough, text, text: text)
            story.say(.paused(Pause(until: story.now, reason: text)))
            story.decide(
                .deny, to: text, change: text, node: text, reason: text + " row\(index)", rollout: text)
        }
        return story
    }
}

@Suite("The HTML report as a page")
struct ReportPageTests {
    @Test("names nothing from elsewhere, and lets nothing run but itself")
    func contained() throws {
        let page = try StoryLedger.twoWeeks().page()
        for word in [
            " src=", "href=\"http", "url(", "@import", "<link", "<iframe", "<object", "<base", " style=\"",
            "<form",
            "//www", "https:",
        ] { #expect(!page.contains(word), "\(word)") }
        let policy = try #require(page.firstRange(of: "content=\""))
        func source(_ text: String) -> String { "'sha256-\(base64(sha256(Array(text.utf8))))'" }
        #expect(
            page[policy.upperBound...].hasPrefix(
                "default-src 'none'; style-src \(source(reportStyle)); script-src \(source(reportEarlyScript)) "
                    + "\(source(reportScript)); base-uri 'none'; form-action 'none'\">"))
    }

    @Test("makes markup of nothing that was named by others")
    func escaped() throws {
        let page = try StoryLedger.hostile().page {
            $0.filter = hostileTexts[0]
            $0.checkpoint = hostileTexts.map { ReportFact(label: $0, value: $0, explanation: $0) }
            $0.contexts[0].overrides = $0.checkpoint
            $0.contexts[0].debt = $0.checkpoint
            $0.contexts[0].note = hostileTexts.joined()
        }
        #expect(page.ranges(of: "<script").count == 2)
        #expect(page.ranges(of: "</script>").count == 2)
        #expect(page.ranges(of: "</title>").count == page.ranges(of: "<title>").count)
        for tag in ["<img", "<h1>owned", "<svg onload", "<!-- ", "]]>"] {
            #expect(!page.contains(tag), "\(tag)")
        }
        // Its own two scripts are all that may hold a line feed among what cannot be seen.
        #expect(page.unicodeScalars.allSatisfy { $0 == "\n" || String($0).printable == String($0) })
        #expect(page.contains("&lt;/script&gt;&lt;script&gt;document.title=&#39;owned&#39;"))
    }

    @Test(
        "can be read by a screen reader: language, captions, headings of columns, labels, and the picture in words"
    )
    func accessible() throws {
        let page = try StoryLedger.twoWeeks().page()
        #expect(page.contains("<html lang=\"en\">"))
        #expect(page.ranges(of: "<table").count == page.ranges(of: "<caption>").count)
        #expect(page.ranges(of: "<th ").count == page.ranges(of: "<th scope=\"col\"").count)
        #expect(page.ranges(of: "<svg ").count == page.ranges(of: "role=\"img\" aria-label=").count)
        let inputs = page.ranges(of: "<input id=\"f-").count + page.ranges(of: "<select id=\"f-").count
        #expect(inputs == 7)
        #expect(page.ranges(of: "<label>").count == inputs)
        #expect(page.contains("id=\"count\" role=\"status\""))
        #expect(page.contains("<a class=\"skip\" href=\"#all-decisions\">"))
    }

    @Test("has a section for everything that an auditor asks, and says where there is nothing")
    func sections() throws {
        let page = try StoryLedger.twoWeeks().page()
        for id in [
            "summary", "in-force", "timeline", "all-decisions", "words", "irregular", "rollouts", "gaps",
            "absence",
            "checkpoint",
        ] { #expect(page.ranges(of: "<h2 id=\"\(id)\">").count == 1, "\(id)") }
        #expect(!page.contains("id=\"debt\""))
        #expect(page.contains("None: nothing outside the ledger says what it held"))
        #expect(page.contains("ada (uid 1000), by sudo"))
        #expect(page.contains("the node was restarted"))
        #expect(page.contains("no tick ran for 3 h") || page.contains("up to 3 h 5 min passed"))
        let costly = try StoryLedger.twoWeeks().page {
            $0.contexts[0].debt = [
                ReportFact(label: "v1.31", value: "41 days", explanation: "until its end of support")
            ]
            $0.checkpoint = [ReportFact(label: "entry", value: "77")]
        }
        #expect(costly.contains("id=\"debt\"") && costly.contains("until its end of support"))
        #expect(!costly.contains("None: nothing outside"))
    }

    @Test("is handed on in pieces of at most 64 KiB, a row as it comes")
    func streamed() throws {
        let story = StoryLedger.twoWeeks()
        var pieces: [Int] = []
        let writer = ReportWriter(Report([story.chronicle()], madeAt: story.now), hash: { sha256($0) }) {
            pieces.append($0.count)
        }
        try writer.begin()
        let row = Row([.reason: String(repeating: "<", count: 100_000)])
        for _ in 0..<50 { try row.withRow { try writer.write($0) } }
        let before = pieces.count
        #expect(before > 2)
        try writer.finish()
        #expect(pieces.count > before && pieces.allSatisfy { $0 <= 65_536 })
    }

    @Test("shows several ledgers, each by its node")
    func several() throws {
        var other = StoryLedger("v1.30.1+k3s1")
        other.decide(.hold, to: "v1.31.0+k3s1", node: "node-2")
        let page = try StoryLedger.twoWeeks().page { $0.chronicles.append(other.chronicle()) }
        #expect(page.contains("<title>Holdfast report: node-1, node-2</title>"))
        #expect(page.contains("<h3>node-2</h3>"))
        #expect(page.contains("K3s k3s on node-2"))
    }

    @Test(
        "has Base64 as RFC 4648 has it",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func encoded(text: String, encoded: String) {
        #expect(base64(Array(text.utf8)) == encoded)
    }
}
