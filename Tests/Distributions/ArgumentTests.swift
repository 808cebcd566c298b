import Testing

@testable import Distributions

@Suite("Arguments are read as Go's flag packages read them")
struct ArgumentTests {
    struct Value: Sendable {
        var words: [String]
        var expected: String?
    }

    @Test(
        "a flag's value",
        arguments: [
            Value(words: ["server", "--data-dir", "/d"], expected: "/d"),
            Value(words: ["server", "--data-dir=/d"], expected: "/d"),
            Value(words: ["-data-dir=/d", "server"], expected: "/d"),
            Value(words: ["server", "-d", "/d"], expected: "/d"),
            Value(words: ["server", "-d=/d"], expected: "/d"),
            Value(words: ["server", "-d/d"], expected: "/d"),
            Value(words: ["server", "--data-dir=/a", "--data-dir", "/b"], expected: "/b"),
            Value(words: ["server", "--data-dir="], expected: ""),
            Value(words: ["server", "--data-dir"], expected: nil),
            Value(words: ["server", "--data-directory=/d"], expected: nil),
            Value(words: ["server", "--", "--data-dir=/d"], expected: nil),
            Value(words: ["server", "--debug"], expected: nil),
            Value(words: ["server", "data-dir", "/d"], expected: nil),
            Value(words: [], expected: nil),
        ])
    func value(_ row: Value) {
        #expect(ProgramArguments(row.words).value(of: "data-dir", short: "d") == row.expected)
    }

    struct Switch: Sendable {
        var words: [String]
        var expected: Bool?
    }

    @Test(
        "a flag that is true or false",
        arguments: [
            Switch(words: ["controller", "--single"], expected: true),
            Switch(words: ["controller", "--single=true"], expected: true),
            Switch(words: ["controller", "--single=false"], expected: false),
            Switch(words: ["controller", "--single=maybe"], expected: false),
            Switch(words: ["controller", "--single", "--single=0"], expected: false),
            Switch(words: ["controller", "single"], expected: nil),
            Switch(words: ["controller", "--", "--single"], expected: nil),
        ])
    func isSet(_ row: Switch) { #expect(ProgramArguments(row.words).isSet("single") == row.expected) }

    struct Subcommand: Sendable {
        var words: [String]
        var expected: String?
    }

    @Test(
        "the subcommand, before and behind flags",
        arguments: [
            Subcommand(words: ["server"], expected: "server"),
            Subcommand(words: ["--debug", "agent", "--server", "https://x"], expected: "agent"),
            Subcommand(words: ["--data-dir", "/d", "server"], expected: "server"),
            Subcommand(words: ["--data-dir=/d", "server"], expected: "server"),
            Subcommand(words: ["etcd-snapshot", "save", "server"], expected: nil),
            Subcommand(words: ["kubectl", "get", "agent"], expected: nil),
            Subcommand(words: ["--data-dir=/d", "x", "server"], expected: nil),
            Subcommand(words: [], expected: nil),
        ])
    func subcommand(_ row: Subcommand) {
        #expect(ProgramArguments(row.words).subcommand(among: ["server", "agent"]) == row.expected)
    }

    struct Program: Sendable {
        var command: [String]
        var path: String?
        var name = ServiceProgram.Name.exact
        var anyShape = false
    }

    @Test(
        "the program in a unit's command",
        arguments: [
            Program(command: ["/usr/local/bin/k3s", "server"], path: "/usr/local/bin/k3s"),
            Program(command: ["k3s", "agent"], path: "k3s"),
            Program(command: ["/opt/k3s-arm64", "server"], path: "/opt/k3s-arm64", name: .similar),
            Program(command: ["/opt/kube", "server"], path: "/opt/kube", name: .other),
            Program(command: ["/usr/bin/env", "A=1", "/opt/k3s", "server"], path: "/opt/k3s"),
            Program(command: ["/bin/sh", "-c", "exec /opt/k3s server --data-dir=/d"], path: "/opt/k3s"),
            Program(command: ["/bin/bash", "-xec", "sleep 1; '/opt/k3s' agent"], path: "/opt/k3s"),
            Program(command: ["/usr/local/bin/k3s", "etcd-snapshot", "save"], path: nil),
            Program(
                command: ["/usr/local/bin/k3s-killall.sh", "server"], path: "/usr/local/bin/k3s-killall.sh",
                name: .other),
            Program(command: ["/usr/bin/logger", "k3s", "is", "no", "server"], path: nil),
            Program(command: ["/usr/bin/wrapper", "/opt/k3s-arm64", "server"], path: nil),
            Program(command: ["/usr/local/bin/rke2", "server"], path: "/usr/local/bin/rke2", name: .other),
            Program(command: ["/opt/kube", "run"], path: nil),
            Program(command: ["/opt/kube", "run"], path: "/opt/kube", name: .other, anyShape: true),
            Program(command: ["/bin/sh", "-c"], path: nil),
            Program(command: [], path: nil, anyShape: true),
        ])
    func program(_ row: Program) {
        let program = ServiceProgram(
            command: row.command, named: "k3s", subcommands: ["server", "agent"], anyShape: row.anyShape)
        #expect(program?.path == row.path)
        if row.path != nil { #expect(program?.name == row.name) }
    }
}
