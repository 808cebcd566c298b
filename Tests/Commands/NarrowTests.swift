import CommandLine
import FoundationEssentials
import Host
import Testing

@testable import Commands

/// How what is said looks where it is shown: how wide, and in which colours.
@Suite("On a terminal")
struct NarrowTests {
    private static let verbs = [
        ["status"], ["status", "--paths"], ["explain"], ["approve"], ["verify"], ["history"],
        ["adopt", "--dry-run"], ["release", "--dry-run"], ["doctor"], ["check", "--dry-run"],
        ["catalog", "list"], ["policy", "show"], ["replay", "--all"],
    ]

    /// A node that is adopted and on which a minor waits, so that most of what there is gets said.
    private let node: SampleNode

    init() throws {
        node = try SampleNode(
            policy: "apiVersion: holdfast/v1\nunattended: patch\nenforce: {gate: restore}\n")
        let etc = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: node.policy, toPath: etc + "/policy.yaml")
        for verb in ["adopt", "check"] { #expect(try node.inPlace(verb).code == 0) }
        try node.install("v1.32.1+k3s1")
        _ = try node.inPlace("check")
    }

    /// Whether a line may be wider than the terminal: a command that people copy, or one that an id or a path alone takes
    /// beyond it.
    private func isWhole(_ line: Substring, at columns: Int) -> Bool {
        let text = line.drop { $0 == " " }
        if ["holdfast ", "mend: ", "to approve  holdfast "].contains(where: { text.hasPrefix($0) }) {
            return true
        }
        let last = text.split(separator: " ").last ?? ""
        return (last.contains("/") || last.count >= 32) && line.count - last.count <= columns
    }

    @Test("no line is wider than it, but for commands to copy, ids and paths", arguments: [40, 60, 80])
    func widths(_ columns: Int) throws {
        for verb in Self.verbs {
            let answer = try node.inPlace(verb, environment: ["COLUMNS": "\(columns)"])
            #expect(answer.output.split(separator: "\n").count > 1, "\(verb): \(answer)")
            for line in answer.output.split(separator: "\n") where line.count > columns {
                #expect(isWhole(line, at: columns), "\(verb) at \(columns), \(line.count): \(line)")
            }
        }
    }

    @Test("neither is one of any help, but for examples", arguments: [40, 60, 80])
    func help(_ columns: Int) {
        for (path, _) in Interface.program.leaves + [([], Interface.program)] {
            let help = Interface.program.help(path: ["holdfast"] + path, width: columns)
            for line in help.split(separator: "\n") where line.count > columns {
                #expect(isWhole(line, at: columns), "\(path) at \(columns), \(line.count): \(line)")
            }
        }
    }

    @Test("what is shown is the same words, whatever the width")
    func words() throws {
        func words(_ verb: [String], _ columns: Int) throws -> [Substring] {
            try node.inPlace(verb, environment: ["COLUMNS": "\(columns)"]).output
                .split { $0 == " " || $0 == "\n" }
        }
        for verb in [["status", "--paths"], ["explain"], ["doctor"], ["history"]] {
            #expect(try words(verb, 40) == words(verb, 120), "\(verb)")
        }
    }

    @Test("colours are there where a person reads along, and NO_COLOR takes them away")
    func colours() throws {
        for (environment, areThere) in [
            (["TERM": "xterm"], true), (["TERM": "xterm", "NO_COLOR": ""], true),
            (["TERM": "xterm", "NO_COLOR": "1"], false), (["TERM": "dumb"], false),
        ] {
            let outcome = try runProcess(
                [
                    "/bin/sh", "-c", #"script -qec "$0 status --root $1 --policy $2" /dev/null"#,
                    SampleNode.program, node.root, node.policy,
                ],
                environment: environment.merging(["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]) { $1 },
                timeout: 60_000)
            let output = String(decoding: outcome.output, as: UTF8.self)
            #expect(output.contains("HOLD"), "\(output)")
            #expect(output.contains("\u{1b}[") == areThere, "\(environment): \(output)")
            #expect(try !node.inPlace(["status"], environment: environment).output.contains("\u{1b}["))
        }
    }
}

extension SampleNode {
    /// The built program.
    static var program: String {
        URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
    }

    /// Runs a verb with the ledger below the root, in an environment of its own.
    func inPlace(_ words: [String], environment: [String: String] = [:]) throws -> Answer {
        try Self.run(words + place(of: words), environment: environment)
    }

    /// The options that lead a verb to this node, as far as it takes them and they are not given.
    func place(of words: [String]) -> [String] {
        let leaf = Interface.program.leaves.first { words.starts(with: $0.path) }
        return [("root", root), ("policy", policy)].filter { place in
            leaf?.command.options.contains { $0.name == place.0 } == true
                && !words.contains("--\(place.0)")
        }.flatMap { ["--\($0.0)", $0.1] }
    }
}
