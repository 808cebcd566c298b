import CommandLine
import Fleet
import FoundationEssentials
import Host
import Model
import Ports
import Testing

@testable import Commands

/// A node on which the commands of a document are typed, and a directory in which they are.
///
/// Where a reader types `holdfast …` on a live node, `--root` is added, and nothing else is different.
final class DocumentedNode {
    /// What stands behind `run:` in a document.
    enum Kind: String, CaseIterable {
        /// A K3s server that nobody has looked at, without a policy.
        case fresh
        /// Adopted, patches by themselves; nothing waits.
        case k3s
        /// The same, with a minor on disk that waits, and a release's checksum file.
        case replaced = "k3s-replaced"
        /// Its policy has a fault.
        case badPolicy = "bad-policy"
        /// Somebody has taken the gate's drop-in and the spare away.
        case brokenGuard = "broken-guard"
        /// The ledger's file holds something else.
        case corruptLedger = "corrupt-ledger"
        /// One of three servers, with releases in a directory.
        case fleet
        /// The same in mid rollout: the canary holds its grant.
        case rollout
        /// The same after the canary has failed.
        case halted
        /// `ledgers/` with copies from two nodes, as an auditor has them; no node.
        case ledgers
    }

    private let node: SampleNode
    private let fleet: FleetNode?
    /// Where the commands are typed.
    private var directory: String { node.directory + "/here" }

    static let repository = "\(#filePath)".components(separatedBy: "/Tests/")[0]
    private static let built = URL(filePath: ProcessInfo.processInfo.arguments[0])
        .deletingLastPathComponent().path

    init(_ kind: Kind) throws {
        switch kind {
        case .fleet, .rollout, .halted:
            let fleet = try FleetNode(
                "stages: [{name: canary, nodes: [app-1], soak: 1h}, {name: rest}]\n",
                releases: ["v1.31.9+k3s1", "v1.32.4+k3s1"])
            for name in ["app-1", "app-2"] {
                try fleet.join(name) { $0.stage = name == "app-1" ? "canary" : "rest" }
            }
            self.fleet = fleet
            node = fleet.node
        default:
            fleet = nil
            node = try SampleNode(
                policy: "apiVersion: holdfast/v1\nunattended: patch\nenforce: {gate: restore}\n")
        }
        let files = FileManager.default
        for path in [directory, node.root + "/etc/holdfast"] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try files.createSymbolicLink(
            atPath: directory + "/Policies", withDestinationPath: Self.repository + "/Policies")
        try files.copyItem(
            atPath: Self.repository + "/Policies/homelab.yaml", toPath: directory + "/new.yaml")
        if let fleet {
            try files.createSymbolicLink(atPath: directory + "/releases", withDestinationPath: fleet.mirror)
        }
        if kind != .fresh {
            try files.copyItem(atPath: node.policy, toPath: node.root + "/etc/holdfast/policy.yaml")
        }
        try prepare(kind)
    }

    private func prepare(_ kind: Kind) throws {
        switch kind {
        case .fresh, .fleet: break
        case .k3s: try adopt()
        case .replaced:
            try adopt()
            try replace()
            try FileManager.default.copyItem(
                atPath: node.checksums("v1.32.1+k3s1"), toPath: directory + "/sha256sum-amd64.txt")
        case .badPolicy:
            try adopt()
            try Data("apiVersion: holdfast/v1\nunattended: pach\n".utf8).write(
                to: URL(filePath: node.root + "/etc/holdfast/policy.yaml"))
        case .brokenGuard:
            try adopt()
            for path in [node.dropIn, node.spare] { try FileManager.default.removeItem(atPath: path) }
        case .corruptLedger:
            try adopt()
            try Data("no database at all, but text".utf8).write(
                to: URL(filePath: node.root + "/var/lib/holdfast/ledger.db"))
        case .rollout, .halted:
            let fleet = try #require(fleet)
            try done("holdfast upgrade k3s v1.31.9+k3s1")
            try fleet.change { $0.tracks[0].stages[0].granted = [Grant(node: "id-app-1", id: "g1")] }
            guard kind == .halted else { return }
            let artifact = try fleet.rollout().artifact
            for bytes in artifact.bytes.values {
                try fleet.book().quarantine(
                    FleetQuarantine(
                        bytes: bytes, distribution: .k3s, version: artifact.version,
                        reason: "it did not get ready", node: "app-1", at: Instant(seconds: 1_700_000_000)),
                    isNew: true)
            }
            try fleet.change {
                $0.state = .halted
                $0.reason = "v1.31.9+k3s1 failed on app-1"
            }
        case .ledgers:
            try adopt()
            try replace()
            let other = try SampleNode()
            #expect(try other.inPlace("adopt").code == 0)
            for (node, name) in [(node, "app-1"), (other, "app-2")] {
                try FileManager.default.createDirectory(
                    atPath: directory + "/ledgers", withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: node.root + "/var/lib/holdfast", toPath: directory + "/ledgers/" + name)
            }
        }
    }

