import Agent
import CommandLine
import Model
import Ports
import Reports

/// `holdfast explain [CHANGE]`: why a change is held, denied or allowed: one that is there now, else a past one.
func explain(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let outcome = place.preview().outcome
    let all = outcome.judgement.decisions
    var chosen = all
    if let word = invocation.value("change") {
        chosen = named(word, among: all)
        if chosen.isEmpty { return try explainPast(word, invocation, in: place, among: all, on: screen) }
    }
    if let failure = outcome.failure {
        screen.error(
            "Error: what was recorded before cannot be read\(byGuardFile(outcome)): \(failure.description)")
    }
    let known = outcome.judgement.state.installations
    func acts(_ record: DecisionRecord) -> [GateAct] {
        known[record.subject.change.installation.description]?.acts ?? []
    }
    if invocation.value("output") == "json" {
        try screen.json(chosen.map { ExplainedChange($0, acts: acts($0)) })
    } else if chosen.isEmpty, !outcome.knowsPast {
        screen.out("Nothing can be explained: what is approved is not known.\n")
    } else if chosen.isEmpty {
        screen.out(
            wrapped(
                "Nothing to explain: nothing differs from what is approved, and nothing is offered.\n",
                width: screen.width))
        screen.out(
            gateText(known.values.flatMap(\.acts).sorted { $0.at < $1.at }, screen.style, screen.width))
    } else {
        screen.out(
            chosen.map { record in
                Explanation(record: record, acts: acts(record), style: screen.style, width: screen.width)
                    .text()
            }.joined(separator: "\n"))
        if let site = place.guards?.site, outcome.failure == nil {
            let standing = stepStanding(of: outcome.judgement, site: site, label: label)
            let text = StepText(standing: standing, now: outcome.judgement.observation.clock.now)
                .text(ofChanges: Set(chosen.map(\.subject.change.id)))
            screen.out(wrapped(text, width: screen.width))
        }
    }
    if let failure = outcome.failure { return failure.code == .busy ? .busy : .failed }
    return .done
}

/// The changes that a word names: by the start of an id, theirs or their decision's, or by their target's version.
private func named(_ word: String, among all: [DecisionRecord]) -> [DecisionRecord] {
    let version = Version(word)
    return all.filter { record in
        let target = record.subject.change.to
        return record.subject.change.id.hasPrefix(word) || record.id.hasPrefix(word)
            || version.map { $0 == target.version || word.isPlain(of: target.version) } ?? false
            || target.revision == word
    }
}

extension String {
    /// Whether this is a version without the build that it was given in full: `v1.33.11` of `v1.33.11+k3s1`.
    fileprivate func isPlain(of version: Version?) -> Bool {
        guard let own = Version(self), let version, own.build.isEmpty else { return false }
        return own.withoutBuild == version.withoutBuild
    }
}

/// The changes whose id begins with a word.
private func changes(_ word: String, in judgement: Judgement) throws(Failure) -> [DecisionRecord] {
    let chosen = judgement.decisions.filter { $0.subject.change.id.hasPrefix(word) }
    guard chosen.isEmpty else { return chosen }
    let known = judgement.decisions.map(\.subject.change.id)
    let hidden = judgement.observation.problems.filter(\.hidesChanges).map(\.text)
    let here =
        !known.isEmpty
        ? "there is \(known.joined(separator: ", "))"
        : hidden.isEmpty ? "nothing differs from what is approved" : "nothing else is seen"
    throw Failure(
        code: .failed,
        message: (["there is no change \(word.printable) now"] + hidden + [here]).joined(separator: "; ")
            + " ('holdfast history' lists past decisions)")
}

/// The one change that a person means; of several installations where the same would come to each.
func oneChange(_ word: String, in judgement: Judgement) throws(Failure) -> [DecisionRecord] {
    // An empty word is a shell variable that was not set, and would mean any.
    guard !word.isEmpty else { throw Failure(code: .usage, message: "the change's id is empty") }
    let chosen = try changes(word, in: judgement)
    let ids = Set(chosen.map(\.subject.change.id)).sorted()
    guard ids.count == 1 else {
        throw Failure(
            code: .usage,
            message: "\(word.printable) is the start of several changes: \(ids.joined(separator: ", "))")
    }
    return chosen
}
