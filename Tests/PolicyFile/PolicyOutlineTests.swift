import Model
import PolicyFile
import Testing

@Suite("A first policy, made from answers")
struct PolicyOutlineTests {
    private func outline(
        _ team: PolicyOutline.Team, canary: String = "app-1", keepsOut: Bool = true,
        _ distributions: Set<Distribution> = [.k3s], channel: String? = nil
    ) -> PolicyOutline {
        PolicyOutline(
            team: team, timezone: "Europe/Berlin", canary: canary, keepsOut: keepsOut,
            distributions: distributions,
            channel: channel)
    }

    @Test(
        "is valid and warns of nothing but a clock that is trusted, for every team and whatever is installed",
        arguments: PolicyOutline.Team.allCases)
    func valid(_ team: PolicyOutline.Team) throws {
        for distributions: Set<Distribution> in [[], [.k3s], [.k0s], [.microk8s], [.k3s, .microk8s]] {
            for keepsOut in [true, false] {
                let text = outline(team, keepsOut: keepsOut, distributions, channel: "v1.33").text
                let parsed = read(text)
                // Where no time server can be reached that is not to be forgotten.
                let trusts =
                    team == .offline
                    ? ["clock: windows, freezes and ages go by a clock that may be wrong"] : []
                #expect(parsed.warnings.map(\.message) == trusts, "\(text)")
                let policy = try parsed.value.document.base
                #expect((policy.enforce != Enforcement()) == keepsOut)
                #expect(
                    policy.enforce.veto
                        == (keepsOut && (distributions.isEmpty || distributions.contains(.microk8s))))
                #expect(
                    (policy.enforce.gate == .restore)
                        == (keepsOut && distributions != [.microk8s]), "\(text)")
            }
        }
    }

    @Test("lets no minor by without somebody asked (invariant 1)", arguments: PolicyOutline.Team.allCases)
    func ceiling(_ team: PolicyOutline.Team) throws {
        let policy = try read(outline(team).text).value.document.base
        #expect(policy.unattended < .minor)
        #expect([.homelab, .smallTeam, .fleet].contains(team) == (policy.unattended == .patch))
    }

    @Test("lets the canary go first where the team has one")
    func canary() throws {
        for team in PolicyOutline.Team.allCases {
            let stages = try read(outline(team).text).value.document.stages
            #expect((stages.first?.nodes == ["app-1"]) == team.hasCanary)
        }
    }

    @Test(
        "takes an answer for a text, whatever it looks like",
        arguments: ["yes", "0x1f", "a: b", "\"}, unattended: minor, x: {\"", "\\", "x\nunattended: minor"])
    func hostile(_ canary: String) {
        // It is that node's name, or the policy is refused; it never says anything else.
        guard case .valid(let policy, _) = read(outline(.smallTeam, canary: canary).text) else { return }
        #expect(policy.document.stages.first?.nodes == [canary])
        #expect(policy.document.base.unattended == .patch)
    }
}
