internal import CSystemd
internal import Glibc
public import Model
public import Ports

/// Writes entries to the system's journal, with their structured fields.
///
/// Where no journal runs the entries are lost without a sound: whoever cannot be told is no reason to stop.
public struct JournalWriter: Journal {
    /// Makes a writer; there is nothing to open.
    public init() {}

    /// Sends one entry.
    public func write(_ entry: JournalEntry) {
        let fields = journalFields(of: entry)
        var bytes: [UInt8] = []
        for field in fields { bytes.append(contentsOf: field.utf8) }
        bytes.withUnsafeMutableBytes { buffer in
            var offset = 0
            var vectors: [iovec] = []
            for field in fields {
                let count = field.utf8.count
                vectors.append(iovec(iov_base: buffer.baseAddress?.advanced(by: offset), iov_len: count))
                offset += count
            }
            _ = sd_journal_sendv(vectors, Int32(vectors.count))
        }
    }
}

/// The longest value that is sent, in characters; what is longer is cut and says so.
private let longestJournalValue = 8192

/// An entry as the journal takes it: `NAME=value`, each value on one line and without control characters.
///
/// A field under a name that the journal does not take is left out, since one such would cost the whole entry.
func journalFields(of entry: JournalEntry) -> [String] {
    var fields = [
        ("MESSAGE", entry.text), ("MESSAGE_ID", entry.message.rawValue),
        ("PRIORITY", String(entry.priority.rawValue)), ("SYSLOG_IDENTIFIER", "holdfast"),
    ]
    let taken = Set(fields.map(\.0))
    for (name, value) in entry.fields.sorted(by: { $0.key < $1.key })
    where isJournalFieldName(name) && !taken.contains(name) {
        fields.append((name, value))
    }
    return fields.map { name, value in
        let isCut = value.unicodeScalars.count > longestJournalValue
        let kept = isCut ? String(value.unicodeScalars.prefix(longestJournalValue)) + "…" : value
        return "\(name)=\(kept.printable)"
    }
}

/// Whether a client may send a field of that name (systemd.journal-fields(7)): those with `_` in front are the journal's own.
private func isJournalFieldName(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first, (65...90).contains(first) else {
        return false
    }
    return name.utf8.allSatisfy {
        (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_")
    }
}
