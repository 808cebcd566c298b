import Crypto
import Model

/// Compares checkpoints with a chain while that is walked, and says what they prove of it.
struct CheckpointCheck {
    private let given: CheckpointNotes
    private let origin: String
    /// Which notes name an entry of this ledger.
    private var bySequence: [Int64: [Int]] = [:]
    /// Whether the chain has the hash that a note says of its entry; nil while the entry was not seen.
    private var agrees: [Bool?]

    init(_ given: CheckpointNotes, origin: String) {
        self.given = given
        self.origin = origin
        agrees = Array(repeating: nil, count: given.notes.count)
        for (index, note) in given.notes.enumerated() where note.checkpoint.origin == origin {
            bySequence[note.checkpoint.sequence, default: []].append(index)
        }
    }

    /// Takes an entry of the chain in.
    mutating func see(_ sequence: Int64, hash: [UInt8]) {
        for index in bySequence[sequence] ?? [] {
            agrees[index] = given.notes[index].checkpoint.hash == Digest(bytes: hash)
        }
    }

    /// What came of the comparison, after the walk.
    ///
    /// - Parameters:
    ///   - keys: the keys that count.
    ///   - report: what the walk found.
    /// - Throws: `CryptoFailure` where signatures cannot be checked.
    func judged(
        by keys: [NoteVerifier], report: VerifyReport
    ) throws -> (part: VerifyReport.CheckpointPart, findings: [VerifyReport.Finding]) {
        typealias Finding = VerifyReport.Finding
        var findings = given.faults.map { Finding(seq: 0, kind: .badCheckpoint, text: $0) }
        var part = VerifyReport.CheckpointPart()
        var ahead: Checkpoint?
        var rewritten: [Checkpoint] = []
        var others: [Checkpoint] = []
        for (index, note) in given.notes.enumerated() {
            let checkpoint = note.checkpoint
            let key: NoteVerifier
            do {
                guard let signer = try note.note.signer(among: keys) else {
                    throw NoteFailure(
                        "no key that counts here has signed it, but \(note.note.signatures.map(\.name).joined(separator: ", "))"
                    )
                }
                key = signer
            } catch let failure as NoteFailure {
                let what = "the checkpoint of entry \(checkpoint.sequence), \(checkpoint.at): \(failure)"
                findings.append(Finding(seq: checkpoint.sequence, kind: .badCheckpoint, text: what))
                continue
            }
            guard checkpoint.origin == origin else {
                others.append(checkpoint)
                continue
            }
            part.compared += 1
            switch agrees[index] {
            case true where part.newest.map({ $0.sequence <= checkpoint.sequence }) != false:
                part.newest = checkpoint
                part.signedBy = key.description
            case true: break
            case false: rewritten.append(checkpoint)
            case nil where checkpoint.sequence > report.headSeq:
                if ahead.map({ $0.sequence < checkpoint.sequence }) != false { ahead = checkpoint }
            // An entry missing from the middle, which the walk itself finds.
            case nil: break
            }
        }
        if let first = rewritten.min(by: { $0.sequence < $1.sequence }) {
            let more = rewritten.count > 1 ? ", and so do \(rewritten.count - 1) more" : ""
            findings.append(
                Finding(
                    seq: first.sequence, kind: .rewrittenChain,
                    text:
                        "a checkpoint of \(first.at) says another hash of it: the chain was rewritten since\(more)"
                ))
        }
        if let ahead {
            findings.append(
                Finding(
                    seq: report.headSeq + 1, kind: .cutTail,
                    text:
                        "a checkpoint of \(ahead.at) says that entry \(ahead.sequence) was there: the chain was cut off since"
                ))
        }
        if let finding = finding(others, report) { findings.append(finding) }
        part.uncovered = report.headSeq - (part.newest?.sequence ?? 0)
        return (part, findings)
    }

    /// Ledgers before this one are no finding where this one says that it took the place of a damaged one.
    private func finding(_ others: [Checkpoint], _ report: VerifyReport) -> VerifyReport.Finding? {
        let strange = others.filter { other in
            report.replaces == nil || report.first.map { other.at > $0 } != false
        }
        guard let newest = strange.max(by: { $0.at < $1.at }) else { return nil }
        let file = given.file ?? "the file of checkpoints"
        return VerifyReport.Finding(
            seq: 0, kind: .otherLedger,
            text:
                "a checkpoint of \(newest.at) is of ledger \(newest.origin), which had \(newest.sequence) entries and "
                + "is not this one: look for it, or for who took it away; where it was meant to go, keep \(file) "
                + "elsewhere ('mv \(file) \(file)-\(newest.origin.prefix(8))'): this ledger is then compared with its own "
                + "checkpoints alone, and the next one, a day after the last at most, begins a new file")
    }
}
