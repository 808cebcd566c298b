import Model

/// The versions of one installation over time, and what kept them there, as inline SVG.
///
/// Positions are attributes, never styles, since the page's own policy lets none be inline.
struct ReportTimeline {
    let chronicle: Chronicle
    let story: InstallationStory
    let windows: [Stretch]

    private static let left = 110
    private static let width = 1000
    private static let row = 26
    /// No lane shows more; the newest are shown.
    private static let most = 300
    /// Nobody reads more of a lane in words before the decisions begin.
    private static let mostInWords = 60

    private struct Bar {
        var stretch: Stretch
        var style: String
        var isLabelled = false
    }

    func svg() -> String {
        let lanes = lanes().flatMap { lane in
            Self.packed(lane.bars).enumerated().map { (name: $0 == 0 ? lane.name : "", bars: $1) }
        }
        let height = 30 + lanes.count * Self.row
        let title = "Timeline of \(story.id) on \(chronicle.node)"
        var text =
            "<svg viewBox=\"0 0 \(Self.width) \(height)\" role=\"img\" aria-label=\"\(title.html): the table below has "
            + "the same in words\">"
        text += axis(height: height - 4)
        for (index, lane) in lanes.enumerated() {
            let y = 26 + index * Self.row
            text += "<text class=\"name\" x=\"0\" y=\"\(y + 14)\">\(lane.name.html)</text>"
            for bar in lane.bars.suffix(Self.most) { text += draw(bar, y: y) }
        }
        return text + "</svg>\n"
    }

    // MARK: Lanes

    private func lanes() -> [(name: String, bars: [Bar])] {
        var versions: [String] = []
        func version(_ stretch: Stretch) -> Bar {
            if !versions.contains(stretch.text) { versions.append(stretch.text) }
            let place = versions.firstIndex(of: stretch.text) ?? 0
            return Bar(stretch: stretch, style: "s\(place % 6)", isLabelled: true)
        }
        func bars(_ stretches: [Stretch], _ style: String, _ isLabelled: Bool = false) -> [Bar] {
            stretches.map { Bar(stretch: $0, style: style, isLabelled: isLabelled) }
        }
        var lanes: [(String, [Bar])] = [
            ("Installed", story.stretches(.installed).map(version)),
            ("Running", story.stretches(.running).map(version)),
            (
                "Held",
                story.stretches(.held).map {
                    Bar(stretch: $0, style: $0.text.hasPrefix("denied") ? "denied" : "held", isLabelled: true)
                }
            ),
            ("Guarded", bars(story.stretches(.gate), "gate")),
        ]
        if !windows.isEmpty { lanes.append(("Windows", bars(windows, "window"))) }
        let steps = bars(story.stretches(.step), "step", true)
        if !steps.isEmpty { lanes.append(("Steps", steps)) }
        let rollouts = bars(story.stretches(.rollout), "rollout", true)
        if !rollouts.isEmpty { lanes.append(("Rollout", rollouts)) }
        let acts = story.acts.items.map {
            Bar(
                stretch: Stretch(
                    start: $0.act.at, end: $0.act.at, text: $0.act.kind.rawValue, detail: $0.act.text),
                style: "act")
        }
        if !acts.isEmpty { lanes.append(("At starts", acts)) }
        let failures = story.failures.items.map {
            Bar(stretch: Stretch(start: $0.at, end: $0.at, text: $0.title, detail: $0.text), style: "fail")
        }
        if !failures.isEmpty { lanes.append(("Failures", failures)) }
        let pauses = bars(chronicle.pauses.items, "pause", true)
        if !pauses.isEmpty { lanes.append(("Paused", pauses)) }
        let gaps = chronicle.allGaps.map {
            Bar(
                stretch: Stretch(start: $0.start, end: $0.end, text: $0.kind.rawValue, detail: $0.text),
                style: "gap")
        }
        if !gaps.isEmpty { lanes.append(("Not known", gaps)) }
        return lanes.map {
            (name: $0.0, bars: $0.1.filter { $0.stretch.overlaps(chronicle.start, chronicle.end) })
        }
    }

