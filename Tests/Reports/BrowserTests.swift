import Glibc
import Model
import Testing

@testable import Reports

private let hasBrowser = output(of: "command -v chromium") != nil
private let hasPDF = output(of: "command -v pdftotext") != nil

/// A page in a directory of its own, looked at with Debian's Chromium.
private final class Page {
    let directory: String
    var file: String { "\(directory)/report.html" }

    init(_ html: String) throws {
        var template = Array("/tmp/holdfast-page-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        let stream = try #require(fopen(file, "w"))
        defer { fclose(stream) }
        let written = html.utf8.withContiguousStorageIfAvailable {
            fwrite($0.baseAddress, 1, $0.count, stream)
        }
        try #require(written == html.utf8.count)
    }

    deinit { _ = output(of: "rm -rf \(directory)") }

    /// Runs it, and gives what it wrote and what the page's console was told.
    ///
    /// `--no-sandbox` since root may not use it otherwise; nothing of the page is from elsewhere.
    func run(_ options: String, fragment: String = "") throws -> (dom: String, console: [Substring]) {
        let command =
            "cd \(directory) && timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
            + "--user-data-dir=\(directory)/profile --enable-logging=stderr \(options) "
            + "'file://\(file)\(fragment)' 2>errors"
        let dom = try #require(output(of: command), "\(text(of: "errors").suffix(2000))")
        let console = text(of: "errors").split(separator: "\n").filter { $0.contains("CONSOLE") }
        return (String(decoding: dom, as: UTF8.self), console)
    }

    func text(of name: String) -> String {
        String(decoding: output(of: "cat \(directory)/\(name)") ?? [], as: UTF8.self)
    }

    /// The text of the page on paper.
    func printed(fragment: String = "") throws -> String {
        _ = try run(
            "--no-pdf-header-footer --print-to-pdf=\(directory)/report.pdf", fragment: fragment)
        return String(
            decoding: try #require(output(of: "pdftotext -layout \(directory)/report.pdf -")), as: UTF8.self)
    }
}

extension String {
    /// The classes of the rows of decisions.
    fileprivate var rows: [Set<Substring>] {
        guard let table = firstRange(of: "id=\"decisions\"") else { return [] }
        return self[table.upperBound...].split(separator: "<tr class=\"").dropFirst().map { row in
            Set(row.prefix { $0 != "\"" }.split(separator: " "))
        }
    }
    fileprivate var shown: Int { rows.count { $0.contains("on") } }
    fileprivate var fitting: Int { rows.count { !$0.contains("out") } }
}

/// A story with many decisions, each with a word of its own.
private func many(_ count: Int) -> StoryLedger {
    var story = StoryLedger()
    for index in 0..<count {
        story.wait(.minutes(5))
        story.decide(
            [.hold, .allow, .deny][index % 3], to: "v1.32.\(index % 20)+k3s1", node: "node-\(index % 4)",
            reason: "reason-\(index)x", rollout: index % 10 == 0 ? "r-\(index % 2)" : nil)
    }
    return story
}

@Suite(
    "The HTML report in Chromium",
    .enabled(
        if: hasBrowser,
        "SKIPPED: chromium is not installed; Packaging/scripts/bootstrap --for-tests brings it"),
    .serialized)
struct BrowserTests {
    @Test("opens without a word on the console, and shows the first hundred rows")
    func opens() throws {
        let page = try Page(try many(250).page())
        let (dom, console) = try page.run("--dump-dom")
        #expect(console == [])
        #expect(dom.contains("data-ready=\"yes\""))
        #expect(dom.rows.count == 250 && dom.shown == 100 && dom.fitting == 250)
        #expect(dom.contains(">250 decisions<"))
        #expect(dom.contains("page 1 of 3"))
        #expect(try Page(try StoryLedger.twoWeeks().page()).run("--dump-dom").console == [])
    }

    @Test("lets nothing run that was put into it afterwards, and the test would see it on the console")
    func policy() throws {
        let html = try many(3).page().replacing(
            "</main>", with: "<script>document.title='owned'</script><img src='x.png' onerror=\"1\"></main>")
        let (dom, console) = try Page(html).run("--dump-dom")
        #expect(!dom.contains("<title>owned"))
        #expect(console.contains { $0.contains("Content Security Policy") })
        #expect(console.count >= 2)
    }

    /// A link to a filtered report, and how many rows fit it.
    static let filters: [(fragment: String, fitting: Int)] = [
        ("#verdict=deny", 83), ("#verdict=hold&node=node-0", 21), ("#text=reason-17x", 1),
        ("#text=nothing+like+it", 0),
        ("#text=REASON-1%20node-1", 28), ("#installation=k3s%2Fk3s", 250), ("#rollout=r-0", 25),
        ("#since=2025-11-18%2020:00", 107), ("#until=2025-11-18%2020:00", 143), ("#node=nobody", 0),
        ("#all-decisions", 250), ("#text=%22%3E%3Cimg%20src=x%3E", 0),
    ]

    @Test("shows what the link's fragment asks for", arguments: filters)
    func filtered(fragment: String, fitting: Int) throws {
        let (dom, console) = try Page(try many(250).page()).run("--dump-dom", fragment: fragment)
        #expect(console == [])
        #expect(dom.fitting == fitting)
        #expect(dom.shown == min(dom.fitting, 100))
        #expect(!dom.contains("<img"))
    }

    @Test("sorts as the link says: versions by their numbers, and says so to a screen reader")
    func sorted() throws {
        let (dom, console) = try Page(try many(60).page()).run("--dump-dom", fragment: "#sort=-to")
        #expect(console == [])
        let first = try #require(dom.firstRange(of: "<tbody", in: dom.firstRange(of: "id=\"decisions\"")))
        #expect(dom[first.upperBound...].prefix(600).contains("v1.32.19+k3s1"))
        #expect(dom.contains("data-name=\"to\" aria-sort=\"descending\""))
    }

    @Test(
        "shows every row where no script may run",
        .enabled(if: hasPDF, "SKIPPED: pdftotext is not installed"))
    func withoutScript() throws {
        // Chromium's own dump and print need scripts, so the page is given none.
        let plain = try many(250).page().replacing(reportScript, with: "").replacing(
            reportEarlyScript, with: "")
        let page = try Page(plain)
        #expect(try page.run("--dump-dom").console.count == 0)
        let shown = try page.printed(fragment: "#verdict=deny").filter { !$0.isWhitespace }
        #expect((0..<250).filter { !shown.contains("reason-\($0)x") } == [])
        let hiding = reportStyle.split(separator: "}").filter { $0.contains("#decisions tbody tr") }
        #expect(hiding.allSatisfy { $0.contains(".js #decisions") })
    }

    @Test("runs nothing of what others named, and shows it as it is")
    func hostile() throws {
        let (dom, console) = try Page(try StoryLedger.hostile().page()).run("--dump-dom")
        #expect(console == [])
        #expect(dom.contains("data-ready=\"yes\""))
        #expect(!dom.contains("<title>owned") && !dom.contains("<img") && !dom.contains("<h1>owned"))
        #expect(dom.ranges(of: "<script").count == 2)
        #expect(dom.rows.count == hostileTexts.count)
    }

    @Test(
        "prints every row that fits, not only those of the page that is shown",
        .enabled(if: hasPDF, "SKIPPED: pdftotext is not installed"))
    func onPaper() throws {
        let page = try Page(try many(250).page())
        let all = try page.printed().filter { !$0.isWhitespace }
        #expect((0..<250).filter { !all.contains("reason-\($0)x") } == [])
        let denied = try page.printed(fragment: "#verdict=deny").filter { !$0.isWhitespace }
        #expect((0..<250).filter { denied.contains("reason-\($0)x") } == (0..<250).filter { $0 % 3 == 2 })
    }
}

extension String {
    fileprivate func firstRange(of text: String, in start: Range<String.Index>?) -> Range<String.Index>? {
        start.flatMap { self[$0.upperBound...].firstRange(of: text) }
    }
}
