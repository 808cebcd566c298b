import Gate
import Glibc
import Testing

/// The wrapper that systemd runs, with systemd's own escapes taken out.
@Suite("The drop-in")
struct DropInTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        /// A program of the shell in the gate's place; nil for none at all.
        var program: String?
        var starts: Bool
        var marks: Bool
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "it lets start", program: "exit 0", starts: true, marks: false),
        Row(name: "it refuses", program: "exit 77", starts: false, marks: false),
        Row(name: "it fails", program: "exit 1", starts: true, marks: true),
        Row(name: "it crashes", program: "kill -SEGV $$", starts: true, marks: true),
        Row(name: "it hangs", program: "trap '' TERM; while :; do sleep 1; done", starts: true, marks: true),
        Row(name: "its loader fails", program: "exit 127", starts: true, marks: true),
        Row(name: "it is gone", program: nil, starts: true, marks: true),
    ]

    @Test(
        "invariant 3: only 77 refuses; invariant 12: any other end marks the start as missed", arguments: rows
    )
    func wrapper(row: Row) throws {
        let node = try GateNode()
        let program = "/usr/libexec/holdfast/holdfast-gate"
        if let text = row.program { try node.write(program, "#!/bin/sh\n\(text)\n", mode: 0o755) }
        try node.write("/var/lib/holdfast/gate/missed/another", "")
        let text = gateDropIn(
            program: node.root + program, state: node.root + "/var/lib/holdfast", isSnap: false)
        let words = try #require(command(in: text)).replacing(
            "/run/holdfast", with: node.root + "/run/holdfast")
        let outcome = GateNode.run(["/bin/sh", "-c", words], errorsTo: node.root + "/errors")
        #expect(outcome.status == (row.starts ? 0 : 1))
        #expect(outcome.errors.contains("holdfast-gate: k3s.service: it starts unguarded") == row.marks)
        #expect(node.exists(node.state.missed(unit: "k3s.service")[0]) == row.marks)
    }

    @Test("invariant 3: a state directory that cannot be written to lets start too")
    func unwritable() throws {
        let text = gateDropIn(program: "/nowhere/gate", state: "/proc/nowhere", isSnap: false)
        let words = try #require(command(in: text)).replacing("/run/holdfast", with: "/proc/nowhere")
        #expect(GateNode.run(["/bin/sh", "-c", words]).status == 0)
    }

    @Test("before a snap's services refused starts do not add up")
    func startLimit() {
        #expect(gateDropIn(program: "/g", state: "/s", isSnap: true).contains("\nStartLimitIntervalSec=0\n"))
        #expect(!gateDropIn(program: "/g", state: "/s", isSnap: false).contains("StartLimit"))
    }

    /// What is between the quotes of `ExecStartPre=`, as /bin/sh gets it from systemd.
    private func command(in text: String) -> String? {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("ExecStartPre=+/bin/sh -c \"") }
        guard lines.count == 1, let line = lines.first, line.hasSuffix("\"") else { return nil }
        return String(line.dropFirst("ExecStartPre=+/bin/sh -c \"".count).dropLast())
            .replacing("$$", with: "$").replacing("%n", with: "k3s.service")
    }
}
