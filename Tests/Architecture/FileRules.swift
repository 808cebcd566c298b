/// Rules about files as such.
enum FileRules {
    /// A file that is too long to hold one idea.
    static func length(path: String, text: String) -> [String] {
        let lines = text.utf8.count { $0 == UInt8(ascii: "\n") }
        return lines > Design.longestFile
            ? ["\(path): \(lines) lines; \(Design.longestFile) is the most"] : []
    }

    /// Places that exist on one developer's machine only.
    static func privatePaths(path: String, text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            privateRoots.filter { line.contains($0) }
                .map { "\(path):\(number + 1): names \($0), which is somebody's own machine" }
        }
    }

    // Put together here, since this file is looked at too.
    private static let privateRoots = ["work/", "Users/", "home/", "tmp/wt-", "tmp/hf/"].map { "/" + $0 }

    /// Folders with fixtures whose origin nobody can tell.
    ///
    /// - Parameter files: paths below the folder of fixtures, with the text of each README.
    static func origins(files: [String: String]) -> [String] {
        let folders = Set(
            files.keys.compactMap { $0.split(separator: "/").dropLast().first.map(String.init) })
        return folders.sorted().compactMap { folder in
            guard let readme = files["\(folder)/README.md"] else {
                return "Fixtures/\(folder) has no README.md"
            }
            let words = ["recorded", "written", "made", "compiled", "taken"]
            return words.contains { readme.lowercased().contains($0) }
                ? nil : "Fixtures/\(folder)/README.md does not say where its files come from"
        }
    }
}
