import FoundationEssentials
import Testing

/// What the scripts write and take away as root, where somebody has put links in their way.
@Suite("links in the way of what is installed")
struct PlantedLinksTests {
    private static let programs = URL(filePath: ProcessInfo.processInfo.arguments[0])
        .deletingLastPathComponent().path
    private static let files = FileManager.default

    private func install(_ root: String) throws -> (code: Bool, output: String, errors: String) {
        try Script.run("DESTDIR=$1 BINARIES=$2 Packaging/scripts/install", root, Self.programs)
    }

    /// What others have: a file, and a directory with one in it.
    private struct Victim {
        let file: String
        let directory: String

        init(in scratch: String) throws {
            file = scratch + "/theirs"
            directory = scratch + "/their"
            try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for path in [file, directory + "/theirs"] {
                try Data("theirs".utf8).write(to: URL(filePath: path))
            }
        }

        /// Whether it is as it was.
        func isWhole() throws -> Bool {
            try files.contentsOfDirectory(atPath: directory) == ["theirs"]
                && [file, directory + "/theirs"].allSatisfy {
                    try String(contentsOfFile: $0, encoding: .utf8) == "theirs"
                }
        }
    }

    private func replace(_ path: String, byLinkTo target: String) throws {
        try? Self.files.removeItem(atPath: path)
        try Self.files.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test(
        "an installation, its removal and a purge follow none of them, and what they lead to stays as it is")
    func files() throws {
        try Script.inScratch { scratch in
            let root = scratch + "/root"
            let victim = try Victim(in: scratch)
            #expect(try install(root).code)
            let list = root + "/usr/local/share/holdfast/installed"
            let listed = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n")
                .filter { $0.hasPrefix("/") && !$0.hasSuffix("/") }.map { root + $0 }
            #expect(listed.count > 50)
            for (index, path) in listed.enumerated() {
                let target = index % 2 == 0 ? victim.file : victim.directory
                // The list is gone by, so one that leads elsewhere is refused for what it says.
                if path != list { try replace(path, byLinkTo: target) }
                try replace(path + ".holdfast-new", byLinkTo: target)
            }
            let again = try install(root)
            #expect(again.code, "\(again.errors)")
            #expect(try victim.isWhole())
            for path in listed {
                let type = try Self.files.attributesOfItem(atPath: path)[.type] as? FileAttributeType
                #expect(type == .typeRegular, "\(path)")
            }
            for (index, path) in listed.enumerated() where path != list {
                try replace(path, byLinkTo: index % 2 == 0 ? victim.file : victim.directory)
            }
            for path in ["/etc/holdfast", "/var/lib/holdfast", "/var/cache/holdfast"] {
                let parent = URL(filePath: root + path).deletingLastPathComponent().path
                try Self.files.createDirectory(atPath: parent, withIntermediateDirectories: true)
                try replace(root + path, byLinkTo: victim.directory)
            }
            let wants = root + "/etc/systemd/system/timers.target.wants"
            try Self.files.createDirectory(
                atPath: root + "/etc/systemd/system", withIntermediateDirectories: true)
            try replace(wants, byLinkTo: victim.directory)
            try replace(victim.directory + "/holdfast.timer", byLinkTo: victim.file)
            let gone = try Script.run("DESTDIR=$1 PURGE=1 Packaging/scripts/uninstall", root)
            #expect(gone.code, "\(gone.errors)")
            #expect(Self.files.fileExists(atPath: victim.directory + "/holdfast.timer"))
            try Self.files.removeItem(atPath: victim.directory + "/holdfast.timer")
            #expect(try victim.isWhole())
            for path in listed + [root + "/etc/holdfast", root + "/var/lib/holdfast"] {
                #expect((try? Self.files.destinationOfSymbolicLink(atPath: path)) == nil, "\(path)")
            }
        }
    }

    @Test("a root with a directory that leads out of it is left alone, by an installation and by its removal")
    func directories() throws {
        try Script.inScratch { scratch in
            let root = scratch + "/root"
            let victim = try Victim(in: scratch)
            try Self.files.createDirectory(atPath: root + "/usr", withIntermediateDirectories: true)
            try replace(root + "/usr/local", byLinkTo: victim.directory)
            let answer = try install(root)
            #expect(!answer.code && answer.errors.contains("leads out of \(root)"), "\(answer)")
            #expect(try victim.isWhole())
            // One that leads elsewhere within it is the image's own affair.
            try Self.files.createDirectory(
                atPath: root + "/var/usrlocal", withIntermediateDirectories: true)
            try replace(root + "/usr/local", byLinkTo: "../var/usrlocal")
            #expect(try install(root).code)
            try Self.files.createDirectory(
                atPath: victim.directory + "/bin", withIntermediateDirectories: true)
            try Data("theirs".utf8).write(to: URL(filePath: victim.directory + "/bin/holdfast"))
            try replace(root + "/var/usrlocal/bin", byLinkTo: victim.directory + "/bin")
            let gone = try Script.run("DESTDIR=$1 Packaging/scripts/uninstall", root)
            #expect(!gone.code && gone.errors.contains("leads out of \(root)"), "\(gone)")
            #expect(Self.files.fileExists(atPath: victim.directory + "/bin/holdfast"))
        }
    }

    @Test(
        "what runs as root on a node puts nothing where everybody may write",
        arguments: [
            "scripts/install", "scripts/uninstall", "scripts/installation", "scripts/lifting",
            "debian/holdfast.preinst", "debian/holdfast.prerm", "debian/holdfast.postrm",
            "cloud-init/holdfast.yaml", "ansible/roles", "systemd",
        ])
    func places(_ path: String) throws {
        let place = "\(Script.repository)/Packaging/\(path)"
        var isDirectory = false
        #expect(Self.files.fileExists(atPath: place, isDirectory: &isDirectory))
        let paths =
            isDirectory
            ? try Self.files.subpathsOfDirectory(atPath: place).map { "\(place)/\($0)" } : [place]
        for path in paths {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            for name in ["/tmp/", "/dev/shm", "/run/lock/"] {
                #expect(!text.contains(name), "\(path) names \(name)")
            }
        }
    }
}
