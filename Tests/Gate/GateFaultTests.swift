import Gate
import Glibc
import Model
import Testing

/// The kernel refuses the gate one call, each in turn, by strace.
@Suite("invariant 3: whatever the kernel refuses the gate, the unit starts")
struct GateFaultTests {
    /// What changes something, and what the gate reads by.
    static let calls = [
        "openat", "mkdir", "link", "rename", "fsync", "write", "unlink", "fchmod", "fchown", "flock", "read",
        "getdents64",
        "setitimer", "fstat,newfstatat",
    ]
    static let errors = ["EIO", "ENOSPC", "EDQUOT", "EROFS"]
    private static let isSoak = getenv("HOLDFAST_SOAK") != nil

    @Test(
        "it starts what is approved or what was there, whole, and the next start puts the approved one back",
        .enabled(if: GateKillTests.hasStrace, "strace is not installed"),
        arguments: GateKillTests.Call.all(calls))
    func refused(at refused: GateKillTests.Call) throws {
        let (call, spare) = (refused.call, refused.spare)
        for error in 0..<(Self.isSoak ? Self.errors.count : 1) {
            let first = call == "openat" ? try Self.opensOfLoader() + 1 : 1
            var tried = 0
            for count in first..<(first + 80) {
                // One error after the other, since they differ in nothing but their number.
                let name = Self.errors[(error + count) % Self.errors.count]
                let node = try GateNode()
                try node.record("v1.30.1+k3s1")
                if !spare { node.remove(node.spare) }
                try node.write(node.binary, "a new minor", mode: 0o755)
                let outcome = node.gate(strace: [
                    "-qq", "-e", "trace=\(call)", "-e", "inject=\(call):error=\(name):when=\(count)",
                ])
                let trace = String(decoding: try GateNode.bytes(of: "\(node.root).trace"), as: UTF8.self)
                guard trace.contains("(INJECTED)") else { break }
                tried += 1
                let place = "\(call) \(count) \(name): \(outcome)"
                // Its own name and words, or a library, could not be read: the wrapper lets start whatever is not 77, and
                // the tick finds a start without a record.
                let isBlind =
                    outcome.status == 64 && ["read", "openat"].contains(call)
                    || outcome.status == 127 && outcome.errors.contains("loading shared libraries")
                #expect(outcome.status == 0 || isBlind, "\(place)")
                #expect(["approved", "a new minor"].contains(node.read(node.binary) ?? "none"), "\(place)")
                // Where there is no room for the directory in which it is kept, the spare changes places with it.
                let hasNoRoom = trace.split(separator: "\n").contains {
                    $0.contains("(INJECTED)") && $0.contains("mkdir(\"\(node.root)\(node.pending)\"")
                }
                #expect(!hasNoRoom || !spare || node.read(node.binary) == "approved", "\(place)")
                // What started is known to be unknown, or is what is recorded.
                if node.read(node.binary) == "a new minor", !isBlind {
                    #expect(node.isMissed || node.lastRan.map { $0.unproven != nil } ?? true, "\(place)")
                }
                #expect(throws: Never.self, "\(place)") {
                    try GuardFile.parse(Array((node.read(node.state.guardFile) ?? "").utf8))
                }
                let next = node.gate()
                #expect(next.status == 0, "\(place)")
                // Over data that the new minor may have written nothing is put back (invariant 12).
                if node.isMissed || node.lastRan?.unproven != nil { continue }
                #expect(node.read(node.binary) == "approved", "\(place): \(next)")
                #expect(!node.exists("/usr/local/bin/.k3s.holdfast-copy"), "\(place)")
            }
            #expect((1..<80).contains(tried), "\(call) is never made, or without end")
        }
    }

    /// How often the loader looks for a library before main: what it makes of a refusal is its own.
    private static func opensOfLoader() throws -> Int {
        let node = try GateNode()
        _ = node.gate(strace: ["-qq", "-e", "trace=openat"])
        let lines = String(decoding: try GateNode.bytes(of: "\(node.root).trace"), as: UTF8.self)
            .split(separator: "\n")
        return (lines.lastIndex { $0.contains(".so") } ?? -1) + 1
    }
}