    private func adopt() throws {
        try done("holdfast adopt")
        try done("holdfast check")
    }

    private func replace() throws {
        try node.install("v1.32.1+k3s1")
        try done("holdfast check")
    }

    private func done(_ command: String) throws {
        let answer = try run(command)
        #expect(answer.code == 0, "\(command): \(answer)")
    }

    /// Output as it were on a live node.
    func printed(_ output: String) -> [String] {
        output.split(separator: "\n").map { String($0.replacing(node.root, with: "")) }
    }

    // MARK: Typing

    /// Types a command.
    func type(_ command: String) throws -> SampleNode.Answer { try run(try named(command)) }

    private func run(_ command: String) throws -> SampleNode.Answer {
        let outcome = try runProcess(
            ["/bin/sh", "-ec", "\(program)cd \"$HOME\"\n\(command)"],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": directory, "LANG": "C.UTF-8", "COLUMNS": "100",
            ],
            timeout: 60_000)
        guard case .exited(let code) = outcome.end else {
            return .init(code: -1, output: "", errors: "it ended as \(outcome.end)")
        }
        return .init(
            code: code, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errors, as: UTF8.self))
    }

    /// The command with the ids of this node where the document has some id of ten hexadecimal digits.
    private func named(_ command: String) throws -> String {
        let words = command.split(separator: " ", omittingEmptySubsequences: false)
        let verb = words.count > 1 ? words[1] : ""
        return try words.map { word in
            word.count == 10 && word.allSatisfy { "0123456789abcdef".contains($0) }
                ? try id(for: String(verb)) : String(word)
        }.joined(separator: " ")
    }

    private func id(for verb: String) throws -> String {
        struct Named: Decodable { let id: String }
        struct Words: Decodable {
            let approvals: [Named]
            let denials: [Named]
        }
        struct Row: Decodable { let decision: String }
        switch verb {
        case "revoke":
            let words = try run("holdfast approve -o json").json(Words.self)
            return try #require((words.approvals + words.denials).first).id
        case "replay":
            return try #require(try run("holdfast history -o json").json([Row].self).first).decision
        default:
            let seen = try run("holdfast check --dry-run -o json").json(CheckAnswer.self)
            return try #require(seen.installations.flatMap(\.changes).first).id
        }
    }

    // MARK: The program

    /// `holdfast` as it is called on a live node: adds what leads to this one, to verbs that take it.
    ///
    /// A function rather than a script: one that was just written may be busy while another test makes a process.
    private var program: String {
        let places = [
            (Interface.rootOption.name, node.root), ("corpus", Self.repository + "/Policies/incidents"),
        ]
        var cases = ""
        for (path, command) in Interface.program.leaves {
            let more = places.filter { place in command.options.contains { $0.name == place.0 } }
                .map { " '--\($0.0)=\($0.1)'" }.joined()
            let pattern = path.count == 1 ? "\"\(path[0]) \"*" : "\"\(path[0]) \(path[1])\""
            cases += "\(pattern)) set -- \"$@\"\(more) ;;\n"
        }
        return "holdfast() {\ncase \"$1 $2\" in\n\(cases)esac\n'\(Self.built)/holdfast' \"$@\"\n}\n"
    }
}

extension Command {
    /// Every verb below this command, with the words that lead to it.
    var leaves: [(path: [String], command: Command)] {
        subcommands.flatMap { command -> [(path: [String], command: Command)] in
            command.subcommands.isEmpty
                ? [([command.name], command)]
                : command.leaves.map { ([command.name] + $0.path, $0.command) }
        }
    }
}