    /// The bars of one lane in as few rows as have none over another; what would need a fifth is drawn in the fourth.
    private static func packed(_ bars: [Bar]) -> [[Bar]] {
        var rows: [[Bar]] = [[]]
        for bar in bars {
            let free = rows.firstIndex { row in
                row.last.map { last in last.stretch.end.map { $0 <= bar.stretch.start } ?? false } ?? true
            }
            if let free {
                rows[free].append(bar)
            } else if rows.count < 4 {
                rows.append([bar])
            } else {
                rows[3].append(bar)
            }
        }
        return rows
    }

    private func draw(_ bar: Bar, y: Int) -> String {
        let stretch = bar.stretch
        let start = x(max(stretch.start, chronicle.start))
        let end = x(min(stretch.end ?? chronicle.end, chronicle.end))
        // Even what took a second is to be seen.
        let width = max(end - start, 20)
        let until = stretch.end.map { "to \($0)" } ?? "until now"
        let detail = stretch.detail.isEmpty || stretch.detail == stretch.text ? "" : ": \(stretch.detail)"
        var text =
            "<rect class=\"\(bar.style)\" x=\"\(tenth(start))\" y=\"\(y)\" width=\"\(tenth(width))\" height=\"20\" "
            + "rx=\"2\"><title>\("\(stretch.text)\(detail), \(stretch.start) \(until)".html)</title></rect>"
        // Some six and a half points a letter; a label that does not fit is left to the tooltip and the table.
        if bar.isLabelled, width > 65 * stretch.text.count + 80 {
            text +=
                "<text class=\"on\" x=\"\(tenth(start + 50))\" y=\"\(y + 14)\" aria-hidden=\"true\">"
                + "\(stretch.text.html)</text>"
        }
        return text
    }

    // MARK: Axis

    /// Where an instant lies, in tenths.
    private func x(_ instant: Instant) -> Int64 {
        let whole = max((chronicle.end - chronicle.start).seconds, 1)
        let part = min(max((instant - chronicle.start).seconds, 0), whole)
        let room = Int64((Self.width - Self.left) * 10)
        return Int64(Self.left * 10) + Int64(Double(part) / Double(whole) * Double(room))
    }

    private func tenth(_ number: Int64) -> String { "\(number / 10).\(number % 10)" }

    private func axis(height: Int) -> String {
        let whole = (chronicle.end - chronicle.start).seconds
        var text = ""
        let marks = (0..<5).map { chronicle.start + TimeSpan(seconds: whole * $0 / 5) }
        for instant in Set(marks).sorted() {
            let place = tenth(x(instant))
            let label = instant.description
            // Days are told apart by their date, hours by their time too.
            let shown =
                whole > 5 * 86_400 * 2
                ? String(label.prefix(10))
                : "\(label.prefix(10)) \(label.dropFirst(11).prefix(whole < 1200 ? 8 : 5))"
            text +=
                "<line class=\"rule\" x1=\"\(place)\" y1=\"18\" x2=\"\(place)\" y2=\"\(height)\"/>"
                + "<text class=\"axis\" x=\"\(place)\" y=\"12\">\(shown.html)</text>"
        }
        return text
    }

    // MARK: Words

    /// The same in words, a row each: lane, from, to, what; and how many older ones are left out.
    func rows() -> (rows: [[ReportCell]], dropped: Int) {
        var dropped = 0
        let rows = lanes().flatMap { lane in
            let bars = lane.bars.filter { $0.style != "window" && $0.style != "gap" }
            dropped += max(0, bars.count - Self.mostInWords)
            return bars.suffix(Self.mostInWords).map { bar -> [ReportCell] in
                let stretch = bar.stretch
                let detail =
                    stretch.detail.hasPrefix(stretch.text)
                    ? stretch.detail
                    : stretch.detail.isEmpty ? stretch.text : "\(stretch.text): \(stretch.detail)"
                let isInstant = stretch.end == stretch.start
                return [
                    .text(lane.name), .time(stretch.start),
                    isInstant ? .text("") : stretch.end.map { .time($0) } ?? .text("goes on"), .text(detail),
                ]
            }
        }
        return (rows, dropped)
    }
}
