import FoundationEssentials

/// The repository that these tests were built from.
enum Repository {
    private static let top: String = {
        // Tests/Architecture/Repository.swift
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }()

    /// The Swift sources of all modules, read once for all tests.
    static var sources: [SourceText] { get throws { try readSources.get() } }

    private static let readSources = Result {
        try files(below: "Sources").filter { $0.hasSuffix(".swift") }.map { path in
            // Sources/Module/File.swift
            SourceText(module: String(path.split(separator: "/")[1]), path: path, text: try text(path) ?? "")
        }
    }

    /// Names of the folders directly below a folder that hold a file.
    static func folders(below folder: String) throws -> Set<String> {
        Set(
            try files(below: folder).compactMap { path in
                let parts = path.split(separator: "/")
                return parts.count > 2 ? String(parts[1]) : nil
            })
    }

    /// All files below a folder, by their paths from the top.
    static func files(below folder: String) throws -> [String] {
        let base = "\(top)/\(folder)"
        guard FileManager.default.fileExists(atPath: base) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: base).sorted()
            .filter { path in
                var isDirectory = false
                return FileManager.default.fileExists(atPath: "\(base)/\(path)", isDirectory: &isDirectory)
                    && !isDirectory
            }
            .map { "\(folder)/\($0)" }
    }

    /// Files that lie at the top itself and are not git's.
    static func topFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: top).sorted().filter { name in
            var isDirectory = false
            return FileManager.default.fileExists(atPath: "\(top)/\(name)", isDirectory: &isDirectory)
                && !isDirectory && name != ".git"
        }
    }

    /// The text of a file; nil where it is not UTF-8 (an ELF among the fixtures).
    static func text(_ path: String) throws -> String? {
        let data = try Data(contentsOf: URL(filePath: "\(top)/\(path)"))
        return String(validating: data, as: UTF8.self)
    }
}
