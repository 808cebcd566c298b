@testable import Distributions
@testable import Host
import Model

/// What is read of systemd's files and of /proc.
let units = [
    Target(name: "unit", look: lookAtUnit),
    Target(name: "command", look: lookAtCommand),
    Target(name: "environment", look: lookAtEnvironment),
]

private func lookAtUnit(_ bytes: [UInt8]) {
    let file = UnitFile(parsing: bytes)
    for (index, line) in file.assignments.enumerated() {
        expect(!line.key.isEmpty, "a line without a key")
        // A space behind a backslash at the end makes it one of the value's.
        let again = UnitFile(parsing: Array("[\(line.section)]\n\(line.key)=\(line.value) \n".utf8))
        expect(again.assignments == [line], "\(line) reads back as \(again.assignments)")
        if index < 4 { lookAtCommand(Array(line.value.utf8)) }
    }
    let kept = UnitFile(parsing: bytes, keeping: { $0 == "Service" && $1 == "ExecStart" })
    expect(
        kept.assignments == file.assignments.filter { $0.section == "Service" && $0.key == "ExecStart" },
        "other lines where not all are kept")
}

private func lookAtCommand(_ bytes: [UInt8]) {
    let text = bytes.text
    let commands = UnitCommand.parse(text)
    if let words = unitWords(text) {
        expect(
            words.reduce(0) { $0 + $1.utf8.count } <= text.utf8.count * 4,
            "words that are longer than their line")
    }
    for command in commands ?? [] {
        expect(!command.words.isEmpty, "a command without a program")
        let words = expandingVariables(command, ["K3S_URL": "https://a b", "X": "$X ${X} 'c'"])
        expect(words.first == command.words.first, "another program")
        for name in ["k3s", "k0s"] {
            guard
                let program = ServiceProgram(
                    command: words, named: name, subcommands: ["server", "agent", "controller", "worker"],
                    anyShape: true)
            else { continue }
            _ = program.arguments.value(of: "data-dir", short: "d")
            _ = program.arguments.values(of: "server")
            _ = program.arguments.isSet("cluster-init")
            _ = K3sService(program, environment: [:], configuration: [:])
        }
    }
    _ = expandingSpecifiers(text, unit: "k3s@edge.service")
    _ = UnitName(text)
    _ = environmentAssignments(text)
}

private func lookAtEnvironment(_ bytes: [UInt8]) {
    for (name, _) in environmentFile(bytes) {
        expect(
            name.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (65...90).contains($0 & 0xdf) },
            "\(name)")
    }
    if let facts = ProcessFacts.parse(stat: bytes) {
        expect(facts.startTicks >= 0, "a start before all time")
    }
    _ = MicroK8sData.store(arguments: bytes)
}
