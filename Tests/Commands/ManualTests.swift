import CommandLine
import FoundationEssentials
import Host
import PolicyFile
import Testing

@testable import Commands

private func isThere(_ program: String) -> Bool { (try? identity(ofFile: program)) != nil }

extension SampleNode {
    /// The id of the approval that was given.
    fileprivate func approval() throws -> String {
        struct Word: Decodable { let id: String }
        struct Words: Decodable { let approvals: [Word] }
        return try #require(holdfast("approve", "-o", "json").json(Words.self).approvals.first).id
    }
}

@Suite("The manual and the completions")
struct ManualTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/holdfast-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
        return "\(directory)/\(name)"
    }

    /// Runs a shell in which `holdfast` is the built program.
    private func shell(_ words: [String]) throws -> (code: Bool, lines: [String]) {
        let programs = URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
        let outcome = try runProcess(
            words, environment: ["PATH": "\(programs):/usr/bin:/bin", "HOME": directory, "LANG": "C.UTF-8"],
            timeout: 60_000)
        #expect(outcome.errors.isEmpty, "\(String(decoding: outcome.errors, as: UTF8.self))")
        return (
            outcome.succeeded,
            String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "each page is one that mandoc finds nothing wrong with", .enabled(if: isThere("/usr/bin/mandoc")),
        arguments: ["holdfast.1", "holdfast-policy.5", "holdfast-node.5"])
    func pages(_ name: String) throws {
        let page = try SampleNode.run(["manual", name])
        #expect(page.code == 0)
        let path = try file(name, page.output)
        let outcome = try runProcess(
            ["/usr/bin/mandoc", "-T", "lint", "-W", "warning", path], environment: [:], timeout: 10_000)
        let said = String(decoding: outcome.output + outcome.errors, as: UTF8.self).split(separator: "\n")
        // Its own date would make two builds of one version differ.
        #expect(said.filter { !$0.contains("missing date") } == [])
    }

    @Test("the pages name every verb, every key and every rule")
    func whole() throws {
        let program = Manual.program.content
        for name in Interface.program.subcommands.filter({ !$0.isHidden }).map(\.name) {
            #expect(program.contains(".SS \(name)"), "\(name)")
        }
        #expect(!program.contains(".SS complete"))
        #expect(Manual.policy.content.contains(".B rules.match.distribution: list of: k3s"))
        #expect(Manual.policy.content.contains(".B health.deadline: duration"))
        #expect(Manual.policy.content.contains("release\\-age"))
        #expect(Manual.node.content.contains(".B fleet.store: sqlite | kubernetes | etcd"))
    }

    @Test(
        "the example of a file is that file, line by line, as a reader sees it",
        .enabled(if: isThere("/usr/bin/mandoc")), arguments: ["holdfast-policy.5", "holdfast-node.5"])
    func examples(_ name: String) throws {
        let path = try file(name, try SampleNode.run(["manual", name]).output)
        let outcome = try runProcess(
            ["/usr/bin/mandoc", "-T", "ascii", "-O", "width=60", path], environment: [:], timeout: 10_000)
        let shown = String(decoding: outcome.output, as: UTF8.self).filter { $0 != "\u{8}" }
            .split(separator: "\n").map { $0.drop { $0 == " " } }
        let page = name == "holdfast-policy.5" ? Manual.policy : Manual.node
        let lines = page.exampleLines
        for line in lines { #expect(shown.contains { $0 == line }, "\(line)") }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        if name == "holdfast-policy.5" {
            guard case .valid = parsePolicy(text, file: name, isZone: { _ in true }, hash: digest) else {
                Issue.record("it is no policy")
                return
            }
        } else if case .invalid(let faults) = parseNodeFile(text, file: name) {
            Issue.record("\(faults)")
        }
    }

    @Test("the reference in the documentation is what the program prints")
    func reference() throws {
        let path = "\(#filePath)".components(separatedBy: "/Tests/")[0] + "/Docs/reference.md"
        #expect(
            try String(contentsOf: URL(filePath: path), encoding: .utf8) == Manual.reference.content,
            "write it anew: holdfast manual reference.md > Docs/reference.md")
    }

    @Test("a page and a shell that are not there are named with those that are")
    func unknown() throws {
        let page = try SampleNode.run(["manual", "holdfast.8"])
        #expect(page.code == 64 && page.errors.contains("holdfast-policy.5"))
        let shell = try SampleNode.run(["completions", "tcsh"])
        #expect(shell.code == 64 && shell.errors.contains("bash, zsh, fish"))
    }

    @Test(
        "bash completes verbs, options, values and files",
        arguments: [
            ("holdfast hist", ["history"]), ("holdfast rollout e", ["evict"]),
            ("holdfast history --verd", ["--verdict"]),
            ("holdfast history --verdict ", ["allow", "hold", "deny"]),
            ("holdfast history --output=cloud", ["cloudevents"]),
            ("holdfast policy lint ./one.y", ["./one.yaml"]),
            ("holdfast nothing-of-the-kind", []),
        ])
    func bash(_ line: String, _ words: [String]) throws {
        let script = try file("completion", Shell.bash.script(for: "holdfast"))
        _ = try file("one.yaml", "")
        let (_, lines) = try shell([
            "/bin/bash", "-c",
            #"cd "$HOME"; . "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _holdfast; printf '%s\n' "${COMPREPLY[@]}""#,
            "bash", script, line,
        ])
        #expect(lines == words)
    }

    @Test(
        "bash completes ids and versions from the ledger of the node that is named",
        arguments: ["explain ", "explain --output json ", "approve ", "revoke ", "upgrade k3s "])
    func known(_ words: String) throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try node.install("v1.32.1+k3s1")
        _ = try node.holdfast("check")
        let change = try #require(
            node.holdfast("check", "-o", "json").json(CheckAnswer.self).installations.first?.changes.first)
        #expect(try node.holdfast("approve", change.id).code == 0)
        let answers: [String] =
            switch words {
            case "upgrade k3s ": ["v1.32.1+k3s1"]
            case "revoke ": [try node.approval()]
            default: [change.id]
            }
        let script = try file("completion", Shell.bash.script(for: "holdfast"))
        let verb = words.prefix { $0 != " " }
        let line = "holdfast \(verb) --root \(node.root) --state=\(node.state)\(words.dropFirst(verb.count))"
        let (_, lines) = try shell([
            "/bin/bash", "-c",
            #". "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _holdfast; printf '%s\n' "${COMPREPLY[@]}""#, "bash",
            script, line,
        ])
        #expect(lines == answers)
        // Without them it is this machine's, which knows none of it.
        #expect(
            try !shell([
                "/bin/bash", "-c",
                #". "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _holdfast; printf '%s\n' "${COMPREPLY[@]}""#,
                "bash", script, "holdfast \(words)",
            ]).lines.contains(answers[0]))
    }

    @Test("bash completes time zones")
    func zones() throws {
        let script = try file("completion", Shell.bash.script(for: "holdfast"))
        let (_, lines) = try shell([
            "/bin/bash", "-c",
            #". "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _holdfast; printf '%s\n' "${COMPREPLY[@]}""#, "bash",
            script, "holdfast init --timezone Europe/Berl",
        ])
        #expect(lines == ["Europe/Berlin"])
    }

    @Test(
        "fish completes verbs and values with what each is for", .enabled(if: isThere("/usr/bin/fish")),
        arguments: [
            ("holdfast hist", "history\tList decisions from the ledger"),
            ("holdfast history --verdict ho", "hold"), ("holdfast policy lint one.y", "one.yaml"),
        ])
    func fish(_ line: String, _ expected: String) throws {
        let script = try file("completion.fish", Shell.fish.script(for: "holdfast"))
        _ = try file("one.yaml", "")
        let (succeeded, lines) = try shell([
            "/usr/bin/fish", "--no-config", "-c", "cd $HOME; source $argv[1]; complete -C \"$argv[2]\"",
            script, line,
        ])
        #expect(succeeded && lines.count == 1 && lines.first?.hasPrefix(expected) == true, "\(lines)")
    }

    @Test(
        "zsh completes verbs and values, in a real line that a person types",
        .enabled(if: isThere("/usr/bin/zsh")))
    func zsh() throws {
        let script = try file("completion.zsh", Shell.zsh.script(for: "holdfast"))
        let (succeeded, lines) = try shell([
            "/usr/bin/zsh", "-f", "-c",
            #"""
            zmodload zsh/zpty
            zpty shell zsh -f
            zpty -w shell 'autoload -Uz compinit && compinit -D && PS1= && setopt no_zle_bracketed_paste; . '"$1"'; print ready'
            zpty -r -m shell read '*ready*ready*' || zpty -r -m shell read '*ready*'
            zpty -w -n shell $'holdfast hist\t'
            zpty -r -m shell answer '*history *' && print found
            zpty -d shell
            """#,
            "zsh", script,
        ])
        #expect(succeeded && lines.last == "found", "\(lines)")
    }
}
