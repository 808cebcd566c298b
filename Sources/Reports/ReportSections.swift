import Model

/// The parts of a report around its decisions.
struct ReportSections {
    let report: Report
    let output: OutputBuffer

    private var isOfSeveral: Bool { report.chronicles.count > 1 }

    private func each(_ body: (Chronicle, ReportContext) throws -> Void) throws {
        for (chronicle, context) in report.parts {
            if isOfSeveral { try output.append("<h3>\(chronicle.node.html)</h3>\n") }
            try body(chronicle, context)
        }
    }

    // MARK: Before the decisions

    func writeSummary() throws {
        try output.append("<h2 id=\"summary\">Summary</h2>\n")
        try each { chronicle, context in
            for sentence in ReportSummary(chronicle: chronicle, context: context).sentences {
                let mark = sentence.mark.map { " class=\"\($0)\"" } ?? ""
                try output.append("<p\(mark)>\(sentence.text.html)</p>\n")
            }
            try output.append("<dl class=\"facts\">")
            try fact("Stretch", "\(chronicle.start.html) to \(chronicle.end.html)")
            try fact("Ledger", "<span class=\"mono\">\(chronicle.ledger.html)</span>")
            try fact(
                "Newest entry",
                "\(chronicle.head.sequence), <span class=\"mono\">\(chronicle.head.hash.hex)</span>")
            if let last = chronicle.lastTick { try fact("Last tick", last.html) }
            try output.append("</dl>\n")
        }
    }

    private func fact(_ name: String, _ html: String) throws {
        try output.append("<dt>\(name.html)</dt><dd>\(html)</dd>")
    }

    func writeInForce() throws {
        try output.append("<h2 id=\"in-force\">In force at the end</h2>\n")
        try each { chronicle, context in
            try ReportTable(
                caption: "Pauses, overrides, approvals, denials, quarantine and open problems.",
                columns: ["What", "Which", "Why"],
                rows: inForce(chronicle, context.overrides),
                none: "Nothing is: no pause, no override, no approval, no denial, no problem."
            ).write(to: output)
            if !context.note.isEmpty {
                try output.append("<p class=\"faint\">\(context.note.html)</p>\n")
            }
        }
    }

    private func inForce(_ chronicle: Chronicle, _ overrides: [ReportFact]) -> [[ReportCell]] {
        let state = chronicle.state
        var rows: [[ReportCell]] = []
        func add(_ what: String, _ which: String, _ why: String) {
            rows.append([.text(what), .text(which), .text(why)])
        }
        for key in state.installations.keys.sorted() {
            guard let known = state.installations[key] else { continue }
            let meant = known.reference?.summary ?? "nothing that is known"
            add(
                known.adoption == nil ? "not guarded" : "approved", key,
                known.confirmed ? "meant to run \(meant)" : "first seen, not confirmed: \(meant)")
        }
        if let pause = state.pause { add("pause", "until \(pause.until)", pause.reason) }
        for override in overrides {
            add("override", override.label, "\(override.value): \(override.explanation)")
        }
        for approval in state.approvals(inForceOn: chronicle.node, at: chronicle.end) {
            add(
                "approval \(approval.id)",
                "\(approval.distribution.rawValue) \(approval.summary) for \(approval.scope)",
                "until \(approval.expires), claimed by \(approval.claimedBy): \(approval.reason)")
        }
        for denial in state.denials {
            add(
                "denial \(denial.id)", "\(denial.distribution.rawValue) \(denial.target.summary)",
                "claimed by \(denial.claimedBy): \(denial.reason)")
        }
        for entry in state.quarantine {
            add("quarantine", "\(entry.installation) \(entry.artifact.summary)", entry.reason)
        }
        if let rejection = state.rejection {
            add("policy not valid", rejection.file, rejection.errors.joined(separator: "; "))
        }
        for problem in state.problems { add("problem", problem.code, problem.text) }
        return rows
    }

    func writeTimelines() throws {
        try output.append("<h2 id=\"timeline\">Versions over time</h2>\n")
        for (chronicle, context) in report.parts {
            if chronicle.installations.isEmpty {
                try output.append("<p>\(chronicle.node.html): no K3s, MicroK8s or k0s was ever seen.</p>\n")
            }
            for story in chronicle.installations {
                let timeline = ReportTimeline(
                    chronicle: chronicle, story: story, windows: context.windows[story.id] ?? [])
                try output.append(
                    "<h3>\("\(story.id.distribution.displayName) \(story.id.name) on \(chronicle.node)".html)</h3>\n"
                        + "<div class=\"scroll\">\(timeline.svg())</div>\n")
                let words = timeline.rows()
                try ReportTable(
                    caption: "The same in words, but for windows and gaps.",
                    columns: ["Lane", "From", "To", "What"], rows: words.rows,
                    none: "Nothing was recorded of it in this stretch.", dropped: words.dropped
                ).write(to: output)
            }
        }
    }

