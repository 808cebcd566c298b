/// Why bytes are not a time zone.
public struct ZoneFileError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, and at which byte where one can be named.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}

extension Zone {
    /// Reads a compiled zone file as RFC 8536 describes it (versions 1 to 3, and RFC 9636's 4).
    ///
    /// What the footer's rule says of the years to come is written out as transitions up to the year 2100;
    /// after that the last offset stays. Transitions that change nothing are left out, so that two files that
    /// mean the same give the same zone.
    ///
    /// - Throws: `ZoneFileError` for anything else, leap-second ("right/") files among them.
    public init(name: String, tzif bytes: [UInt8]) throws(ZoneFileError) {
        // The largest file of the zone database is under 4 KiB; old fat ones stay under 16.
        guard bytes.count <= 65_536 else { throw ZoneFileError("longer than 65536 bytes, no zone file is") }
        var reader = ZoneFileReader(bytes: bytes)
        var header = try reader.header()
        var timeSize = 4
        if header.version >= 2 {
            // Version 1's block is there for old readers only; what counts comes again in 64 bits.
            try reader.skip(header.blockLength(timeSize: 4))
            header = try reader.header()
            timeSize = 8
        }
        guard header.leapCount == 0 else {
            throw ZoneFileError("counts leap seconds; take the zone of that name outside \"right/\"")
        }
        let block = try reader.block(header, timeSize: timeSize)
        let rule = header.version >= 2 ? try reader.footer() : nil

        var transitions: [Transition] = block.transitions
        // Where the file has no transitions its footer speaks of all time; before 1970 nothing here is judged.
        let lastKnown = transitions.last?.at ?? Instant(seconds: 0)
        if let rule { transitions += rule.transitions(after: lastKnown, throughYear: Self.lastRuleYear) }
        var offset = block.initialOffset
        var effective: [Transition] = []
        for transition in transitions where transition.offset != offset {
            effective.append(transition)
            offset = transition.offset
        }
        self.init(name: name, initialOffset: block.initialOffset, transitions: effective)
    }

    private static var lastRuleYear: Int { 2100 }
}

/// Reads a zone file front to back; every step says where it ran out of bytes.
private struct ZoneFileReader {
    struct Header {
        var version: Int
        var universalCount: Int
        var standardCount: Int
        var leapCount: Int
        var timeCount: Int
        var typeCount: Int
        var characterCount: Int

        func blockLength(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4)
                + standardCount + universalCount
        }
    }

    let bytes: [UInt8]
    var position = 0

    mutating func take(_ count: Int) throws(ZoneFileError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else {
            throw ZoneFileError("cut off: \(count) bytes wanted at byte \(position) of \(bytes.count)")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws(ZoneFileError) { _ = try take(count) }

    mutating func integer(_ size: Int) throws(ZoneFileError) -> Int64 {
        let raw = try take(size).reduce(into: UInt64(0)) { $0 = $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: raw)) : Int64(bitPattern: raw)
    }

    mutating func count(atMost limit: Int) throws(ZoneFileError) -> Int {
        let start = position
        let value = try integer(4)
        guard value >= 0, value <= Int64(limit) else {
            throw ZoneFileError("impossible count \(value) at byte \(start)")
        }
        return Int(value)
    }

    mutating func header() throws(ZoneFileError) -> Header {
        let start = position
        guard try take(4).elementsEqual("TZif".utf8) else {
            throw ZoneFileError("no \"TZif\" at byte \(start)")
        }
        let version: Int
        switch try take(1).first {
        case 0: version = 1
        case .some(let digit) where (UInt8(ascii: "2")...UInt8(ascii: "4")).contains(digit):
            version = Int(digit - UInt8(ascii: "0"))
        default: throw ZoneFileError("unknown version at byte \(start + 4)")
        }
        try skip(15)
        // Limits far above what the zone database uses (some 250 transitions, 20 types), so that the lengths
        // below can be added up without care.
        let header = Header(
            version: version, universalCount: try count(atMost: 256), standardCount: try count(atMost: 256),
            leapCount: try count(atMost: 1024), timeCount: try count(atMost: 8192),
            typeCount: try count(atMost: 256), characterCount: try count(atMost: 4096))
        guard header.typeCount > 0 else { throw ZoneFileError("no local time type") }
        return header
    }

    mutating func block(
        _ header: Header, timeSize: Int
    ) throws(ZoneFileError) -> (initialOffset: Int, transitions: [Zone.Transition]) {
        var times: [Int64] = []
        for _ in 0..<header.timeCount {
            let time = try integer(timeSize)
            if let last = times.last, time <= last {
                throw ZoneFileError("transitions are not in order before byte \(position)")
            }
            times.append(time)
        }
        let kinds = try take(header.timeCount)
        var offsets: [Int] = []
        for _ in 0..<header.typeCount {
            let offset = try integer(4)
            // RFC 8536, 3.2: more than -25 hours, less than 26.
            guard (-89_999...93_599).contains(offset) else {
                throw ZoneFileError("impossible offset \(offset) before byte \(position)")
            }
            offsets.append(Int(offset))
            try skip(2)
        }
        try skip(header.characterCount + header.leapCount * (timeSize + 4))
        try skip(header.standardCount + header.universalCount)
        var transitions: [Zone.Transition] = []
        for (time, kind) in zip(times, kinds) {
            guard Int(kind) < offsets.count else { throw ZoneFileError("no local time type \(kind)") }
            transitions.append(Zone.Transition(at: Instant(seconds: time), offset: offsets[Int(kind)]))
        }
        // RFC 8536, 3.2: type 0 is what applies before the first transition.
        return (offsets[0], transitions)
    }

    /// The rule between two line feeds; nil where it is empty.
    mutating func footer() throws(ZoneFileError) -> ZoneRule? {
        let feed = UInt8(ascii: "\n")
        guard try take(1).first == feed else { throw ZoneFileError("no footer at byte \(position - 1)") }
        guard let end = bytes[position...].firstIndex(of: feed) else {
            throw ZoneFileError("the footer has no end")
        }
        let text = try take(end - position)
        return text.isEmpty ? nil : try ZoneRule(text)
    }
}
