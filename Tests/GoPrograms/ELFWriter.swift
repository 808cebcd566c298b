public import Model

/// Makes small programs as a linker would, as far as Holdfast reads them: none of them can be run.
public struct ELFWriter: Sendable {
    public enum BuildInfo: Sendable {
        case none
        /// Go 1.18 and later.
        case inline(modules: String)
        /// Before Go 1.18; nil for a build without modules.
        case pointers(modules: String?)
    }

    public var architecture: Architecture
    public var hasSections: Bool
    public var readOnlyData: [UInt8]
    public var buildInfo: BuildInfo
    public var type: UInt16

    /// Says what is to be made.
    public init(
        architecture: Architecture = .amd64, hasSections: Bool = true, readOnlyData: [UInt8] = [],
        buildInfo: BuildInfo = .none, type: UInt16 = 2
    ) {
        self.architecture = architecture
        self.hasSections = hasSections
        self.readOnlyData = readOnlyData
        self.buildInfo = buildInfo
        self.type = type
    }

    private var is64: Bool { architecture != .arm && architecture != .i386 }
    private var isBigEndian: Bool { architecture == .s390x }
    private var machine: UInt16 {
        switch architecture {
        case .amd64: 62
        case .arm64: 183
        case .arm: 40
        case .s390x: 22
        case .riscv64: 243
        case .ppc64le: 21
        case .i386: 3
        }
    }

    private static let readOnlyBase = 0x40_0000
    private static let dataBase = 0x60_0000

    public func bytes() -> [UInt8] {
        let headerSize = is64 ? 64 : 52
        let segmentSize = is64 ? 56 : 32
        let readOnlyStart = (headerSize + 2 * segmentSize + 15) & ~15
        var readOnly = readOnlyData
        let data = self.data(appendingStringsTo: &readOnly, readOnlyStart: readOnlyStart)
        let dataStart = (readOnlyStart + readOnly.count + 15) & ~15

        var names: [UInt8] = [0]
        var table: [UInt8] = []
        func section(_ name: String, type: Int, address: Int, start: Int, count: Int) {
            table +=
                number(names.count, 4) + number(type, 4) + word(2) + word(address) + word(start) + word(count)
            table += number(0, 8) + word(1) + word(0)
            names += Array(name.utf8) + [0]
        }
        section("", type: 0, address: 0, start: 0, count: 0)
        section(
            ".rodata", type: 1, address: Self.readOnlyBase + readOnlyStart, start: readOnlyStart,
            count: readOnly.count)
        section(
            ".go.buildinfo", type: data.isEmpty ? 8 : 1, address: Self.dataBase + dataStart, start: dataStart,
            count: data.count)
        // It takes no room in the file, whatever it says.
        section(".bss", type: 8, address: 0x80_0000, start: dataStart, count: 1 << 30)
        let namesStart = dataStart + data.count
        section(".shstrtab", type: 3, address: 0, start: namesStart, count: names.count + 10)
        let tableStart = (namesStart + names.count + 7) & ~7

        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isBigEndian ? 2 : 1, 1]
        file += [UInt8](repeating: 0, count: 9)
        file += number(Int(type), 2) + number(Int(machine), 2) + number(1, 4) + word(Self.readOnlyBase)
        file += word(headerSize) + word(hasSections ? tableStart : 0) + number(0, 4) + number(headerSize, 2)
        file += number(segmentSize, 2) + number(2, 2) + number(is64 ? 64 : 40, 2)
        file += number(hasSections ? 5 : 0, 2) + number(hasSections ? 4 : 0, 2)
        file += segment(flags: 4, base: Self.readOnlyBase, start: readOnlyStart, count: readOnly.count)
        file += segment(flags: 6, base: Self.dataBase, start: dataStart, count: data.count)
        pad(&file, to: readOnlyStart)
        file += readOnly
        pad(&file, to: dataStart)
        file += data
        guard hasSections else { return file }
        file += names
        pad(&file, to: tableStart)
        return file + table
    }

    private func data(appendingStringsTo readOnly: inout [UInt8], readOnlyStart: Int) -> [UInt8] {
        let goVersion = "go1.24.13"
        let magic: [UInt8] = [0xff] + Array(" Go buildinf:".utf8)
        let size = is64 ? 8 : 4
        func framed(_ modules: String) -> [UInt8] {
            [UInt8](repeating: 0x30, count: 16) + Array(modules.utf8) + [UInt8](repeating: 0xf9, count: 16)
        }
        switch buildInfo {
        case .none: return []
        case .inline(let modules):
            let modules = framed(modules)
            return magic + [UInt8(size), 2] + [UInt8](repeating: 0, count: 16) + varint(goVersion.utf8.count)
                + Array(goVersion.utf8) + varint(modules.count) + modules
        case .pointers(let modules):
            let modules = modules.map(framed) ?? []
            let variables =
                32 + Self.dataBase
                + ((readOnlyStart + readOnly.count + goVersion.utf8.count
                    + modules.count + 15) & ~15)
            func variable(_ bytes: [UInt8]) -> [UInt8] {
                defer { readOnly += bytes }
                return word(Self.readOnlyBase + readOnlyStart + readOnly.count) + word(bytes.count)
            }
            var data = magic + [UInt8(size), isBigEndian ? 1 : 0] + word(variables)
            data += word(modules.isEmpty ? 0 : variables + 2 * size)
            pad(&data, to: 32)
            return data + variable(Array(goVersion.utf8)) + (modules.isEmpty ? [] : variable(modules))
        }
    }

    private func segment(flags: Int, base: Int, start: Int, count: Int) -> [UInt8] {
        let (address, offset, length) = (word(base + start), word(start), word(count))
        return is64
            ? number(1, 4) + number(flags, 4) + offset + address + address + length + length + word(16)
            : number(1, 4) + offset + address + address + length + length + number(flags, 4) + word(16)
    }

    private func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
    }

    private func pad(_ bytes: inout [UInt8], to count: Int) {
        bytes += [UInt8](repeating: 0, count: max(0, count - bytes.count))
    }

    private func word(_ value: Int) -> [UInt8] { number(value, is64 ? 8 : 4) }

    private func number(_ value: Int, _ size: Int) -> [UInt8] {
        let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isBigEndian ? little.reversed() : little
    }
}

/// What `go build` writes for a program with these linker flags, quoted as it quotes.
public func goModules(module: String, flags: String?) -> String {
    var text =
        "path\t\(module)/cmd/server\nmod\t\(module)\t(devel)\t\ndep\tgithub.com/other/thing\tv1.2.3+k3s9\th1:x\n"
    text += "build\t-compiler=gc\nbuild\t-tags=ctrd,netcgo\n"
    if let flags {
        let escapes: [Character: String] = ["\\": "\\\\", "\"": "\\\"", "\t": "\\t", "\n": "\\n"]
        let quoted = flags.map { escapes[$0] ?? String($0) }
        text += "build\t-ldflags=\"\(quoted.joined())\"\n"
    }
    return text + "build\tCGO_ENABLED=1\n"
}

/// A string as the linker places one for a variable.
public func linked(_ text: String) -> [UInt8] { [0, 0, 0] + Array(text.utf8) + [0, 0] }
