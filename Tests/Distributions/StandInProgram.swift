/// A file that looks like a distribution's program to whoever reads it, and cannot be run.
///
/// One 64-bit little-endian ELF section of each kind that is read: constants, and Go's build information as Go 1.18
/// and later write it.
enum StandInProgram {
    /// Built as K3s is: the linker's flags are in the build information.
    static func k3s(_ version: String, module: String = "github.com/k3s-io/k3s") -> [UInt8] {
        program(
            modules: "path\t\(module)/cmd/k3s\nmod\t\(module)\t(devel)\t\n"
                + "build\t-ldflags=\"-X github.com/k3s-io/k3s/pkg/version.Version=\(version) -w -s\"\n",
            constants: "v1.20.0-k3s1")
    }

    /// Built as k0s is, with `-trimpath`: the version is among the constants alone.
    static func k0s(_ version: String, module: String = "github.com/k0sproject/k0s") -> [UInt8] {
        program(
            modules: "path\t\(module)\nmod\t\(module)\t(devel)\t\nbuild\t-trimpath=true\n", constants: version
        )
    }

    /// Somebody else's program with a server or a worker in it.
    static func stranger() -> [UInt8] {
        program(
            modules: "path\tgithub.com/hashicorp/consul\nmod\tgithub.com/hashicorp/consul\t(devel)\t\n",
            constants: "x")
    }

    private static func program(modules: String, constants: String) -> [UInt8] {
        let framed =
            [UInt8](repeating: 0x30, count: 16) + Array(modules.utf8) + [UInt8](repeating: 0xf9, count: 16)
        var information = [0xff] + Array(" Go buildinf:".utf8) + [8, 2] + [UInt8](repeating: 0, count: 16)
        information += counted(Array("go1.24.13".utf8)) + counted(framed)
        let data = [0, 0] + Array(constants.utf8) + [0, 0]
        let names = Array("\0.rodata\0.go.buildinfo\0.shstrtab\0".utf8)

        // Behind the header and one program header, an empty one.
        let dataStart = 64 + 56
        let informationStart = aligned(dataStart + data.count)
        let namesStart = informationStart + information.count
        let tableStart = aligned(namesStart + names.count)
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        file +=
            number(2, 2) + number(62, 2) + number(1, 4) + number(0, 8) + number(64, 8) + number(tableStart, 8)
        file +=
            number(0, 4) + number(64, 2) + number(56, 2) + number(1, 2) + number(64, 2) + number(4, 2)
            + number(3, 2)
        file += [UInt8](repeating: 0, count: 56) + data
        file += [UInt8](repeating: 0, count: informationStart - file.count) + information + names
        file += [UInt8](repeating: 0, count: tableStart - file.count)
        func section(_ name: Int, _ type: Int, _ start: Int, _ count: Int) -> [UInt8] {
            number(name, 4) + number(type, 4) + number(2, 8) + number(0x40_0000 + start, 8) + number(start, 8)
                + number(count, 8) + number(0, 8) + number(1, 8) + number(0, 8)
        }
        file += [UInt8](repeating: 0, count: 64) + section(1, 1, dataStart, data.count)
        return file + section(9, 1, informationStart, information.count)
            + section(23, 3, namesStart, names.count)
    }

    private static func aligned(_ offset: Int) -> Int { (offset + 15) & ~15 }

    private static func counted(_ bytes: [UInt8]) -> [UInt8] {
        var count = bytes.count
        var length: [UInt8] = []
        while count > 127 {
            length.append(UInt8(count & 127) | 128)
            count >>= 7
        }
        return length + [UInt8(count)] + bytes
    }

    private static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