    // MARK: After them

    func writeRest() throws {
        try notes(
            "words", "Approvals and other words of persons",
            "By whose claim: what the system said of who it was, which root can forge.", \.words,
            hasClaims: true, none: "No person said anything in this stretch.")
        try notes(
            "irregular", "Refused, put back, and unattributed",
            "What the gate told, what was put back, changes that nobody knows the cause of, guards that somebody else broke.",
            \.irregular, none: "Nothing was refused or put back, and every change has a known cause.")
        try notes(
            "rollouts", "Steps and rollouts", "What was carried out, and what persons said of rollouts.",
            \.rollouts,
            hasClaims: true, none: "Nothing was carried out.")
        try writeGaps()
        try writeAbsences()
        if report.contexts.contains(where: { !$0.debt.isEmpty }) {
            try output.append("<h2 id=\"debt\">Hold debt</h2>\n")
            try each { _, context in
                try facts(context.debt, "What each hold and pin costs.", none: "Nothing is known of it.")
            }
        }
        try output.append("<h2 id=\"checkpoint\">Newest checkpoint</h2>\n")
        try facts(
            report.checkpoint, "A signed head of the ledger: what it covers cannot be changed unnoticed.",
            none: "None: nothing outside the ledger says what it held, so a cut tail would not be noticed.")
        try output.append(
            """
            </main>
            <footer><p>'holdfast verify' checks the chain of the ledger that this was made from; this file itself is no \
            proof. It shows what Holdfast saw and was told: what happened while it did not run, or by root's hand around \
            it, is in no entry.</p></footer>

            """)
    }

    private func notes(
        _ id: String, _ title: String, _ caption: String, _ list: KeyPath<Chronicle, Bounded<Note>>,
        hasClaims: Bool = false, none: String
    ) throws {
        try output.append("<h2 id=\"\(id)\">\(title.html)</h2>\n")
        try each { chronicle, _ in
            let notes = chronicle[keyPath: list]
            try ReportTable(
                caption: caption,
                columns: ["When (UTC)", "What", "About"] + (hasClaims ? ["Claimed by"] : []) + [
                    "Text", "Entry",
                ],
                rows: notes.rows(from: chronicle.start, to: chronicle.end, hasClaims: hasClaims), none: none,
                dropped: notes.dropped
            ).write(to: output)
        }
    }

    private func writeGaps() throws {
        try output.append("<h2 id=\"gaps\">Gaps: when the guard did not look</h2>\n")
        try each { chronicle, _ in
            try ReportTable(
                caption: "Times of which nothing, or nothing certain, is known.",
                columns: ["From", "To", "How long", "Kind", "Why"],
                rows: chronicle.allGaps.map { gap in
                    [
                        .time(gap.start), .time(gap.end),
                        .text(TickEvidence.text((gap.end - gap.start).seconds)), .text(gap.kind.rawValue),
                        .text(gap.text),
                    ]
                },
                none:
                    "None: ticks ran at least every ten minutes, over restarts too, and the clock was never set.",
                dropped: chronicle.gaps.dropped
            ).write(to: output)
        }
    }

    private func writeAbsences() throws {
        try output.append("<h2 id=\"absence\">Was anything unapproved started?</h2>\n")
        try each { chronicle, _ in
            let to = max(chronicle.start, min(chronicle.lastTick ?? chronicle.end, chronicle.end))
            if chronicle.installations.isEmpty {
                try output.append("<p>There is no unit to answer for.</p>\n")
            }
            for story in chronicle.installations {
                let absence = chronicle.absence(of: story, from: chronicle.start, to: to)
                let mark = absence.answer == .holds ? "good" : absence.answer == .violated ? "bad" : "wait"
                try output.append(
                    "<h3>\(story.id.description.html): <span class=\"\(mark)\">"
                        + "\(absence.answer.rawValue.html)</span></h3>\n<p>\(absence.sentence.html). Starts that were seen "
                        + "and were approved: \(absence.approvedStarts).</p>\n")
                guard absence.answer != .holds else { continue }
                try ReportTable(
                    caption: "What was started, and what is not covered.",
                    columns: ["From", "To", "What", "Why"],
                    rows: absence.violations.map {
                        [.time($0.at), .text(""), .text("violation: \($0.title)"), .text($0.text)]
                    }
                        + absence.gaps.map {
                            [
                                .time($0.start), .time($0.end), .text("gap: \($0.kind.rawValue)"),
                                .text($0.text),
                            ]
                        }, none: ""
                ).write(to: output)
            }
        }
    }

    private func facts(_ facts: [ReportFact], _ caption: String, none: String) throws {
        try ReportTable(
            caption: caption, columns: ["What", "Value", "Why"],
            rows: facts.map { [.text($0.label), .text($0.value), .text($0.explanation)] }, none: none
        ).write(to: output)
    }
}
