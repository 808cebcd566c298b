import Host
import Model
import Ports
import Web

/// One answer of a server on its way into a draft.
final class ReleaseDownload: BodyReceiver {
    private let landing: Landing
    private let draft: PartialFile
    private let address: Digest
    private let progress: (FetchProgress) -> Bool
    /// What the draft's bytes are of; nil where they cannot be gone on with.
    private(set) var note: PartialNote?
    /// Bytes of the whole, as far as the server says.
    private(set) var total: Int64?
    /// Why we gave up; nil where whoever asked did, or nobody.
    private(set) var failure: SourceFailure?
    /// Whether bytes of an earlier answer are in the draft.
    private(set) var isResumed = false
    /// Whether the server answered a part that does not fit to ours.
    private(set) var isMisfit = false
    private var sinceSpace: Int64 = 0

    /// Bytes after which the room is looked at again.
    private static let spaceInterval: Int64 = 16 << 20

    init(
        _ landing: Landing, draft: PartialFile, address: Digest,
        progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) {
        self.landing = landing
        self.draft = draft
        self.address = address
        self.progress = progress
        let kept = PartialNote(readFrom: landing.notePath)
        if draft.size > 0, let kept, kept.address == address, kept.sha256 == landing.found.sha256 {
            note = kept
            total = kept.total
        } else if draft.size > 0 {
            try host { () throws(HostError) in try draft.restart() }
        }
    }

    /// Whether all bytes are in the draft, as far as anybody said how many there are.
    var isWhole: Bool { total.map { $0 == draft.size } ?? false }

    /// What asks the server for the rest alone.
    var rangeHeaders: [HTTPHeader] {
        guard let note, draft.size > 0 else { return [] }
        return [
            HTTPHeader("Range", "bytes=\(draft.size)-"), HTTPHeader("If-Range", note.validator),
        ]
    }

    /// Forgets what is there.
    func restart() throws(SourceFailure) {
        note = nil
        total = nil
        isResumed = false
        isMisfit = false
        try host { () throws(HostError) in
            try draft.restart()
            try removeFile(landing.notePath)
        }
    }

    // MARK: The body

    func begin(_ head: HTTPResponse) -> Bool {
        do throws(SourceFailure) {
            switch head.status {
            case 200: try beginWhole(head)
            case 206: return try beginRest(head)
            default: return false
            }
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func beginWhole(_ head: HTTPResponse) throws(SourceFailure) {
        if draft.size > 0 { try restart() }
        total = head.header("Content-Length").flatMap(byteCount)
        try checkTotal()
        note = PartialNote(
            address: address, sha256: landing.found.sha256, etag: head.header("ETag"),
            lastModified: head.header("Last-Modified"), total: total)
        try landing.checkSpace(for: total)
        if let note {
            try host { () throws(HostError) in try note.write(to: landing.notePath) }
        }
    }

    private func beginRest(_ head: HTTPResponse) throws(SourceFailure) -> Bool {
        guard let note, let range = ContentRange(head.header("Content-Range") ?? ""),
            range.first == draft.size,
            note.agrees(
                etag: head.header("ETag"), lastModified: head.header("Last-Modified"), total: range.total)
        else {
            isMisfit = true
            return false
        }
        total = range.total ?? total
        try checkTotal()
        try landing.checkSpace(for: total.map { $0 - draft.size })
        isResumed = true
        return true
    }

    private func checkTotal() throws(SourceFailure) {
        guard let total, total > Int64(largestArtifact) else { return }
        throw SourceFailure(
            .malformed,
            "\(landing.found.place): \(mebibytes(total)), which is larger than any release; is this the right address?"
        )
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do throws(SourceFailure) {
            let (end, _) = draft.size.addingReportingOverflow(Int64(bytes.count))
            guard end <= total ?? Int64(largestArtifact) else {
                throw SourceFailure(
                    .malformed,
                    "\(landing.found.place): the server sends more than it said, or than any release has")
            }
            sinceSpace += Int64(bytes.count)
            if sinceSpace >= Self.spaceInterval {
                sinceSpace = 0
                try landing.checkSpace(for: total.map { $0 - draft.size })
            }
            try host { () throws(HostError) in try draft.append(bytes) }
            return true
        } catch {
            failure = error
            return false
        }
    }

    func goesOn() -> Bool { progress(FetchProgress(done: draft.size, total: total)) }
}

/// What a part of an answer is of: `bytes 100-199/200` (RFC 9110, 14.4).
struct ContentRange: Equatable {
    let first: Int64
    let total: Int64?

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = byteCount(String(ends[0])), let last = byteCount(String(ends[1])),
            first <= last
        else { return nil }
        self.first = first
        if parts[1] == "*" {
            total = nil
        } else {
            guard let total = byteCount(String(parts[1])), total > last else { return nil }
            self.total = total
        }
    }
}

/// A number of bytes in a header.
func byteCount(_ text: String) -> Int64? {
    guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
        return nil
    }
    return Int64(text)
}
