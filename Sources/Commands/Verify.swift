import CommandLine
import Host
import Ledger
import Model
import Ports

/// `holdfast verify`: the ledger's chain, from its first entry to its last, and checkpoints of it.
func verify(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let key = try noteKey(invocation)
    let report: VerifyReport
    do throws(LedgerFailure) {
        let ledger = try place.readLedger()
        let checkpoints: CheckpointNotes
        if let file = invocation.value("checkpoint") {
            checkpoints = try readCheckpoints(file)
        } else {
            checkpoints = try place.ownCheckpoints()
        }
        let progress = ProgressText("checked", of: .entries, on: screen)
        report = try ledger.verify(against: checkpoints, by: key.map { [$0] }, progress: progress.show)
        progress.end()
    } catch {
        throw Failure(ledger: error)
    }
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(VerifyText(report: report, style: screen.style, width: screen.width).text())
    }
    return report.isIntact ? .done : .failed
}

/// The key that `--key` names; nil where it is left out.
private func noteKey(_ invocation: Invocation) throws(Failure) -> NoteVerifier? {
    guard let text = invocation.value("key") else { return nil }
    do throws(NoteFailure) { return try NoteVerifier(text) } catch {
        throw Failure(code: .usage, message: "--key \(text.prefix(100).printable): \(error)")
    }
}

/// Checkpoints from a file that was named.
///
/// - Throws: `LedgerFailure` where it cannot be read.
func readCheckpoints(_ file: String) throws(LedgerFailure) -> CheckpointNotes {
    do throws(HostError) {
        return CheckpointNotes(try readFile(file, limit: CheckpointNotes.longestFile), file: file)
    } catch {
        throw LedgerFailure(code: .other, description: error.description)
    }
}

extension Place {
    /// The checkpoints that lie beside the ledger; none where there is no file, or none that this user may read.
    func ownCheckpoints() throws(LedgerFailure) -> CheckpointNotes {
        try checkpoints(beside: CheckpointFiles.file(in: stateDirectory))
    }
}

/// The checkpoints of a file that may be missing.
func checkpoints(beside file: String) throws(LedgerFailure) -> CheckpointNotes {
    do throws(HostError) {
        guard let bytes = try readFileIfPresent(file, limit: CheckpointNotes.longestFile) else {
            return CheckpointNotes()
        }
        return CheckpointNotes(bytes, file: file)
    } catch {
        throw LedgerFailure(code: .other, description: error.description)
    }
}
