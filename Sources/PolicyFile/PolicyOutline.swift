public import Model

/// What a person answers before there is a policy, and the policy that comes of it.
public struct PolicyOutline: Hashable, Sendable {
    /// Who looks after the nodes: it settles what may come by itself, when, and how it is proven.
    public enum Team: String, CaseIterable, Sendable {
        case homelab
        case smallTeam = "small-team"
        case fleet, laptops, offline, frozen

        /// What it means, in a line.
        public var meaning: String {
            switch self {
            case .homelab: "one server of your own: patches by themselves, at night"
            case .smallTeam: "a few servers and a few people: patches in office hours, one server first"
            case .fleet: "many nodes: patches, a canary for a day first, then a few at a time"
            case .laptops: "developers' laptops: nothing by itself; their owner says when"
            case .offline:
                "a site without Internet: nothing by itself; bytes that an imported checksum vouches for"
            case .frozen: "a node that must stay as it is: nothing but a patch that somebody answers for"
            }
        }

        /// Whether one node goes before the others.
        public var hasCanary: Bool { self == .smallTeam || self == .fleet }

        /// Whether it asks when something may move.
        public var hasWindow: Bool { self == .homelab || self == .smallTeam }
    }

    /// Who looks after the nodes.
    public var team: Team
    /// The IANA zone of windows.
    public var timezone: String
    /// The node that goes first, where the team has one.
    public var canary: String
    /// Whether what is not allowed is kept out, rather than only told.
    public var keepsOut: Bool
    /// What was found on this node; what keeps changes out is another for each.
    public var distributions: Set<Distribution>
    /// The minor whose newest patch is looked for; nil for none.
    public var channel: String?

    /// Makes an outline.
    public init(
        team: Team, timezone: String, canary: String, keepsOut: Bool, distributions: Set<Distribution>,
        channel: String? = nil
    ) {
        self.team = team
        self.timezone = timezone
        self.canary = canary
        self.keepsOut = keepsOut
        self.distributions = distributions
        self.channel = channel
    }

    /// The file.
    public var text: String {
        (["# What may change on this node: holdfast-policy(5) has every key.", "apiVersion: \(apiVersion)"]
            + (team.hasWindow ? ["timezone: \(quoted(timezone))"] : []) + [""] + permission + stages + [""]
            + guards)
            .joined(separator: "\n") + "\n"
    }

    private var permission: [String] {
        switch team {
        case .homelab:
            [
                "# Patches come by themselves once the world has tried them for a day; a minor is asked for.",
                "unattended: patch", "approvable: minor", "minimumReleaseAge: {patch: 1d, minor: 30d}",
                "approval: {mayWaive: [window]}", "windows:",
                #"  - {days: [mon, tue, wed, thu, fri, sat, sun], start: "03:00", duration: 2h}"#,
            ] + source
        case .smallTeam:
            [
                "# Patches come by themselves while people are at their desks; a minor is asked for.",
                "unattended: patch", "approvable: minor", "minimumReleaseAge: {patch: 3d, minor: 14d}",
                "approval: {expires: 3d, mayWaive: [window, release-age]}", "windows:",
                #"  - {days: [mon, tue, wed, thu], start: "10:00", duration: 4h}"#,
            ] + source
        case .fleet:
            [
                "# Patches come by themselves, the canary first; a minor is asked for.", "unattended: patch",
                "approvable: minor", "minimumReleaseAge: {patch: 3d, minor: 21d}",
                "approval: {expires: 14d, mayWaive: [release-age]}",
            ] + source
        case .laptops:
            [
                "# Nothing by itself; an approval is for now, not for some day next month.",
                "unattended: none",
                "approvable: minor", "approval: {expires: 1d}",
            ]
        case .offline:
            [
                "# Nothing by itself, and only bytes that an imported checksum vouches for ('holdfast catalog import').",
                "unattended: none", "approvable: patch", "origin: verified", "approval: {expires: 4w}",
                "# No time server can be reached: take this line out where one can.", "clock: trusted",
            ]
        case .frozen:
            [
                "# Nothing by itself, and nothing but a patch that somebody answers for.", "unattended: none",
                "approvable: patch", "approval: {expires: 2d}",
            ]
        }
    }

    private var source: [String] {
        channel.map {
            [
                "# The newest patch of this minor is looked for, and verified by its release's checksums.",
                "source: {channel: \($0)}",
            ]
        } ?? []
    }

    private var stages: [String] {
        guard team.hasCanary else { return [] }
        return [
            "",
            "# One node proves a release before the others may take it. Every node has this same file, and names the",
            "# store where they meet in its node.yaml: 'holdfast fleet join'.", "stages:",
            "  - {name: canary, nodes: [\(quoted(canary))], soak: \(team == .fleet ? "1d, deadline: 7d" : "2h")}",
            "  - {name: rest\(team == .fleet ? ", maxConcurrent: 3, deadline: 7d" : "")}",
        ]
    }

    private var guards: [String] {
        guard keepsOut else {
            return [
                "# What is not allowed is told and not kept out; enforce (holdfast-policy(5)) keeps it out."
            ]
        }
        var parts: [String] = []
        if distributions.contains(.microk8s) || distributions.isEmpty {
            parts += ["hold: general", "veto: true"]
        }
        if distributions.contains(.k3s) || distributions.contains(.k0s) || distributions.isEmpty {
            parts += ["gate: restore", "plans: block"]
        }
        return [
            "# What is not allowed is kept out: 'holdfast adopt' puts these guards in place.",
            "enforce: {\(parts.joined(separator: ", "))}",
        ]
    }

    /// A name as YAML takes it for a text, whatever it looks like.
    private func quoted(_ name: String) -> String {
        "\"" + name.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
