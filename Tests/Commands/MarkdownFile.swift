import Testing

/// A Markdown file, as far as it is held against the program: its fenced blocks, headings, links and quoted commands.
struct MarkdownFile {
    /// From the top of the repository.
    let path: String
    private(set) var blocks: [Block] = []
    /// Lines outside of fences that a comment or a fence does not take, with their numbers.
    private(set) var prose: [(number: Int, text: String)] = []
    /// What is written in a way that escapes the tests.
    private(set) var faults: [String] = []

    /// A fenced block and the comment before it.
    struct Block: Sendable, CustomTestStringConvertible {
        /// `Docs/k3s.md:12`, the line of its fence.
        var place: String
        var language: String
        /// What the comment says: `run: k3s`, `not run: why`, `policy`; nil where there is none.
        var mark: String?
        var lines: [String] = []
        var testDescription: String { place }

        /// What stands behind `run:` or `not run:`.
        func marked(_ kind: String) -> String? {
            guard let mark, mark.hasPrefix("\(kind): ") else { return nil }
            let rest = String(mark.dropFirst(kind.count + 2))
            return rest.isEmpty ? nil : rest
        }

        /// Whether it is typed by somebody.
        var isCommands: Bool { ["sh", "console"].contains(language) }

        /// Whole commands: without comments and output, with lines that go on joined.
        var commands: [String] { calls.map(\.command) }

        /// The same, each with the lines that it prints here; none where the document leaves them out.
        var calls: [(command: String, output: [String])] {
            var commands: [String] = []
            var outputs: [[String]] = []
            var goesOn = false
            for line in lines {
                var text = line
                if language == "console", !goesOn {
                    guard line.hasPrefix("$ ") else {
                        if !outputs.isEmpty { outputs[outputs.count - 1].append(line) }
                        continue
                    }
                    text = String(line.dropFirst(2))
                }
                guard goesOn || !(text.isEmpty || text.hasPrefix("#")) else { continue }
                if goesOn {
                    commands[commands.count - 1] += "\n" + text
                } else {
                    commands.append(text)
                    outputs.append([])
                }
                goesOn = text.hasSuffix("\\")
            }
            return Array(zip(commands, outputs)).map { (command: $0, output: $1) }
        }
    }

    init(path: String, text: String) {
        self.path = path
        var open: (block: Block, fence: Substring)?
        var mark: String?
        var before = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let number = index + 1
            let bare = line.drop { $0 == " " }
            if let (block, fence) = open {
                if bare == fence {
                    blocks.append(block)
                    open = nil
                } else {
                    open?.block.lines.append(String(line))
                }
            } else if bare.hasPrefix("```") {
                let fence = bare.prefix { $0 == "`" }
                let language = String(bare.dropFirst(fence.count))
                open = (Block(place: "\(path):\(number)", language: language, mark: mark), fence)
            } else if bare.hasPrefix("<!-- "), bare.hasSuffix(" -->") {
                mark = String(bare.dropFirst(5).dropLast(4))
                continue
            } else if line.hasPrefix("    "), before.isEmpty {
                faults.append("\(path):\(number): a block by indentation alone; give it a fence")
            } else if !bare.isEmpty {
                prose.append((number, String(line)))
            }
            if !bare.isEmpty { mark = nil }
            before = String(bare)
        }
        if let open { faults.append("\(open.block.place): this fence is never closed") }
    }

    /// What a link may name behind `#`, as GitHub makes it.
    var anchors: Set<String> {
        Set(
            prose.filter { $0.text.hasPrefix("#") }.map { heading in
                let title = heading.text.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
                return String(
                    title.compactMap {
                        $0 == " " ? "-" : $0.isLetter || $0.isNumber || "-_".contains($0) ? $0 : nil
                    })
            })
    }

    /// Links to what lies in the repository, each with its place.
    var links: [(place: String, target: String)] {
        prose.flatMap { number, text -> [(place: String, target: String)] in
            text.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap { rest in
                let target = String(rest.prefix { $0 != ")" })
                guard !target.contains("://") else { return nil }
                return ("\(path):\(number)", target)
            }
        }
    }

    /// Calls of the program that stand between the words, each with its place.
    var quotedCalls: [(place: String, call: String)] {
        prose.flatMap { number, text in
            text.split(separator: "`", omittingEmptySubsequences: false).enumerated().compactMap {
                index, span in
                index % 2 == 1 && span.hasPrefix("holdfast ") ? ("\(path):\(number)", String(span)) : nil
            }
        }
    }
}
