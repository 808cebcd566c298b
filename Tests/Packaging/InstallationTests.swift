import FoundationEssentials
import Testing

/// What `make install`, the tarball and the package put in place, which is one list.
@Suite("an installation")
struct InstallationTests {
    private static let programs = URL(filePath: ProcessInfo.processInfo.arguments[0])
        .deletingLastPathComponent().path

    private func installed(_ prefix: String, _ body: (String) throws -> Void) throws {
        try Script.inScratch { root in
            let answer = try Script.run(
                "DESTDIR=$1 PREFIX=$2 BINARIES=$3 Packaging/scripts/install", root, prefix, Self.programs)
            #expect(answer.code, "\(answer.errors)")
            try body(root)
        }
    }

    private func files(below root: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root)
            .filter { path in
                var isDirectory = false
                return FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isDirectory)
                    && !isDirectory
            }.map { "/" + $0 }
    }

    /// What the links of a page lead to, as paths of the node.
    private func targets(of page: String, _ text: String) -> [String] {
        text.components(separatedBy: "](").dropFirst().compactMap { rest in
            let target = rest.prefix { $0 != ")" && $0 != "#" }
            guard !target.isEmpty, !target.contains("://") else { return nil }
            var names = target.hasPrefix("/") ? [] : page.split(separator: "/").dropLast()
            for name in target.split(separator: "/") {
                if name == ".." { _ = names.popLast() } else { names.append(name) }
            }
            return "/" + names.joined(separator: "/")
        }
    }

    @Test(
        "brings documentation whose links lead to what it brings, and leaves no file",
        arguments: ["/usr", "/usr/local"])
    func documentation(_ prefix: String) throws {
        try installed(prefix) { root in
            let files = Set(try files(below: root))
            for file in [
                "share/doc/holdfast/recovery.md", "share/holdfast/kubernetes/roles.yaml",
                "share/holdfast/kubernetes/README.md", "share/holdfast/policies/README.md",
            ] { #expect(files.contains("\(prefix)/\(file)")) }
            var count = 0
            for page in files where page.hasSuffix(".md") {
                let text = try String(contentsOfFile: root + page, encoding: .utf8)
                for target in targets(of: page, text) {
                    #expect(files.contains(target), "\(page): there is no \(target)")
                    count += 1
                }
            }
            #expect(count > 30)

            let answer = try Script.run("DESTDIR=$1 PREFIX=$2 Packaging/scripts/uninstall", root, prefix)
            #expect(answer.code, "\(answer.errors)")
            #expect(try self.files(below: root) == [])
        }
    }

    @Test("has every file that the program's texts name, and these name none of the sources")
    func named() throws {
        try installed("/usr") { root in
            let sources = Script.repository + "/Sources"
            var named: Set<String> = []
            for path in try FileManager.default.subpathsOfDirectory(atPath: sources)
            where path.hasSuffix(".swift") {
                let text = try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8)
                for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//")
                {
                    #expect(!line.contains("Packaging/"), "\(path): \(line)")
                    for rest in line.components(separatedBy: "/usr/share/").dropFirst() {
                        let name = rest.prefix { $0.isLetter || $0.isNumber || "/._-".contains($0) }
                        if name.contains("holdfast") { named.insert("/usr/share/\(name)") }
                    }
                }
            }
            #expect(named.count > 1, "\(named)")
            for name in named { #expect(FileManager.default.fileExists(atPath: root + name), "\(name)") }
        }
    }
}
