import Model
import Testing

/// Hold and veto in front of a MicroK8s in a real snapd, on a node of its own: a policy's guards are the whole node's.
@Suite(
    "MicroK8s under hold and veto", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.snapd, with: "microk8s"))
struct MicroK8sGuardTests {
    @Test(
        "invariants 1 and 10: held, put back when somebody takes the hold away, and an admin's own is there again after release"
    )
    func held() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 1101)
        try await node.run(
            "snap refresh --hold=2000h microk8s; snap set system refresh.retain=2; sleep 1")
        let before = try await node.snap("{hold}")
        try await node.adopt("hold: general")
        #expect(try await node.retain() == "3")
        #expect(try await node.snap("{hold}").hasPrefix("2319-"))
        try await node.lab("publish", "v1.34.0", "1102", "1.33/stable")
        #expect(try await node.lab("refresh-now").contains("nothing to refresh"))
        #expect(try await node.state() == .running("1101"))

        // Somebody unholds it, and somebody weakens it to a level that snapd never tells.
        for weakened in ["snap refresh --unhold microk8s", Self.weaken] {
            try await node.run(weakened)
            let broken = try await node.snap("{hold}")
            let entries = try await node.journal(.guardBroken).count
            try await node.run("holdfast check")
            #expect(try await node.snap("{hold}").hasPrefix("2319-"))
            #expect(try await node.snap("{hold}") != broken)
            #expect(try await node.level() == "1")
            #expect(try await node.journal(.guardBroken).count == entries + 1)
        }
        // What the last one did is told by the one after it.
        try await node.run("holdfast check")
        let quiet = try await node.entries()
        try await node.run("holdfast check")
        #expect(try await node.entries() == quiet)

        // Killed in its midst, it is finished by the next one (invariant 7).
        try await node.run("timeout -s KILL 0.05 holdfast release || true; holdfast release")
        // A dated hold reads back some nanoseconds off.
        #expect(try await node.snap("{hold}").prefix(19) == before.prefix(19))
        #expect(try await node.retain() == "2")
        #expect(try await node.ask("holdfast", "verify").code == 0)
        try await node.run("snap refresh --unhold microk8s; snap unset system refresh.retain")
    }

    private static let weaken = """
        curl -sS --unix-socket /run/snapd.socket -H 'Content-Type: application/json' \
        -d '{"action":"hold","time":"forever","hold-level":"auto-refresh"}' http://localhost/v2/snaps/microk8s
        """

    @Test(
        "invariant 1: what no hold stops is vetoed: auto-refresh, named refresh, channel change, four in a row"
    )
    func vetoed() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 1201)
        try await node.adopt("veto: true")
        try await node.lab("publish", "v1.34.0", "1202", "1.33/stable", "1.34/stable")
        // The services have not started since the gate stands before them.
        #expect(try await node.lab("refresh-now").contains("\tauto-refresh\tError\t"))
        try await node.expectVeto(of: "1202", running: "1201")

        try await node.adopt("hold: general, veto: true")
        for refresh in ["snap refresh microk8s", "snap refresh microk8s --channel=1.34/stable"] {
            #expect(try await node.ask("sh", "-c", refresh).code != 0)
            try await node.expectVeto(of: "1202", running: "1201")
        }
        try await node.run("for i in 1 2 3 4; do ! snap refresh microk8s; done")
        try await node.expectVeto(of: "1202", running: "1201")
        try await node.run("snap switch --channel=1.33/stable microk8s; holdfast check")
        try await node.expectVeto(of: "1202", running: "1201")

        // A restart and a person's revert are none of its business.
        try await node.run("snap restart microk8s")
        #expect(try await node.state() == .running("1201"))
        try await node.run("holdfast release")
    }

    @Test(
        "invariant 3: let through: a revert, a first install, a silent snapd, and the unapproved one that ran before"
    )
    func letThrough() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 1301)
        try await node.lab("publish", "v1.33.5", "1302", "1.33/stable")
        try await node.run("snap refresh microk8s")
        try await node.adopt("veto: true")
        try await node.run("snap revert microk8s")
        #expect(try await node.state() == .running("1301"))
        #expect(try await node.told("no refresh is starting it"))

        // 1301 is not approved and runs: a refused refresh goes back to it all the same.
        try await node.lab("publish", "v1.34.0", "1303", "1.33/stable")
        #expect(try await node.ask("snap", "refresh", "microk8s").code != 0)
        try await node.expectVeto(of: "1303", running: "1301")

        // snapd is at a refresh, and nobody can be asked.
        try await node.run(
            """
            echo 2 >/srv/labstore/delay
            snap refresh --no-wait microk8s
            mv /run/snapd.socket /run/away
            rm /srv/labstore/delay
            """)
        try await node.wait(until: "[ \"$(readlink /snap/microk8s/current)\" = 1303 ]", seconds: 60)
        try await node.wait(until: "systemctl is-active -q snap.microk8s.daemon-kubelite")
        try await node.run("mv /run/away /run/snapd.socket")
        try await node.wait(until: "! snap changes | grep -q Doing", seconds: 60)
        #expect(try await node.state() == .running("1303"))
        #expect(try await node.told("snapd could not be asked"))
        let found = try await node.check().installation("microk8s").change()
        #expect((found.target.revision, found.decision.verdict) == ("1303", "hold"))

        // Our guards stand until a tick has seen that it is gone.
        try await node.run("snap remove --purge microk8s")
        try await node.lab("install-microk8s", "1.33/stable")
        #expect(try await node.state() == .running("1303"))
        try await node.run("holdfast release")
    }

    @Test(
        "an auto-refresh in its download is given up by the next tick, and what a refresh left stopped is started"
    )
    func abortedAndMended() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 1401)
        try await node.adopt("hold: general")
        try await node.lab("publish", "v1.34.0", "1402", "1.33/stable")
        try await node.run(
            "echo 3 >/srv/labstore/delay; snap refresh --no-wait microk8s; sleep 1; holdfast check")
        try await node.run("rm /srv/labstore/delay")
        try await node.wait(until: "! snap changes | grep -q -e Doing -e Abort", seconds: 30)
        #expect(try await node.state() == .running("1401"))
        #expect(
            try await node.journal(.guardChanged).contains {
                $0.message.contains("a refresh of microk8s to revision 1402")
            })

        // Both revisions fail to start, so snapd's undo fails too, and leaves everything stopped and disabled.
        try await node.write(
            "[Service]\nExecStartPre=/bin/false\n",
            to: "/etc/systemd/system/snap.microk8s.daemon-.service.d/broken.conf")
        try await node.run("holdfast pause --for 1h --reason lab; systemctl daemon-reload")
        #expect(try await node.ask("snap", "refresh", "microk8s").code != 0)
        #expect(try await node.ask("systemctl", "is-active", "snap.microk8s.daemon-kubelite").code != 0)
        try await node.run(
            "rm /etc/systemd/system/snap.microk8s.daemon-.service.d/broken.conf; systemctl daemon-reload; holdfast check"
        )
        #expect(try await node.state() == .running("1401"))
        #expect(
            try await node.journal(.guardChanged).contains {
                $0.message.contains("start what a refresh left stopped")
            })
        try await node.run("holdfast resume; holdfast release")
    }
}
