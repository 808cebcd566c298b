import Gate
import Glibc
import Model
import Testing

@Suite("The gate as a program")
struct GateProgramTests {
    @Test("an approved binary starts, silently, and the start is listed")
    func approved() throws {
        let node = try GateNode()
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(node.spool.isEmpty && node.kept.isEmpty && !node.isMissed)
        let starts = node.read(node.state.starts(unit: "k3s.service")) ?? ""
        #expect(starts.hasPrefix(GateNode.invocation))
        #expect(starts.contains(" \(GateNode.version) \(GateNode.digest("approved").hex) "))
    }

    @Test("whatever a path in the guard file holds, the journal gets one line of what can be seen")
    func plainLines() throws {
        let node = try GateNode()
        node.file.installations[0].binary = "/usr/local/bin/k3s\u{1b}[31m\n\u{202e}"
        try node.writeGuard()
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors.contains("/usr/local/bin/k3s?[31m?"), "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("holdfast-gate: ") })
        #expect(outcome.errors.split(separator: "\n").allSatisfy { String($0).printable == $0 })
    }

    @Test("the list of starts stays short")
    func startsAreBounded() throws {
        let node = try GateNode()
        for _ in 0..<40 { _ = node.gate() }
        let lines = (node.read(node.state.starts(unit: "k3s.service")) ?? "").split(separator: "\n")
        #expect(lines.count == 32)
    }

    @Test(
        "invariant 12: a start is listed too while the state directory cannot be written to, and the list stays whole"
    )
    func startsMeanwhile() throws {
        let node = try GateNode()
        let unit = "k3s.service"
        _ = node.gate()
        let list = try #require(node.read(node.state.starts(unit: unit)))
        // Neither root's powers nor a full disk are needed for a directory that is none.
        let directory = node.root + "/var/lib/holdfast/gate/starts"
        #expect(rename(directory, directory + ".kept") == 0)
        try node.write("/var/lib/holdfast/gate/starts", "")
        _ = node.gate()
        let meanwhile = try #require(node.read(GatePlaces.startsMeanwhile(unit: unit)))
        #expect(meanwhile.split(separator: "\n").count == 1)

        #expect(unlink(directory) == 0 && rename(directory + ".kept", directory) == 0)
        try node.write(GatePlaces.startsMeanwhile(unit: unit), list + meanwhile)
        _ = node.gate()
        let whole = try #require(node.read(node.state.starts(unit: unit)))
        #expect(whole.hasPrefix(list + meanwhile) && whole.split(separator: "\n").count == 3)
        #expect(!node.exists(GatePlaces.startsMeanwhile(unit: unit)))
    }

