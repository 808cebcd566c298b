import Model
import Testing

@testable import Reports

@Suite("The text of metrics")
struct MetricsTextTests {
    @Test("a family has its help and type once, and a name that only grows is a counter")
    func families() {
        var metrics = MetricsText()
        metrics.add("a_total", "Some.", 3)
        metrics.add(
            "b", "Others.", [.init(labels: [("x", "1")], value: -2), .init(labels: [("x", "2")], value: 0)])
        #expect(
            metrics.text == """
                # HELP a_total Some.
                # TYPE a_total counter
                a_total 3
                # HELP b Others.
                # TYPE b gauge
                b{x="1"} -2
                b{x="2"} 0

                """)
    }

    @Test("what is not known has no line at all")
    func unknown() {
        var metrics = MetricsText()
        metrics.add("a", "Some.", nil)
        metrics.add("b", "Others.", [])
        #expect(metrics.text == "")
    }

    @Test("a label's value cannot leave its quotes or its line, and is cut")
    func escaped() {
        #expect(MetricsText.escaped("a\"} 1\nb{x=\"\\") == "a\\\"} 1?b{x=\\\"\\\\")
        #expect(MetricsText.escaped("\u{1b}[31m\u{202e}") == "?[31m?")
        #expect(MetricsText.escaped(String(repeating: "é", count: 1000)).count == MetricsText.longestLabel)
    }

    @Test("two samples with the same labels are one, and there are not more than a few dozen")
    func bounded() {
        var metrics = MetricsText()
        metrics.add("a", "Some.", Array(repeating: .init(labels: [("x", "1")], value: 1), count: 3))
        #expect(metrics.text.split(separator: "\n").count == 3)
        metrics.add("b", "Some.", (0..<10_000).map { .init(labels: [("x", "\($0)")], value: 1) })
        #expect(metrics.text.split(separator: "\n").count == 3 + 2 + MetricsText.mostSamples)
    }
}

@Suite("What staying costs, in two lines")
struct DebtRowTests {
    private func debt(_ change: (inout HoldDebt) -> Void = { _ in }) -> HoldDebt {
        var debt = HoldDebt(
            installation: InstallationID(distribution: .k3s, name: "k3s"), version: Version("v1.31.4+k3s1"),
            causes: [.pin("version v1.31.4", source: "p:3")],
            supportEnd: CivilDate("2025-11-11").map(SupportEnd.on),
            daysLeft: -1, patches: nil, minors: nil, way: .unknown("no newer release is known"), table: "t",
            tableDay: CivilDate(daysSinceEpoch: 0))
        change(&debt)
        return debt
    }

    @Test("says what is not known, and never a number in its place")
    func unknown() {
        let rows = debtRows(debt())
        #expect(rows.map(\.value) == ["1 day past", "not known"])
        #expect(
            rows[0].explanation.contains("1.31 was supported until 2025-11-11; how far behind is not known"))
        #expect(rows[0].explanation.contains("kept by the pin to version v1.31.4 (p:3)"))
        #expect(rows[1].explanation.hasPrefix("no newer release is known (table of support: t)"))
        let half = debtRows(debt { $0.patches = Version("v1.31.5").map { .init(count: 1, newest: $0) } })
        #expect(half[0].explanation.contains("1 patch behind (v1.31.5), minors behind not known"))
        #expect(
            debtRows(
                debt {
                    $0.supportEnd = nil; $0.daysLeft = nil
                })[0].value == "not known")
    }

    @Test("says nothing of an installation that nothing keeps and that is supported")
    func nothing() {
        #expect(
            debtRows(
                debt {
                    $0.causes = []; $0.daysLeft = 3
                }) == [])
        #expect(debtRows(debt { $0.causes = [] }).count == 2)
    }

    @Test("a long way is cut in its middle")
    func long() {
        let steps = (1...20).compactMap { Version("v1.\($0).0") }
        let text = debtRows(debt { $0.way = .ladder(steps) })[1]
        #expect(text.value == "20 steps")
        #expect(
            text.explanation.hasPrefix(
                "v1.1.0 → v1.2.0 → v1.3.0 → v1.4.0 → v1.5.0 → v1.6.0 → … 13 more … → v1.20.0"))
    }
}
