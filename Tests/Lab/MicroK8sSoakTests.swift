import Model
import Testing

/// What takes long on a real snapd: repeats, kills, and a plug that is pulled: `make soak`.
@Suite(
    "MicroK8s under hold and veto, again and again", .serialized,
    .enabled(if: Lab.soakRounds != nil, "SKIPPED: make soak runs it"),
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .node(.snapd, with: "microk8s"))
struct MicroK8sSoakTests {
    @Test("invariant 1: ten refused refreshes, one way after the other, leave everything as it was")
    func refused() async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 2101)
        try await node.adopt("hold: general, veto: true")
        try await node.lab("publish", "v1.34.0", "2102", "1.33/stable", "1.34/stable")
        for round in 0..<10 {
            let channel = round % 2 == 0 ? "1.33/stable" : "1.34/stable"
            #expect(try await node.ask("snap", "refresh", "microk8s", "--channel", channel).code != 0)
            try await node.expectVeto(of: "2102", running: "2101")
        }
        try await node.run("holdfast release; snap switch --channel=1.33/stable microk8s")
    }

    @Test("invariant 7: adopt and release killed at some instant are finished by the next one")
    func killed() async throws {
        let node = try LabNode.current
        var kills: [String: Int] = [:]
        for step in 0..<16 {
            try await node.installMicroK8s("v1.33.4", revision: 2200 + step)
            try await node.run(
                "snap refresh --hold=2000h microk8s; snap set system refresh.retain=2; sleep 1")
            let before = try await node.snap("hold").prefix(19)
            try await node.adopt("hold: general, veto: true")
            try await node.run("holdfast release")
            for verb in ["adopt", "release"] {
                let isKilled = try await node.killed(verb, after: 5 + step * 9)
                if isKilled { kills[verb, default: 0] += 1 }
                try await node.run("holdfast \(verb); holdfast check")
                let isHeld = verb == "adopt"
                #expect(try await node.retain() == (isHeld ? "3" : "2"), "step \(step)")
                #expect(try await node.snap("hold").hasPrefix("2319-") == isHeld, "step \(step)")
            }
            #expect(try await node.snap("hold").prefix(19) == before)
            #expect(try await node.ask("holdfast", "verify").code == 0)
            #expect(try await node.ask("ls", "/etc/systemd/system/snap.microk8s.daemon-.service.d").code != 0)
            try await node.run("snap refresh --unhold microk8s; snap unset system refresh.retain")
        }
        print("killed on a real snapd: \(kills)")
        #expect(kills["adopt", default: 0] > 4 && kills["release", default: 0] > 4, "\(kills)")
    }

    @Test(
        "invariant 3: a plug pulled in the midst of a refresh leaves MicroK8s running, and what runs is told",
        arguments: ["/snap/microk8s/2302/meta", "/var/snap/microk8s/2302"])
    func rebooted(once path: String) async throws {
        let node = try LabNode.current
        try await node.installMicroK8s("v1.33.4", revision: 2301)
        try await node.adopt("veto: true")
        try await node.lab("publish", "v1.34.0", "2302", "1.33/stable")
        try await node.run(
            "snap refresh --no-wait microk8s; timeout 60 sh -c \"until [ -e $1 ]; do :; done\"", path)
        try await node.lab("kill")
        try await node.lab("boot")
        try await node.wait(until: "snap list microk8s >/dev/null 2>&1", seconds: 60)
        try await node.wait(until: "! snap changes | grep -q -e Doing -e Undo", seconds: 120)
        // Whatever snapd made of it, the tick starts what is left.
        let answer = try await node.check()
        let state = try await node.state()
        #expect([.running("2301"), .running("2302")].contains(state))
        if state == .running("2302") {
            #expect(try answer.installation("microk8s").change().decision.verdict == "hold")
            #expect(try await node.journal(.decided).contains { $0.revision == "2302" })
        }
        try await node.run("holdfast release")
    }
}

extension LabNode {
    /// Whether a verb was killed after so long, or had ended before.
    fileprivate func killed(_ verb: String, after milliseconds: Int) async throws -> Bool {
        let answer = try await ask(
            "timeout", "-s", "KILL", "0.\(String(1000 + milliseconds).dropFirst())", "holdfast", verb)
        #expect([0, 137].contains(answer.code), "\(answer.output)\(answer.errors)")
        return answer.code == 137
    }
}