    @Test("invariant 1: the spare takes an unapproved binary's place, which is kept and told")
    func restoreFromSpare() throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        let spare = try node.identity(node.spare)
        let outcome = node.gate()
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("holdfast pause --for 2h --reason"))
        #expect(node.read(node.binary) == "approved")
        // A rename and no copy.
        #expect(try node.identity(node.binary).inode == spare.inode)
        #expect(!node.exists(node.spare))
        #expect(node.kept == ["a new minor"])
        let record = try #require(node.spool.first)
        #expect(node.spool.count == 1 && record.reason == .restored && record.restored == node.approved)
        #expect(record.invocationID == GateNode.invocation)
        #expect(record.pending?.hasPrefix(node.pending) == true)
        #expect(node.lastRan?.highest == Version(GateNode.version) && node.lastRan?.unproven == nil)
        #expect(!node.isMissed)
    }

    @Test("the binary that was put back is known again by its digest, without a spare")
    func startAfterRestore() throws {
        let node = try GateNode()
        try node.write(node.binary, "a new minor", mode: 0o755)
        _ = node.gate()
        let again = node.gate()
        #expect(again.status == 0 && again.errors == "")
        #expect(node.spool.count == 1 && node.kept == ["a new minor"])
    }

    @Test("a start within two seconds of adopt, with a file that nobody knows by its identity, keeps it")
    func young() throws {
        let node = try GateNode()
        node.file.installations[0].approved[0].identities = []
        try node.writeGuard()
        let file = try node.identity(node.binary)
        let outcome = node.gate()
        #expect(outcome.status == 0 && outcome.errors == "" && node.spool.isEmpty && node.kept.isEmpty)
        #expect(try node.identity(node.binary) == file && node.exists(node.spare))

        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().errors.contains("/usr/local/bin/k3s was not approved: v1.31.4+k3s1"))
        #expect(node.kept == ["a new minor"])
    }

    @Test("what is swapped unhashed is not said to be unapproved: its bytes may be the same")
    func unhashed() throws {
        let node = try GateNode()
        node.remove(node.binary)
        try node.write(node.binary, "approved", mode: 0o755)
        #expect(node.gate().errors.contains("/usr/local/bin/k3s was not known to be approved: v1.31.4+k3s1"))
        node.remove(node.binary)
        node.remove(node.spare)
        #expect(node.gate().errors.contains("/usr/local/bin/k3s was not there: v1.31.4+k3s1"))
        #expect(node.read(node.binary) == "approved")
    }

    @Test("without a spare the vault's copy comes in, with the mode of what was there")
    func restoreFromVault() throws {
        let node = try GateNode()
        node.remove(node.spare)
        try node.write(node.binary, "a new minor", mode: 0o750)
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == "approved")
        var status = stat()
        #expect(stat(node.root + node.binary, &status) == 0 && status.st_mode & 0o777 == 0o750)
        #expect(node.kept == ["a new minor"] && node.spool.first?.reason == .restored)
        #expect(node.list("/usr/local/bin") == ["k3s"] && !node.exists("/usr/local/bin/.k3s.holdfast-copy"))
    }

    @Test("a missing binary comes back from the spare or the vault", arguments: [true, false])
    func missingBinary(spare: Bool) throws {
        let node = try GateNode()
        node.remove(node.binary)
        if !spare { node.remove(node.spare) }
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == "approved" && node.kept.isEmpty)
    }

    @Test("invariant 12: over data that a newer minor may have written, what is there starts")
    func noProof() throws {
        for record in [("v1.32.0+k3s1", nil), (GateNode.version, "a start went by")] as [(String, String?)] {
            let node = try GateNode()
            try node.record(record.0, unproven: record.1)
            try node.write(node.binary, "a new minor", mode: 0o755)
            #expect(node.gate().status == 0)
            #expect(node.read(node.binary) == "a new minor" && node.spool.first?.reason == .noProof)
            #expect(node.lastRan?.unproven != nil)
        }
    }

    @Test("invariant 12: one start that went unrecorded takes the proof away", arguments: [0, 1])
    func missedStart(mark: Int) throws {
        let node = try GateNode()
        try node.write(node.state.missed(unit: "k3s.service")[mark], "")
        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == "a new minor" && node.spool.first?.reason == .noProof)
    }

    @Test("invariant 12: what starts while the guards are paused counts as having run")
    func paused() throws {
        let node = try GateNode()
        node.file.pausedUntil = Instant(seconds: .max)
        try node.writeGuard()
        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().status == 0 && node.spool.first?.reason == .paused)
        node.file.pausedUntil = nil
        try node.writeGuard()
        #expect(node.gate().status == 0 && node.read(node.binary) == "a new minor")
        #expect(node.spool.last?.reason == .noProof)
    }

    @Test("the first start of a higher version is recorded before it starts")
    func lastRanRises() throws {
        let node = try GateNode()
        try node.record("v1.30.1+k3s1")
        #expect(node.gate().status == 0)
        #expect(node.lastRan?.highest == Version(GateNode.version))
        #expect(node.lastRan?.invocationID == GateNode.invocation)
    }

    @Test("agents keep no data: the spare comes in without a record")
    func agent() throws {
        let node = try GateNode(role: .agent)
        node.remove(node.state.lastRan(dataDirectory: node.data))
        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().status == 0 && node.read(node.binary) == "approved")
    }

    @Test("refuse ends with 77 on bytes that are not approved, and prints how to lift it")
    func refuse() throws {
        let node = try GateNode(mode: .refuse)
        try node.write(node.binary, "a new minor", mode: 0o755)
        let outcome = node.gate()
        #expect(outcome.status == 77 && outcome.errors.contains("holdfast pause --for 2h --reason"))
        #expect(node.read(node.binary) == "a new minor" && node.spool.first?.reason == .refused)
        // The same bytes in another file are approved.
        try node.write(node.binary, "approved", mode: 0o755)
        #expect(node.gate().status == 0)
    }

    @Test("warn and off touch nothing", arguments: [Enforcement.GateMode.warn, .off])
    func harmless(mode: Enforcement.GateMode) throws {
        let node = try GateNode(mode: mode)
        try node.write(node.binary, "a new minor", mode: 0o755)
        #expect(node.gate().status == 0 && node.read(node.binary) == "a new minor")
        #expect(node.spool.map(\.reason) == (mode == .warn ? [.warned] : []))
        #expect(node.lastRan?.unproven != nil)
    }

    @Test("no more than eight are kept, the oldest goes first")
    func pendingIsBounded() throws {
        let node = try GateNode()
        for round in 0..<12 {
            try node.write(node.spare, "approved", mode: 0o755)
            node.file.installations[0].spare?.identity = try node.identity(node.spare)
            try node.writeGuard()
            try node.write(node.binary, "minor \(round)", mode: 0o755)
            #expect(node.gate().status == 0 && node.read(node.binary) == "approved")
        }
        #expect(node.kept.count == 8 && node.kept.contains("minor 11") && !node.kept.contains("minor 0"))
    }

    @Test("a link in the binary's place is kept as the link that it was")
    func link() throws {
        let node = try GateNode()
        try node.write("/opt/k3s-1.32", "a new minor", mode: 0o755)
        node.remove(node.binary)
        #expect(symlink(node.root + "/opt/k3s-1.32", node.root + node.binary) == 0)
        #expect(node.gate().status == 0)
        #expect(node.read(node.binary) == "approved" && node.kept == ["a new minor"])
        #expect(node.read("/opt/k3s-1.32") == "a new minor")
    }

    @Test("the spool is bounded, and says that more happened")
    func spoolIsBounded() throws {
        let node = try GateNode(mode: .warn)
        try node.write(node.binary, "a new minor", mode: 0o755)
        for _ in 0..<70 { #expect(node.gate().status == 0) }
        #expect(node.list(node.state.spool).count == 65 && node.exists("\(node.state.spool)/overflow"))
    }

    @Test("a mistake in its arguments lets the unit start")
    func usage() throws {
        let node = try GateNode()
        #expect(GateNode.run([GateNode.program, "--root"]).status == 64)
        #expect(GateNode.run([GateNode.program, "--root", node.root, "../k3s.service"]).status == 64)
        #expect(GateNode.run([GateNode.program, "--root", node.root, "a", "b"]).status == 64)
    }
}
