import Testing

/// The start gate in front of a K3s under a real systemd, on a node of its own: `adopt` takes in all that is there.
@Suite(
    "the gate in front of a real unit", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.plain, with: "k3s"))
struct GuardedNodeTests {
    @Test(
        "invariant 1: a minor that came by mv is put aside before it starts, and release leaves nothing of ours"
    )
    func restore() async throws {
        let node = try LabNode.current
        let k3s = try await node.installK3s("guarded", "v1.31.4+k3s1", port: 7141)
        let minor = try await node.download("k3s", "v1.32.1+k3s1")
        let dropIn = "/etc/systemd/system/\(k3s.unit).d/zz-holdfast.conf"
        try await node.withHoldfastInstalled { node in
            try await node.write(
                "apiVersion: holdfast/v1\nunattended: patch\nenforce: {gate: restore}\n",
                to: "/etc/holdfast/policy.yaml")
            try await node.run(
                "holdfast adopt && test -e \"$1\" && systemctl restart \"$2\"", dropIn, k3s.unit)
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")

            try await node.run(
                "cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"; systemctl restart \"$3\"", minor, k3s.binary,
                k3s.unit)
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.4+k3s1"))
            #expect(
                try await node.run("journalctl -u \(k3s.unit) -o cat --no-pager").contains(
                    "v1.31.4+k3s1 (sha256"))
            // It is kept aside, to be looked at.
            try await node.run("cmp \"$1\" \(k3s.bin)/.holdfast-pending/*", minor)

            // The tick stages another spare from inside its sandbox, which adopt has opened for this directory.
            try await node.run(
                "systemctl start holdfast; cmp \"$2\" \"$1\"/.k3s.holdfast-spare", k3s.bin, k3s.binary)

            // The drop-in stays during a pause: the gate itself lets every start through.
            try await node.run("holdfast pause --for 2h --reason lab")
            try await node.run(
                "cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"; systemctl restart \"$3\"", minor, k3s.binary,
                k3s.unit)
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.32.1+k3s1"))

            // Invariant 12: it has started on this data, so nothing is put back over it.
            try await node.run("holdfast resume; systemctl restart \"$1\"", k3s.unit)
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.32.1+k3s1"))

            try await node.run("holdfast release && ! test -e \"$1\"", dropIn)
            #expect(
                try await node.ask("sh", "-c", "ls -A \(k3s.bin) | grep spare").output == "")
            #expect(try await node.ask("holdfast", "verify").code == 0)
            #expect(try await node.ask("systemctl", "is-active", k3s.unit).output == "active\n")
        }
    }
}
