import Agent
import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports

// What `approve`, `deny` and `revoke` have in common.

/// Who runs this, as far as the system says; a claim.
func claimedBy() -> String { Claimant.current.text(name: Claimant.localName) }

extension Place {
    /// What a tick would decide now.
    ///
    /// - Throws: `Failure` where the ledger is there but cannot be read.
    func currentJudgement() throws(Failure) -> Judgement {
        let outcome = preview().outcome
        if let failure = outcome.failure { throw Failure(ledger: failure) }
        return outcome.judgement
    }
}

/// Says what was given or taken back, and how the changes to these bytes now stand.
func tell(
    _ word: PersonsWordReport.Word, of target: Artifact, at place: Place, as invocation: Invocation,
    on screen: Screen
) throws(Failure) -> ExitCode {
    // Looked at anew: it says what the next tick will say, not what was hoped for.
    let judgement = try place.currentJudgement()
    let report = PersonsWordReport(
        word: word,
        decisions: judgement.decisions.filter { $0.subject.change.to.isSameBytes(as: target) == true })
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        let now = judgement.observation.clock.now
        screen.out(
            PersonsWordText(report: report, style: screen.style, width: screen.width, now: now).text())
    }
    return .done
}

extension Revocation.Revoked {
    /// The bytes that it is about, as far as one artifact can name them.
    var target: Artifact {
        switch self {
        case .approval(let approval):
            Artifact(
                version: approval.version, sha256: approval.digests.values.first, revision: approval.revision)
        case .denial(let denial): denial.target
        }
    }
}
