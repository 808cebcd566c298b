import Gate
import Glibc
import Model
import Testing

/// The gate ended in the midst of its work; strace ends it at each call that changes something.
@Suite("invariant 7: the gate's effect is convergent")
struct GateKillTests {
    static let hasStrace = access("/usr/bin/strace", X_OK) == 0

    /// A call that is made where something is put back, from the spare or from the vault.
    struct Call: Sendable, CustomTestStringConvertible {
        var call: String
        var spare: Bool
        var testDescription: String { "\(call), from the \(spare ? "spare" : "vault")" }

        /// Each on both ways, as far as it is made there: a spare has its mode and owner already.
        static func all(_ calls: [String]) -> [Call] {
            calls.flatMap { call in [true, false].map { Call(call: call, spare: $0) } }
                .filter { !$0.spare || !["fchmod", "fchown"].contains($0.call) }
        }
    }

    @Test(
        "after kill -9 at any step there is a binary, and the next start goes on from there",
        .enabled(if: hasStrace, "strace is not installed"),
        arguments: Call.all(["mkdir", "link", "rename", "fsync", "write", "unlink", "fchmod"]))
    func killed(at place: Call) throws {
        let (call, spare) = (place.call, place.spare)
        for count in 1..<40 {
            let node = try GateNode()
            // Rises, so that the record of what last ran is written on the way too.
            try node.record("v1.30.1+k3s1")
            if !spare { node.remove(node.spare) }
            try node.write(node.binary, "a new minor", mode: 0o755)
            let outcome = node.gate(strace: [
                "-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(count)",
            ])
            let isWhole = outcome.status == 0
            #expect(isWhole || outcome.status == -SIGKILL, "\(call) \(count): \(outcome)")
            // No instant without a binary, and none with a half one.
            #expect(
                ["approved", "a new minor"].contains(node.read(node.binary) ?? "none"), "\(call) \(count)")
            #expect(node.gate().status == 0)
            #expect(node.read(node.binary) == "approved" && node.kept == ["a new minor"], "\(call) \(count)")
            #expect(node.lastRan?.highest == Version(GateNode.version) && node.lastRan?.unproven == nil)
            #expect(!node.exists("/usr/local/bin/.k3s.holdfast-copy"), "\(call) \(count)")
            if isWhole {
                #expect(count > 1, "\(call) is never made")
                return
            }
        }
        Issue.record("\(call) never came to an end")
    }

    @Test(
        "invariant 1: a veto that is killed at any step lets that start through, tells of nothing that did not happen, and refuses the next one",
        .enabled(if: hasStrace, "strace is not installed"),
        arguments: ["connect", "mkdir", "rename", "fsync", "write"])
    func killedVeto(call: String) throws {
        for count in 1..<80 {
            let node = try GateNode()
            let socket = try VetoTests.refresh(on: node)
            let outcome = node.gate(
                unit: VetoTests.unit,
                strace: ["-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(count)"],
                asking: socket)
            let isWhole = outcome.status == 77
            #expect(isWhole || outcome.status == -SIGKILL, "\(call) \(count): \(outcome)")
            let next = node.gate(unit: VetoTests.unit, asking: socket)
            #expect(next.status == 77, "\(call) \(count): \(next)")
            let records = node.list(node.state.spool)
            // Once each at most, whole, and a start that was refused is none.
            #expect((1...2).contains(records.count) && node.spool.count == records.count)
            #expect(node.spool.allSatisfy { $0.reason == .vetoed }, "\(call) \(count)")
            #expect((node.read(node.state.starts(unit: VetoTests.unit)) ?? "").contains(" - 12 ") == false)
            if isWhole {
                #expect(count > 1, "\(call) is never made")
                return
            }
        }
        Issue.record("\(call) never came to an end")
    }

    @Test(
        "invariant 12: the record of what last ran is on the disk before it takes the place of the one before",
        .enabled(if: hasStrace, "strace is not installed"))
    func flushedRecord() throws {
        let node = try GateNode()
        // Rises, so that it is written.
        try node.record("v1.30.1+k3s1")
        #expect(node.gate(strace: ["-y", "-s", "400", "-e", "trace=fsync,rename"]).status == 0)
        #expect(node.lastRan?.highest == Version(GateNode.version))
        let draft = GatePlaces.draft(of: node.root + node.state.lastRan(dataDirectory: node.data))
        let lines = String(decoding: try GateNode.bytes(of: "\(node.root).trace"), as: UTF8.self)
            .split(separator: "\n")
        let renamed = try #require(lines.firstIndex { $0.contains("rename(\"\(draft)\"") })
        #expect(
            lines[..<renamed].contains {
                $0.contains(" fsync(") && $0.contains("<\(draft)>") && $0.hasSuffix("= 0")
            })
    }

    @Test("where the file system has no hard links the two change places", .enabled(if: hasStrace))
    func withoutHardLinks() throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        let outcome = node.gate(strace: ["-e", "trace=link", "-e", "inject=link:error=EPERM"])
        #expect(outcome.status == 0)
        #expect(
            node.read(node.binary) == "approved" && node.kept == ["a new minor"] && !node.exists(node.spare))
    }

    @Test("what could not even be kept so is not lost", .enabled(if: hasStrace))
    func keptAtTheSpare() throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        let outcome = node.gate(strace: [
            "-e", "trace=link,rename", "-e", "inject=link:error=EPERM", "-e",
            "inject=rename:error=EIO:when=2",
        ])
        #expect(outcome.status == 0)
        #expect(node.read(node.binary) == "approved" && node.read(node.spare) == "a new minor")
        // It lies where the spare was, and is not taken for it.
        #expect(node.gate().status == 0 && node.read(node.binary) == "approved")
    }

    @Test("a gate that hangs ends itself within two seconds, and not with 77", .enabled(if: hasStrace))
    func hang() throws {
        let node = try GateNode()
        let outcome = node.gate(strace: ["-e", "trace=rename", "-e", "inject=rename:delay_enter=3000000"])
        #expect(outcome.status == -SIGALRM)
    }
}
