import Model

/// What a report comes to, in sentences.
struct ReportSummary {
    let chronicle: Chronicle
    let context: ReportContext

    struct Sentence {
        var text: String
        /// `good`, `wait` or `bad`; nil for a plain one.
        var mark: String?
    }

    var sentences: [Sentence] {
        var sentences = chronicle.installations.map(standing)
        if chronicle.installations.isEmpty {
            sentences.append(
                Sentence(text: "No K3s, MicroK8s or k0s was seen on \(chronicle.node).", mark: "wait"))
        }
        sentences.append(decisions)
        let irregular = count(chronicle.irregular)
        if irregular > 0 {
            sentences.append(
                Sentence(
                    text:
                        "\(irregular) time\(plural(irregular)) something was refused, put back or let through, or has no "
                        + "known cause.", mark: "wait"))
        }
        let failures = chronicle.installations.reduce(0) { $0 + count($1.failures) }
        if failures > 0 {
            sentences.append(Sentence(text: "\(failures) thing\(plural(failures)) failed.", mark: "bad"))
        }
        let claims = chronicle.words.items.filter { isInside($0.at) && $0.title == "approved" }
        if !claims.isEmpty {
            let names = Set(claims.map(\.claim)).sorted()
            sentences.append(
                Sentence(
                    text:
                        "\(claims.count) approval\(plural(claims.count)) \(claims.count == 1 ? "was" : "were") given, as "
                        + "claimed by \(names.prefix(5).joined(separator: ", "))"
                        + (names.count > 5 ? " and \(names.count - 5) others" : "") + "."))
        }
        if let pause = chronicle.state.pause {
            sentences.append(
                Sentence(
                    text: "Every guard is lifted until \(pause.until): \(pause.reason).", mark: "bad"))
        }
        if !context.overrides.isEmpty {
            sentences.append(
                Sentence(
                    text:
                        "\(context.overrides.count) override\(plural(context.overrides.count)) of the policy "
                        + "\(context.overrides.count == 1 ? "is" : "are") in force.", mark: "wait"))
        }
        sentences.append(gaps)
        return sentences
    }

    private func standing(_ story: InstallationStory) -> Sentence {
        let known = chronicle.state.installations[story.id.description]
        guard let known else {
            return Sentence(text: "\(story.id) is no longer installed on \(chronicle.node).", mark: "wait")
        }
        let installed = known.installation.installed?.artifact.versionWord ?? "nothing"
        let running = known.installation.running?.artifact?.versionWord
        let meant = known.reference?.versionWord ?? "nothing that is known"
        var text =
            "\(story.id.distribution.displayName) \(story.id.name) on \(chronicle.node): installed \(installed)"
        text += running.map { ", running \($0)" } ?? ", and what runs was not seen"
        text += ", meant to run \(meant)" + (known.confirmed ? "." : ", which nobody has confirmed.")
        let isRight = known.installation.installed.flatMap { installed in
            known.reference.flatMap { $0.isSameBytes(as: installed.artifact) }
        }
        if known.adoption == nil { text += " It is not guarded." }
        return Sentence(text: text, mark: isRight == true && known.adoption != nil ? "good" : "wait")
    }

    private var decisions: Sentence {
        let counts = Verdict.allCases.map { (chronicle.decisions[$0] ?? 0, $0) }
        let all = counts.reduce(0) { $0 + $1.0 }
        guard all > 0 else {
            return Sentence(text: "Nothing was decided: nothing differed from what is approved.")
        }
        let words: [Verdict: String] = [.allow: "allowed", .hold: "held", .deny: "denied"]
        let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \(words[$0.1] ?? $0.1.rawValue)" }
        return Sentence(text: "\(all) decision\(plural(all)): \(parts.joined(separator: ", ")).")
    }

    private var gaps: Sentence {
        let gaps = chronicle.allGaps
        guard !gaps.isEmpty else {
            return Sentence(text: "The guard looked all the time: there is no gap.", mark: "good")
        }
        // Those of a clock are no time without a look.
        let blind = gaps.filter { $0.kind != .clock }.reduce(0) { sum, gap in
            sum + max(0, (min(gap.end, chronicle.end) - max(gap.start, chronicle.start)).seconds)
        }
        guard blind > 0 else {
            return Sentence(
                text:
                    "The guard looked all the time, but \(gaps.count) stretch\(gaps.count == 1 ? " is" : "es are") of no "
                    + "certain time or content: see the gaps.", mark: "wait")
        }
        return Sentence(
            text:
                "\(gaps.count) gap\(plural(gaps.count)), \(TickEvidence.text(blind)) in all, in which nobody looked or "
                + "nothing certain is known.", mark: "wait")
    }

    private func count(_ notes: Bounded<Note>) -> Int {
        notes.items.count { isInside($0.at) } + notes.dropped
    }
    private func isInside(_ at: Instant) -> Bool { chronicle.start <= at && at <= chronicle.end }
    private func plural(_ count: Int) -> String { count == 1 ? "" : "s" }
}
