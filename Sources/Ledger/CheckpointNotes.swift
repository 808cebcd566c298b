public import Model

/// A checkpoint with the note that it was read from.
public struct CheckpointNote: Hashable, Sendable {
    /// What the note says.
    public var checkpoint: Checkpoint
    /// Who says so.
    public var note: SignedNote
}

/// Checkpoints as they lie in a file, one note after another with an empty line between them.
public struct CheckpointNotes: Hashable, Sendable {
    /// In the order of the file.
    public var notes: [CheckpointNote] = []
    /// The file's name; nil for none at all.
    public private(set) var file: String?
    /// What else is in it, and where: `FILE:LINE: …`; a bounded number of them.
    public var faults: [String] = []

    /// The longest file that is read, in bytes.
    public static let longestFile = 1 << 20
    /// How many faults are listed.
    private static let mostFaults = 10

    /// No checkpoints at all.
    public init() {}

    /// Reads a file's text.
    ///
    /// - Parameter file: its name, for what is said of it.
    public init(_ bytes: [UInt8], file: String) {
        self.file = file
        let text = String(decoding: bytes, as: UTF8.self)
        var block: [Substring] = []
        var first = 1
        var isBeneath = false
        func take(_ block: [Substring], _ first: Int, _ notes: inout CheckpointNotes) {
            if block.isEmpty { return }
            do throws(NoteFailure) {
                let note = try SignedNote(block.joined(separator: "\n") + "\n")
                guard let checkpoint = Checkpoint(text: note.text) else {
                    throw NoteFailure("signs no checkpoint of a ledger")
                }
                notes.notes.append(CheckpointNote(checkpoint: checkpoint, note: note))
            } catch {
                guard notes.faults.count < Self.mostFaults else { return }
                notes.faults.append("\(file):\(first): \(error)")
            }
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let isSignature = line.hasPrefix("\u{2014}")
            // A note is over where something else follows its signatures; the line between notes belongs to neither.
            if isBeneath, !isSignature {
                take(block, first, &self)
                block = []
                isBeneath = false
            }
            if block.isEmpty {
                if line.isEmpty { continue }
                first = index + 1
            }
            block.append(line)
            isBeneath = isSignature
        }
        while block.last?.isEmpty == true { block.removeLast() }
        take(block, first, &self)
    }
}
