internal import CLinux
import Model

/// Looks through parts of a file for strings that are a version of a distribution and nothing else.
///
/// The linker ends a string that it was given for a variable with a NUL and pads before it; constants in code stand
/// one after the other without any mark between them, so that where they end cannot be known: those are not taken.
struct VersionScan {
    /// Strings with a NUL, or the edge of the part, on both sides.
    private(set) var padded: Set<Version> = []
    /// Strings with a NUL behind, and before them a byte that is no text.
    private(set) var terminated: Set<Version> = []
    /// A version inside other text, for the reason that is given where nothing else is found.
    private(set) var embedded: Version?

    private let shape: ReleaseShape
    private static let windowLength = 1 << 20
    /// Longer than any version on either side of its needle.
    private static let context = 160
    /// K3s's server holds some hundred; a file made of them would keep a tick busy.
    private static let mostCandidates = 100_000
    private var candidates = 0

    init(for shape: ReleaseShape) { self.shape = shape }

    /// The one version, once everything was scanned.
    func result() throws(Unreadable) -> Version {
        for found in [padded, terminated] {
            if found.count > 1 {
                let names = found.sorted().prefix(3).map(\.description).joined(separator: ", ")
                throw Unreadable("ambiguous: it holds \(names)\(found.count > 3 ? " and more" : "")")
            }
            if let version = found.first { return version }
        }
        let name = shape.distribution.displayName
        if let embedded {
            throw Unreadable(
                "no version of \(name) as a string of its own, only \(embedded) inside other text")
        }
        throw Unreadable("no version of \(name) in its read-only data")
    }

    /// Scans one part of the file.
    mutating func scan(_ part: Range<Int>, of source: ByteSource) throws(Unreadable) {
        let capacity = Self.windowLength + 2 * Self.context
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
        defer { buffer.deallocate() }
        var start = part.lowerBound
        while start < part.upperBound {
            // Needles that begin in this window; around it as much as belongs to the part.
            let end = min(start + Self.windowLength, part.upperBound)
            let first = max(start - Self.context, part.lowerBound)
            let last = min(end + Self.context, part.upperBound)
            let window = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(last - first)])
            try source.read(at: first, into: window)
            try find(
                in: UnsafeRawBufferPointer(window), needles: start - first..<end - first,
                beginsPart: first == part.lowerBound, endsPart: last == part.upperBound)
            // Enough to know that it is ambiguous; a hostile file could hold millions.
            if padded.count > 8 { return }
            start = end
        }
    }

    private mutating func find(
        in window: UnsafeRawBufferPointer, needles: Range<Int>, beginsPart: Bool, endsPart: Bool
    ) throws(Unreadable) {
        guard let base = window.baseAddress else { return }
        var from = needles.lowerBound
        while from < needles.upperBound,
            let hit = clinux_find(base + from, window.count - from, shape.needle, shape.needle.count)
        {
            let place = hit - base
            guard place < needles.upperBound else { return }
            try judge(needleAt: place, in: window, beginsPart: beginsPart, endsPart: endsPart)
            from = place + 1
        }
    }

    private mutating func judge(
        needleAt place: Int, in window: UnsafeRawBufferPointer, beginsPart: Bool, endsPart: Bool
    ) throws(Unreadable) {
        // The longest run of what a version can be made of; its one plus sign is the needle's own.
        var start = place
        while start > 0, place - start < Self.context, Self.belongs(window[start - 1]) { start -= 1 }
        var end = place + 1
        while end < window.count, end - place < Self.context, Self.belongs(window[end]) { end += 1 }
        guard window[start] == UInt8(ascii: "v") else { return }
        candidates += 1
        guard candidates <= Self.mostCandidates else {
            throw Unreadable("more than \(Self.mostCandidates) strings that look like a version")
        }
        let text = String(decoding: window[start..<end], as: UTF8.self)
        guard let version = shape.version(text) else { return }
        let before = start > 0 ? window[start - 1] : (beginsPart ? 0 : nil)
        let after = end < window.count ? window[end] : (endsPart ? 0 : nil)
        switch (before, after) {
        case (0, 0): padded.insert(version)
        case (.some(0..<32), 0), (.some(127...255), 0):
            if terminated.count <= 8 { terminated.insert(version) }
        default: embedded = version
        }
    }

    private static func belongs(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
