import FoundationEssentials
import Host
import Testing

/// `holdfast step` and a person's rollback, killed at system calls under a real systemd: `make soak`.
@Suite(
    "a step that is killed at some system call", .serialized,
    .enabled(if: Lab.soakRounds != nil, "SKIPPED: make soak runs it"),
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .node(.plain, with: "k3s"))
struct KilledStepTests {
    private static let policy = """
        apiVersion: holdfast/v1
        unattended: none
        origin: claimed
        clock: trusted
        enforce: {gate: restore}
        health: {checks: [unit, running, readyz], interval: 1s, timeout: 2s, consecutiveSuccesses: 2, deadline: 10s}

        """

    /// Which way is killed, and how often.
    struct Way: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var name: String
        var kills: Int

        static let all = [
            Way(testDescription: "an upgrade, and a person's rollback", name: "up", kills: 24),
            Way(
                testDescription: "the way back from a patch that never becomes ready", name: "fail", kills: 8),
        ]
    }

    @Test(
        "invariants 3, 7 and 8: the unit starts, the next tick and step come to the same end, and nothing is left over",
        arguments: Way.all)
    func killed(_ way: Way) async throws {
        let node = try LabNode.current
        try await node.putStrace()
        try await node.put(Lab.repository + "/Packaging/lab/node", at: "/usr/local/lib/lab")
        let k3s = try await node.installK3s(
            "felled-\(way.name)", "v1.31.4+k3s1", port: way.name == "up" ? 7181 : 7182)
        let old = try await node.download("k3s", "v1.31.4+k3s1")
        var new = try await node.download("k3s", "v1.31.5+k3s1")
        if way.name == "fail" {
            let built = try await Lab.run(
                ["binary", "k3s", "v1.31.5+k3s1", "--broken", "never-ready"], seconds: 120)
            new = "/root/never-ready"
            try await node.put(String(built.split(separator: "\n").last ?? ""), at: new)
        }
        try await node.withHoldfastInstalled { node in
            try await node.write(Self.policy, to: "/etc/holdfast/policy.yaml")
            for unit in ["holdfast", "holdfast-step"] {
                try await node.write(
                    "[Service]\nReadWritePaths=\(k3s.bin)\n",
                    to: "/etc/systemd/system/\(unit).service.d/node.conf")
            }
            try await node.run("systemctl daemon-reload; holdfast adopt")
            try await node.restart(k3s.unit)
            // As an unattended upgrade brings it: the gate turns it away, and it waits to be approved.
            try await node.run(
                "cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"; systemctl restart \"$3\"", new, k3s.binary,
                k3s.unit)
            let legs = way.name == "up" ? ["up", "back"] : ["fail"]
            let seed = UInt64.random(in: .min ... .max)
            let kills = min(way.kills, Lab.soakRounds ?? 0)
            var dice = SystemCallDice(state: seed)
            var instants: [String: [String]] = [:]
            var killed = 0
            // The first time nothing is killed, and it is seen what could be.
            for kill in 0..<kills / legs.count + 1 {
                for leg in legs {
                    if leg != "back" { try await approve(node, "v1.31.5+k3s1") }
                    let instant = instants[leg].map { $0[Int(dice.next() % UInt64($0.count))] } ?? "none 0"
                    let words = instant.split(separator: " ").map(String.init)
                    let answer = try await node.ask(
                        "/usr/local/lib/lab/fell", leg, words[0], words[1], k3s.unit, k3s.binary, old, new,
                        seconds: 180)
                    #expect(answer.code == 0, "seed \(seed), kill \(kill): \(answer.output)\(answer.errors)")
                    if answer.output.contains("killed") { killed += 1 }
                    if instants[leg] == nil { instants[leg] = try await seen(node) }
                }
            }
            // Whoever is killed in the midst of another leg than it was counted in makes fewer calls.
            #expect(killed * 4 >= kills * 3, "seed \(seed): \(killed) of \(kills)")
            print(
                "\(way.testDescription): \(killed) kills, of \(instants.mapValues(\.count)) calls, seed \(seed)"
            )
            try await node.run(
                "holdfast release; rm -rf /etc/systemd/system/holdfast*.service.d /var/lib/holdfast; systemctl daemon-reload"
            )
        }
    }

    private func approve(_ node: LabNode, _ version: String) async throws {
        try await node.run("systemctl start holdfast")
        let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
        let change = try #require(status.installations.flatMap(\.changes).first { $0.to == version })
        try await node.run("holdfast approve \"$1\"", change.id)
    }

    /// Each call that changes something, as `NAME NUMBER`: of its own thread, which is how strace counts.
    private func seen(_ node: LabNode) async throws -> [String] {
        try await node.run(
            """
            awk '{call = $2; sub(/\\(.*/, "", call); n[$1, call]++}
                call !~ /^[a-z]/ || (call == "openat" && !/O_CREAT/) {next} {print call, n[$1, call]}' /root/calls
            """
        ).split(separator: "\n").map(String.init)
    }
}

extension LabNode {
    /// Puts this machine's strace on the node, with the libraries that no node has.
    fileprivate func putStrace() async throws {
        let libraries = try runProcess(["/usr/bin/ldd", "/usr/bin/strace"], timeout: 10_000)
        for line in String(decoding: libraries.output, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[1] == "=>" else { continue }
            let path = String(words[2])
            if try await ask("test", "-e", path).code != 0 { try await put(path, at: path) }
        }
        try await put("/usr/bin/strace", at: "/usr/local/bin/strace")
    }
}

/// A random source that a seed repeats (SplitMix64).
private struct SystemCallDice {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
