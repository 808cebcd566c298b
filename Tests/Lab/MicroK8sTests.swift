import Model
import Testing

/// MicroK8s in a real snapd with a store of its own, on a node that is booted once.
@Suite(
    "MicroK8s on a real node", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.snapd, with: "microk8s", "k3s"))
struct MicroK8sTests {
    @Test(
        "held: the hold is shown, an offer is seen, snapd keeps it out, and a refresh that names the snap does not care"
    )
    func held() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 101)
        let guarded = try await NodeUnderGuard(node)
        let free = try await guarded.microK8s()
        #expect((free.distribution, free.role) == ("microk8s", "node"))
        #expect(free.units.contains("snap.microk8s.daemon-kubelite.service"))
        #expect((free.installed?.version, free.installed?.revision) == ("v1.33.4", "101"))
        #expect((free.installed?.channel, free.installed?.path) == ("1.33/stable", "/snap/microk8s/101"))
        #expect((free.installed?.evidence, free.installed?.origin) == ("snapd", "verified"))
        #expect(free.sources == .all("v1.33.4", "process-executable", "snapd"))
        #expect(free.running?.restartPending == false)
        #expect(free.hold == nil && free.changes.isEmpty)

        try await node.run("snap refresh --hold microk8s")
        try await node.lab("publish", "v1.33.5", "102", "1.33/stable")
        // What an earlier tick was told of the store counts for an hour; a new ledger asks at once.
        let asking = try await NodeUnderGuard(node)
        let held = try await asking.microK8s()
        #expect(held.hold?.until?.hasPrefix("2319-") == true)
        #expect(try await asking.text("status").contains("forever"))
        let offer = try held.change()
        #expect((offer.phase, offer.trigger, offer.updateType) == ("offered", "auto-refresh", "patch"))
        #expect((offer.from, offer.to, offer.target.revision) == ("v1.33.4", "v1.33.5", "102"))
        #expect(offer.decision.verdict == "allow")

        try await node.lab("refresh-now")
        #expect(try await asking.microK8s().installed?.revision == "101")
        try await node.run("snap refresh microk8s")
        let named = try await asking.microK8s()
        #expect((named.installed?.revision, named.running?.version) == ("102", "v1.33.5"))
        #expect(named.hold?.until?.hasPrefix("2319-") == true)
        let change = try named.change()
        #expect((change.id, change.phase, change.trigger) == (offer.id, "running", "named-refresh"))

        try await node.run("snap revert microk8s")
        let reverted = try await asking.microK8s()
        #expect((reverted.installed?.revision, reverted.running?.version) == ("101", "v1.33.4"))
        #expect(reverted.changes.isEmpty)
        #expect(try await asking.history().map(\.phase) == ["offered", "running"])
        #expect(try await node.journal(.changeEnded).contains { $0.change == offer.id })
        _ = try await asking.entries()
    }

    @Test(
        "invariant 1: a minor that snapd's own auto-refresh brought is told as such and held, and is over once reverted"
    )
    func autoRefreshed() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 201)
        let guarded = try await NodeUnderGuard(node)
        #expect(try await guarded.microK8s().changes.isEmpty)
        try await node.lab("publish", "v1.34.0", "202", "1.33/stable")
        #expect(try await node.lab("refresh-now").contains("\tauto-refresh\tDone\t"))
        let refreshed = try await guarded.microK8s()
        #expect((refreshed.installed?.revision, refreshed.running?.version) == ("202", "v1.34.0"))
        #expect((refreshed.approved?.revision, refreshed.approved?.version) == ("201", "v1.33.4"))
        let change = try refreshed.change()
        #expect((change.trigger, change.updateType, change.phase) == ("auto-refresh", "minor", "running"))
        #expect(change.decision.verdict == "hold")
        #expect(change.open.contains("ceiling") && !change.open.contains("origin"))
        // What could not be told as an Event is a problem of the tick after it.
        _ = try await guarded.microK8s()
        let entries = try await guarded.entries()
        #expect(try await guarded.microK8s().changes.map(\.decision.id) == [change.decision.id])
        #expect(try await guarded.entries() == entries)

        let entry = try #require(try await node.journal(.decided).last { $0.change == change.id })
        #expect((entry.trigger, entry.revision, entry.verdict) == ("auto-refresh", "202", "hold"))
        try await node.run("snap revert microk8s")
        #expect(try await guarded.microK8s().changes.isEmpty)
        // A revision that was turned away is not offered again; the one after it is.
        try await node.lab("publish", "v1.33.6", "203", "1.33/stable")
        let again = try await NodeUnderGuard(node).microK8s().change()
        #expect((again.phase, again.target.revision) == ("offered", "203"))
        _ = try await guarded.entries()
    }

    @Test("what a person installed from a file is claimed by its bytes alone, and is held (invariant 2)")
    func sideloaded() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 301)
        let guarded = try await NodeUnderGuard(node)
        _ = try await guarded.microK8s()
        try await node.run(
            """
            cp /var/lib/snapd/snaps/microk8s_301.snap /root/microk8s.snap
            snap install --dangerous --classic /root/microk8s.snap
            """)
        let found = try await guarded.microK8s()
        #expect((found.installed?.revision, found.installed?.origin) == ("x1", "claimed"))
        let change = try found.change()
        #expect((change.trigger, change.updateType, change.phase) == ("named-refresh", "build", "running"))
        #expect((change.decision.verdict, change.open) == ("hold", ["origin"]))
    }

    /// A way in which snapd does not answer.
    struct Silence: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let begin: String
        let end: String
        let code: String
        let revision: Int
        let port: Int
    }

    @Test(
        "a snapd that does not answer is told in time, the rest of the tick goes on, and what it said before stands",
        arguments: [
            Silence(
                testDescription: "hangs",
                begin: "systemctl kill --signal STOP --kill-whom main snapd.service",
                end: "systemctl kill --signal CONT --kill-whom main snapd.service", code: "snapd-silent",
                revision: 401, port: 7201),
            Silence(
                testDescription: "is stopped", begin: "systemctl stop snapd.service snapd.socket",
                end: "systemctl start snapd.socket snapd.service", code: "snapd-absent", revision: 501,
                port: 7202),
        ])
    func silent(_ silence: Silence) async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: silence.revision)
        let k3s = try await node.installK3s("beside-\(silence.code)", "v1.31.4+k3s1", port: silence.port)
        try await node.lab("publish", "v1.33.5", String(silence.revision + 1), "1.33/stable")
        // systemd calls a service active while `snap run` is still on its way to it, and that waits for snapd; a change
        // that goes on may start it once more.
        try await node.wait(
            until:
                "! snap changes | grep -qE ' (Do|Doing|Wait|Undoing) ' && readlink /proc/$(systemctl show -P MainPID snap.microk8s.daemon-kubelite.service)/exe"
                + " | grep -q /snap/microk8s/\(silence.revision)/")
        let guarded = try await NodeUnderGuard(node)
        // On a node where nothing has moved for a while, a look goes by what an earlier one remembers of units.
        try await node.run("sleep 3")
        let before = try await guarded.microK8s().change()

        try await node.run(silence.begin)
        let answer: NodeAnswer
        do {
            answer = try await guarded.check()
        } catch {
            // The other tests need it again.
            try await node.run(silence.end)
            throw error
        }
        // What systemd says meanwhile, should the tick have found nothing.
        let unit = "snap.microk8s.daemon-kubelite.service"
        let seen = try await node.run(
            "systemctl status --no-pager -n 20 \(unit) || true; readlink /proc/$(systemctl show -P MainPID \(unit))/exe || true"
        )
        try await node.run(silence.end)
        #expect(answer.troubles.map(\.code) == [silence.code])
        #expect(try answer.installation(k3s.name).running?.version == "v1.31.4+k3s1")
        let blind = try answer.installation("microk8s")
        #expect(
            (blind.installed?.version, blind.installed?.revision) == ("v1.33.4", String(silence.revision)))
        #expect(blind.sources == .all("v1.33.4", "process-executable"), "\(seen)")
        #expect(try blind.change().id == before.id)

        try await node.wait(until: "snap list microk8s >/dev/null 2>&1")
        let after = try await guarded.check()
        #expect(after.troubles.isEmpty)
        #expect(try after.installation("microk8s").change().id == before.id)
        // Its silence is no news of the offer.
        #expect(try await guarded.history().count == 1)
        #expect(try await node.journal(.problem).contains { $0.problem == silence.code })
        #expect(try await node.journal(.problemEnded).contains { $0.problem == silence.code })
        _ = try await guarded.entries()
    }
}

extension NodeUnderGuard {
    /// Ticks once and gives what that found of MicroK8s; snapd must have told all.
    func microK8s() async throws -> NodeAnswer.Installation {
        let answer = try await check()
        #expect(answer.troubles.isEmpty, "\(answer.troubles.map(\.text))")
        return try answer.installation("microk8s")
    }
}

extension LabNode {
    /// Installs a revision of its own from 1.33/stable, whatever of the snap was there before.
    func installMicroK8s(_ version: String, revision: Int) async throws {
        try await run("! snap list microk8s >/dev/null 2>&1 || snap remove --purge microk8s")
        try await lab("publish", version, String(revision), "1.33/stable")
        try await lab("install-microk8s", "1.33/stable")
    }
}
