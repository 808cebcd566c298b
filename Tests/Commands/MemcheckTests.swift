import FoundationEssentials
import Host
import Testing

/// valgrind's memcheck over the two programs as they ship, which `make test` builds for the lab (`HOLDFAST_PROGRAM`).
///
/// What is used and was never set is not looked for, see below.
private final class Memcheck {
    let node: SampleNode
    private let programs: String
    /// Under valgrind everything takes many times as long, which the gate's own deadline does not allow for.
    private let timeless: String
    static let isInstalled = isExecutable("/usr/bin/valgrind")
    static let shipped = ProcessInfo.processInfo.environment["HOLDFAST_PROGRAM"]

    init() throws {
        node = try SampleNode(
            policy: "apiVersion: holdfast/v1\nunattended: patch\norigin: claimed\nenforce: {gate: restore}\n")
        programs = node.directory + "/programs"
        timeless = node.directory + "/timeless.so"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        let built = URL(filePath: try #require(Self.shipped)).deletingLastPathComponent().path
        for name in ["holdfast", "holdfast-gate"] {
            // What Swift writes for debuggers is newer than what valgrind reads; no package has it either.
            try run(["/usr/bin/strip", "--strip-debug", "-o", "\(programs)/\(name)", "\(built)/\(name)"])
        }
        let source = node.directory + "/timeless.c"
        try Data("int setitimer(int which, const void *new, void *old) { return 0; }\n".utf8)
            .write(to: URL(filePath: source))
        try run(["/usr/bin/env", "cc", "-shared", "-fPIC", "-fno-builtin", "-o", timeless, source])
    }

    private func run(_ words: [String]) throws {
        let outcome = try runProcess(
            words, environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], timeout: 120_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    /// What no program of ours exits with.
    private static let found: Int32 = 99

    /// Runs a program under valgrind; an invalid access and what is certainly lost are recorded.
    private func look(_ words: [String], _ environment: [String: String]) throws {
        let options = [
            "--quiet", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--error-exitcode=\(Self.found)",
            // An enum's case stands among bits of which Swift leaves others unset, which memcheck takes for a defect.
            "--undef-value-errors=no",
        ]
        let outcome = try runProcess(
            ["/usr/bin/valgrind"] + options + words, environment: environment, timeout: 300_000)
        #expect(
            outcome.succeeded, "\(words): \(outcome.end)\n\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    func holdfast(_ words: String...) throws {
        try look(
            ["\(programs)/holdfast"] + words + ["--root", node.root, "--policy", node.policy],
            ["LANG": "C.UTF-8"])
    }

    func gate() throws {
        try look(
            ["\(programs)/holdfast-gate", "--root", node.root, "k3s.service"],
            ["LD_PRELOAD": timeless, "INVOCATION_ID": "0123456789abcdef0123456789abcdef"])
    }
}

@Suite(
    "valgrind finds neither an invalid access nor lost memory",
    .enabled(
        if: Memcheck.shipped != nil, "HOLDFAST_PROGRAM names no program as it ships; make test builds one"),
    .enabled(
        if: Memcheck.isInstalled,
        "valgrind is not installed; Packaging/scripts/bootstrap --for-tests brings it"))
struct MemcheckTests {
    @Test(
        "in an adoption and a quiet tick, and in the gate where nothing is new and where it puts an artifact back"
    )
    func clean() throws {
        let memcheck = try Memcheck()
        try memcheck.holdfast("adopt")
        try memcheck.holdfast("check")
        try memcheck.gate()
        let approved = try hashFile(memcheck.node.binary)
        try memcheck.node.install("v1.32.1+k3s1")
        try memcheck.gate()
        #expect(try hashFile(memcheck.node.binary) == approved)
    }
}
