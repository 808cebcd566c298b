/// What happens on a node besides ticks: each so often, and how far into that time for the first time.
struct Story: Sendable {
    struct Move: Sendable {
        /// Ticks, or days.
        let every: Int
        let at: Int
        let act: @Sendable (Node) throws -> Void

        init(every: Int, at: Int, _ act: @escaping @Sendable (Node) throws -> Void) {
            self.every = every
            self.at = at
            self.act = act
        }
    }

    /// What is done before the first tick.
    var beginning: @Sendable (Node) throws -> Void = { _ in }
    /// By ticks.
    var moves: [Move] = []
    /// By days.
    var daily: [Move] = []

    static let all: [String: Story] = ["quiet": Story(), "k3s": k3s, "microk8s": microk8s, "year": year]

    /// Everything that a tick has to do, far more often than on any node.
    private static let k3s = Story(
        beginning: { try $0.holdfast("adopt") },
        moves: [
            Move(every: 60, at: 11) { try $0.install() },
            Move(every: 150, at: 45) { try $0.changePolicy() },
            Move(every: 200, at: 77) { try $0.start() },
            // The fleet's store, and a release that is fetched; then it is given up. That has to be newer than what is
            // there, and let by the policy, both of which come again after 600.
            Move(every: 600, at: 20) { try $0.holdfast("check", "--fleet", codes: [0, 78]) },
            Move(every: 600, at: 21) { try $0.holdfast("upgrade", "k3s", "v1.31.9+k3s1") },
            Move(every: 600, at: 24) { try $0.holdfast("step") },
            Move(every: 600, at: 26) {
                try $0.holdfast("rollout", "abort", "--reason", "enough")
            },
            // What people do.
            Move(every: 400, at: 120) { try $0.holdfast("pause", "--for", "2h", "--reason", "maintenance") },
            Move(every: 400, at: 130) { try $0.holdfast("resume") },
            Move(every: 900, at: 150) { try $0.holdfast("release") },
            Move(every: 900, at: 160) { try $0.holdfast("adopt") },
            Move(every: 300, at: 170) { try $0.approveAll() },
        ] + looks)

    /// A snapd is asked at every tick.
    private static let microk8s = Story(
        moves: [Move(every: 150, at: 45) { try $0.changePolicy() }] + looks)

    /// What people look at.
    private static let looks = [
        Move(every: 250, at: 201) { try $0.holdfast("status", codes: [0, 78]) },
        Move(every: 250, at: 202) { try $0.holdfast("status", "--paths", codes: [0, 78]) },
        Move(every: 250, at: 203) { try $0.holdfast("explain", codes: [0, 78]) },
        Move(every: 250, at: 204) { try $0.holdfast("doctor", codes: [0, 1, 78]) },
        Move(every: 1000, at: 205) { try $0.holdfast(ofLedger: "history", "--output", "csv") },
        Move(every: 5000, at: 206) { try $0.holdfast(ofLedger: "verify") },
    ]

    /// What a node that is looked after sees in a year: a patch a month, a minor a quarter that waits for a fortnight until
    /// somebody approves it, a policy that is changed as often, and some who try what they may not.
    private static let year = Story(
        beginning: { try $0.holdfast("adopt") },
        daily: [
            Move(every: 30, at: 5) { try $0.install() },
            // Where it waits.
            Move(every: 30, at: 19) { try $0.approveAll() },
            Move(every: 91, at: 40) { try $0.changePolicy() },
            Move(every: 30, at: 25) { try $0.holdfast("pause", "--for", "2h", "--reason", "maintenance") },
            // Restarts.
            Move(every: 7, at: 3) { try $0.start() },
        ])
}
