/// What Go's linker writes about a program: `debug/buildinfo` of Go's library describes both forms.
struct GoBuildInfo {
    /// `go1.24.13`.
    var goVersion: String
    /// The path of the main module; nil for programs built without modules.
    var mainModule: String?
    /// Flags of `go build`; `-ldflags` only where `-trimpath` was not among them (golang/go#52372).
    var settings: [String: String]

    private static let magic: [UInt8] = [0xff] + Array(" Go buildinf:".utf8)
    // Far above the dependency list of any program; K3s's is some 40 KB.
    private static let longestModuleInfo = 1 << 20

    /// Nil where there is none or where it is damaged.
    init?(_ image: ELFImage, _ source: ByteSource) {
        guard let found = try? Self.read(image, source) else { return nil }
        goVersion = String(decoding: found.version, as: UTF8.self)
        let text = Self.withoutFrame(found.modules)
        mainModule = nil
        settings = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(
                separator: UInt8(ascii: "\t"), maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count >= 2 else { continue }
            if fields[0].elementsEqual("mod".utf8), mainModule == nil {
                mainModule = String(decoding: fields[1], as: UTF8.self)
            } else if fields[0].elementsEqual("build".utf8) {
                let setting = line.dropFirst(6)
                guard let equals = setting.firstIndex(of: UInt8(ascii: "=")),
                    let value = Self.unquoted(setting[(equals + 1)...])
                else { continue }
                settings[String(decoding: setting[..<equals], as: UTF8.self)] = value
            }
        }
    }

    private static func read(
        _ image: ELFImage, _ source: ByteSource
    ) throws(Unreadable) -> (version: [UInt8], modules: [UInt8])? {
        var places = image.sections.filter { $0.name == ".go.buildinfo" }.map(\.range)
        // Without section headers it stands at or near the start of the data segment.
        if places.isEmpty {
            places = image.segments.filter { $0.isWritable && !$0.isExecutable }.map(\.range)
        }
        for place in places.prefix(8) {
            let window = try source.bytes(at: place.lowerBound, count: min(place.count, 65_536))
            for start in stride(from: 0, through: window.count - 32, by: 16)
            where window[start...].starts(with: magic) {
                let header = Array(window[start..<start + 32])
                return try header[15] & 2 != 0
                    ? inline(at: place.lowerBound + start + 32, source) : pointed(header, image, source)
            }
        }
        return nil
    }

    /// Since Go 1.18: two strings, each after its length.
    private static func inline(
        at start: Int, _ source: ByteSource
    ) throws(Unreadable) -> (version: [UInt8], modules: [UInt8]) {
        func string(at start: Int, limit: Int) throws(Unreadable) -> (bytes: [UInt8], end: Int) {
            var length: UInt64 = 0
            for (index, byte) in try source.bytes(at: start, upTo: 9).enumerated() {
                length |= UInt64(byte & 127) << UInt64(7 * index)
                if byte < 128 {
                    guard length <= UInt64(limit) else { break }
                    let first = start + index + 1
                    return (try source.bytes(at: first, count: Int(length)), first + Int(length))
                }
            }
            throw Unreadable("damaged: a string in Go's build information is too long")
        }
        let version = try string(at: start, limit: 1024)
        return (version.bytes, try string(at: version.end, limit: longestModuleInfo).bytes)
    }

    /// Before Go 1.18: two addresses of string variables, which hold an address and a length.
    private static func pointed(
        _ header: [UInt8], _ image: ELFImage, _ source: ByteSource
    ) throws(Unreadable) -> (version: [UInt8], modules: [UInt8]) {
        let size = Int(header[14])
        guard size == 4 || size == 8 else { throw Unreadable("damaged: pointers of \(size) bytes") }
        let isBigEndian = header[15] & 1 != 0
        func bytes(_ address: UInt64, _ count: Int) throws(Unreadable) -> [UInt8] {
            guard let offset = image.offset(ofAddress: address, count: count) else {
                throw Unreadable("damaged: an address of Go's build information is nowhere in the file")
            }
            return try source.bytes(at: offset, count: count)
        }
        func string(_ address: UInt64, limit: Int) throws(Unreadable) -> [UInt8] {
            // Programs built without modules have no second string.
            if address == 0 { return [] }
            let variable = try bytes(address, 2 * size)
            let count = unsignedInteger(variable[size...], isBigEndian: isBigEndian)
            guard count <= UInt64(limit) else { throw Unreadable("damaged: a string of \(count) bytes") }
            if count == 0 { return [] }
            return try bytes(unsignedInteger(variable[..<size], isBigEndian: isBigEndian), Int(count))
        }
        let version = unsignedInteger(header[16..<16 + size], isBigEndian: isBigEndian)
        let modules = unsignedInteger(header[16 + size..<16 + 2 * size], isBigEndian: isBigEndian)
        return (try string(version, limit: 1024), try string(modules, limit: longestModuleInfo))
    }

    /// The module information stands between two marks of 16 bytes.
    private static func withoutFrame(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard bytes.count >= 33, bytes[bytes.count - 17] == UInt8(ascii: "\n") else { return [] }
        return bytes[16..<bytes.count - 16]
    }

    /// A value as it was given, where `strconv.Quote` was needed to keep it on its line; nil where it is damaged.
    private static func unquoted(_ text: ArraySlice<UInt8>) -> String? {
        guard text.first == UInt8(ascii: "\"") else { return String(decoding: text, as: UTF8.self) }
        guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return nil }
        var plain: [UInt8] = []
        var rest = text.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): plain.append(10)
            case UInt8(ascii: "t"): plain.append(9)
            case UInt8(ascii: "r"): plain.append(13)
            case .some(let escaped) where escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\"):
                plain.append(escaped)
            // What is left are control characters and what is no UTF-8: in no flag that matters here.
            default: return nil
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
