import CommandLine
import Ledger
import Model
import Ports
import Reports

/// Explains what was decided before of something that is not there now, from the ledger.
func explainPast(
    _ word: String, _ invocation: Invocation, in place: Place, among now: [DecisionRecord], on screen: Screen
) throws(Failure) -> ExitCode {
    let known = now.map(\.subject.change.id)
    let here =
        known.isEmpty ? "nothing differs from what is approved" : "there is \(known.joined(separator: ", "))"
    let unknown = Failure(
        code: .failed,
        message:
            "there is no change \(word.printable) now; \(here) ('holdfast history' lists past decisions; "
            + "what is older than ledger.keep may have been dropped)"
    )
    guard !word.isEmpty else { throw unknown }
    let found: StoredDecision?
    do throws(LedgerFailure) {
        found = try place.readLedger().newestDecision(named: Version(word)?.description ?? word)
    } catch {
        throw error.code == .missing ? unknown : Failure(ledger: error)
    }
    guard let stored = found else { throw unknown }
    switch stored.content {
    case .record(let record, _):
        if invocation.value("output") == "json" {
            try screen.json([ExplainedChange(record, acts: [])])
        } else {
            screen.out(
                folded(
                    "There is no change \(word) now; this is how it was judged at \(stored.at) (entry "
                        + "\(stored.sequence)), the last time.".printable, width: screen.width
                ).joined(separator: "\n") + "\n\n"
                    + Explanation(record: record, style: screen.style, width: screen.width).text())
        }
        return .done
    case .dropped:
        throw Failure(
            code: .failed,
            message:
                "\(word.printable) was decided at \(stored.at) (entry \(stored.sequence)), and retention has "
                + "dropped what it was made from (ledger.keep in the policy); 'holdfast history' still has its verdict "
                + "and the rules that were not met, and an older copy of the ledger all of it: "
                + "'holdfast explain \(word.printable) --state DIRECTORY'")
    case .unreadable(let reason):
        throw Failure(
            code: .failed,
            message:
                "\(word.printable) was decided at \(stored.at) (entry \(stored.sequence)), and cannot be read: "
                + "\(reason.printable); 'holdfast verify' says whether it was changed, else it is from another version "
                + "of holdfast")
    }
}
