import Testing

/// Which revision is there, and whether all its services run.
enum MicroK8sState: Hashable {
    case running(String)
    case broken(String)
}

extension LabNode {
    /// Adopts what is there under a policy that enforces this, and says more where it is asked to.
    func adopt(_ enforce: String, _ more: String = "") async throws {
        let gate = (Lab.program ?? "") + "-gate"
        try await put(gate, at: "/usr/bin/holdfast-gate")
        try await write(
            "apiVersion: holdfast/v1\nunattended: patch\nenforce: {\(enforce)}\n\(more)",
            to: "/etc/holdfast/policy.yaml")
        try await run("holdfast adopt; holdfast check")
    }

    /// Ticks once.
    func check() async throws -> NodeAnswer {
        try await ask("holdfast", "check", "--output", "json").json(NodeAnswer.self)
    }

    /// How many entries the node's ledger has.
    func entries() async throws -> Int {
        try await ask("holdfast", "verify", "--output", "json").json(VerifyAnswer.self).entries
    }

    /// What snapd says of a field of the snap.
    func snap(_ field: String) async throws -> String {
        let name = field.filter { $0 != "{" && $0 != "}" }
        return try await run(
            "curl -sS --unix-socket /run/snapd.socket http://localhost/v2/snaps/microk8s | jq -j --arg f \"$1\" '.result[$f] // \"\"'",
            name)
    }

    func retain() async throws -> String {
        try await ask("snap", "get", "system", "refresh.retain").output.trimmed
    }

    /// How far the hold reaches, by snapd's own state.
    func level() async throws -> String {
        try await run("jq -j '.data[\"snaps-hold\"].microk8s.system.level' /var/lib/snapd/state.json")
    }

    /// Which revision is linked, and whether every service that is to run runs from it.
    func state() async throws -> MicroK8sState {
        let revision = try await run("readlink /snap/microk8s/current").trimmed
        let services = ["containerd", "kubelite", "k8s-dqlite", "cluster-agent", "apiserver-kicker"]
        for service in services {
            let answer = try await ask("systemctl", "is-active", "snap.microk8s.daemon-\(service)")
            if answer.output != "active\n" { return .broken("\(service) is \(answer.output.trimmed)") }
        }
        let program = try await run(
            "readlink /proc/$(systemctl show -P MainPID snap.microk8s.daemon-kubelite)/exe"
        ).trimmed
        return program.contains("/\(revision)/") ? .running(revision) : .broken("\(program) runs")
    }

    /// Whether the gate has said something in the journal.
    func told(_ text: String) async throws -> Bool {
        try await run("journalctl --sync; journalctl -o cat --no-pager -u 'snap.microk8s.*'").contains(text)
    }

    /// A refresh was refused, and everything is as it was.
    func expectVeto(of revision: String, running: String) async throws {
        try await wait(until: "! snap changes | grep -q -e Doing -e Undo", seconds: 60)
        #expect(try await state() == .running(running))
        #expect(try await told("microk8s revision \(revision) is not approved: refused"))
        let answer = try await check()
        #expect(answer.troubles.isEmpty, "\(answer.troubles.map(\.text))")
        #expect(try answer.installation("microk8s").running?.version != nil)
    }
}

extension String {
    var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
