import Model

/// The parts of an ELF executable that say where its data is: System V ABI, chapters 4 and 5.
struct ELFImage {
    /// A piece of the file that is mapped when the program runs.
    struct Segment {
        var range: Range<Int>
        var address: UInt64
        var isWritable: Bool
        var isExecutable: Bool
    }

    struct Section {
        var name: String
        var range: Range<Int>
    }

    /// Nil for a processor that none of the distributions is built for.
    var architecture: Architecture?
    var isBigEndian: Bool
    var segments: [Segment]
    /// Empty where the table was stripped.
    var sections: [Section]

    init(_ source: ByteSource) throws(Unreadable) {
        let ident = try source.bytes(at: 0, upTo: 16)
        guard ident.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw Unreadable(Self.notELF(ident)) }
        guard ident.count == 16 else { throw Unreadable("truncated: \(ident.count) bytes are no ELF file") }
        guard ident[4] == 1 || ident[4] == 2, ident[5] == 1 || ident[5] == 2 else {
            throw Unreadable("damaged: neither 32 nor 64 bits, or in no known byte order")
        }
        let is64 = ident[4] == 2
        isBigEndian = ident[5] == 2
        let header = ELFFields(
            bytes: try source.bytes(at: 0, count: is64 ? 64 : 52), is64: is64, isBigEndian: isBigEndian)
        let type = header.half(16)
        guard type == 2 || type == 3 else { throw Unreadable("an ELF file, but no program (type \(type))") }
        architecture = Self.architecture(machine: header.half(18), is64: is64, isBigEndian: isBigEndian)
        segments = try Self.segments(header, source)
        sections = try Self.sections(header, source)
    }

    /// Where in the file the bytes are that a program sees at an address.
    func offset(ofAddress address: UInt64, count: Int) -> Int? {
        for segment in segments where count >= 0 && address >= segment.address {
            let distance = address - segment.address
            if distance <= UInt64(segment.range.count), count <= segment.range.count - Int(distance) {
                return segment.range.lowerBound + Int(distance)
            }
        }
        return nil
    }

    private static func notELF(_ start: [UInt8]) -> String {
        if start.isEmpty { return "empty" }
        if start.starts(with: Array("#!".utf8)) { return "a script, not a program" }
        return "not an ELF file"
    }

    private static func architecture(machine: UInt16, is64: Bool, isBigEndian: Bool) -> Architecture? {
        switch (machine, is64, isBigEndian) {
        case (62, true, false): .amd64
        case (183, true, false): .arm64
        case (40, false, false): .arm
        case (22, true, true): .s390x
        case (243, true, false): .riscv64
        case (21, true, false): .ppc64le
        case (3, false, false): .i386
        default: nil
        }
    }

    private static func segments(_ header: ELFFields, _ source: ByteSource) throws(Unreadable) -> [Segment] {
        let is64 = header.is64
        let count = Int(header.half(is64 ? 56 : 44))
        let size = Int(header.half(is64 ? 54 : 42))
        // Programs have some ten; 1024 is far from what any has and near enough to be read at once.
        guard (1...1024).contains(count), size == (is64 ? 56 : 32) else {
            throw Unreadable("damaged: \(count) program headers of \(size) bytes")
        }
        let table = ELFFields(
            bytes: try source.bytes(at: try place(header.word(is64 ? 32 : 28)), count: count * size),
            is64: is64, isBigEndian: header.isBigEndian)
        var segments: [Segment] = []
        for start in stride(from: 0, to: count * size, by: size) where table.wide(start) == 1 {
            let flags = table.wide(start + (is64 ? 4 : 24))
            segments.append(
                Segment(
                    range: try range(
                        from: table.word(start + (is64 ? 8 : 4)), count: table.word(start + (is64 ? 32 : 16)),
                        source),
                    address: table.word(start + (is64 ? 16 : 8)), isWritable: flags & 2 != 0,
                    isExecutable: flags & 1 != 0))
        }
        return segments
    }

    private static func sections(_ header: ELFFields, _ source: ByteSource) throws(Unreadable) -> [Section] {
        let is64 = header.is64
        let start = try place(header.word(is64 ? 40 : 32))
        let count = Int(header.half(is64 ? 60 : 48))
        let size = Int(header.half(is64 ? 58 : 46))
        let namesIndex = Int(header.half(is64 ? 62 : 50))
        guard start != 0, count != 0 else { return [] }
        guard count <= 1024, size == (is64 ? 64 : 40), namesIndex < count else {
            throw Unreadable(
                "damaged: \(count) section headers of \(size) bytes, names in number \(namesIndex)")
        }
        // The table is the last thing in the file: half a download ends here.
        let table = ELFFields(
            bytes: try source.bytes(at: start, count: count * size), is64: is64,
            isBigEndian: header.isBigEndian)
        func range(ofSection index: Int) throws(Unreadable) -> Range<Int> {
            let start = index * size
            return try Self.range(
                from: table.word(start + (is64 ? 24 : 16)), count: table.word(start + (is64 ? 32 : 20)),
                source)
        }
        let namesRange = try range(ofSection: namesIndex)
        let names = try source.bytes(at: namesRange.lowerBound, count: min(namesRange.count, 65_536))
        var sections: [Section] = []
        // Type 1 has its bytes in the file; .bss and its like have not.
        for index in 0..<count where table.wide(index * size + 4) == 1 {
            let name = names.dropFirst(Int(table.wide(index * size))).prefix(64).prefix { $0 != 0 }
            sections.append(
                Section(name: String(decoding: name, as: UTF8.self), range: try range(ofSection: index)))
        }
        return sections
    }

    private static func place(_ value: UInt64) throws(Unreadable) -> Int {
        guard let place = Int(exactly: value) else { throw Unreadable("damaged: an offset of \(value)") }
        return place
    }

    private static func range(
        from start: UInt64, count: UInt64, _ source: ByteSource
    ) throws(Unreadable) -> Range<Int> {
        let (end, overflow) = start.addingReportingOverflow(count)
        guard !overflow, let lower = Int(exactly: start), let upper = Int(exactly: end), upper <= source.size
        else {
            throw Unreadable("truncated: data of \(count) bytes at \(start), in a file of \(source.size)")
        }
        return lower..<upper
    }
}

/// Numbers of a table in the byte order and width of its file; past the end they are zero.
private struct ELFFields {
    let bytes: [UInt8]
    let is64: Bool
    let isBigEndian: Bool

    func half(_ offset: Int) -> UInt16 { UInt16(number(offset, 2)) }
    func wide(_ offset: Int) -> UInt32 { UInt32(number(offset, 4)) }
    /// As wide as an address.
    func word(_ offset: Int) -> UInt64 { number(offset, is64 ? 8 : 4) }

    private func number(_ offset: Int, _ size: Int) -> UInt64 {
        unsignedInteger(bytes[...].dropFirst(offset).prefix(size), isBigEndian: isBigEndian)
    }
}

/// Up to eight bytes as a number.
func unsignedInteger(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> UInt64 {
    isBigEndian
        ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
