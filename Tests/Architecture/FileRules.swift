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

    /// Tests that the page of guarantees names for an invariant, and that do not name it themselves.
    ///
    /// - Parameter tests: paths with their texts; the text of what is not there is empty.
    static func guarantee(_ number: Int, tests: [(path: String, text: String)]) -> [String] {
        if tests.isEmpty { return ["Docs/guarantees.md names no test for invariant \(number)"] }
        return tests.compactMap { path, text in
            let named = text.split(separator: "invariant").dropFirst().contains { rest in
                // As in "invariants 1, 2 and 9: …".
                let words = rest.drop { $0 == "s" }.prefix { $0.isNumber || " ,and".contains($0) }
                return words.split { !$0.isNumber }.contains { Int($0) == number }
            }
            return named
                ? nil : "\(path), which Docs/guarantees.md names for invariant \(number), does not name it"
        }
    }
}
