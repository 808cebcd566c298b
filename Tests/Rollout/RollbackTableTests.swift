import Model
import Testing

@testable import Rollout

/// A row of the table.
struct Row: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var failed: FailedStep
    var action: RollbackAction
}

private func step(
    _ distribution: Distribution, _ role: Role?, _ store: DataStore, _ type: UpdateType, started: Bool,
    others: Bool = false
) -> FailedStep {
    FailedStep(
        distribution: distribution, role: role, dataStore: store, type: type, mayHaveStarted: started,
        hasOtherMembers: others)
}

private let rows = [
    Row(
        testDescription: "a patch goes back, started or not",
        failed: step(.k3s, .server, .sqlite, .patch, started: true),
        action: .automatic),
    Row(
        testDescription: "and so does a build", failed: step(.k0s, .controller, .etcd, .build, started: true),
        action: .automatic),
    Row(
        testDescription: "a minor that never started goes back",
        failed: step(.k3s, .server, .etcd, .minor, started: false), action: .automatic),
    Row(
        testDescription: "a minor on SQLite that started is a person's",
        failed: step(.k3s, .server, .sqlite, .minor, started: true), action: .person(.restoreSQLite)),
    Row(
        testDescription: "a minor on etcd among others: this member joins again",
        failed: step(.k3s, .server, .etcd, .minor, started: true, others: true),
        action: .person(.rejoinMember)),
    Row(
        testDescription: "a minor on the only etcd",
        failed: step(.k0s, .single, .etcd, .minor, started: true),
        action: .person(.restoreEtcd)),
    Row(
        testDescription: "a minor on an external store",
        failed: step(.k3s, .server, .external, .minor, started: true), action: .person(.restoreExternal)),
    Row(
        testDescription: "a role that is not known is a server",
        failed: step(.k3s, nil, .unknown, .minor, started: true), action: .person(.findOutStore)),
    Row(
        testDescription: "an agent goes back", failed: step(.k3s, .agent, .none, .minor, started: true),
        action: .automatic),
    Row(
        testDescription: "a worker goes back", failed: step(.k0s, .worker, .none, .minor, started: true),
        action: .automatic),
    Row(
        testDescription: "an unknown type counts as a minor",
        failed: step(.k3s, .server, .sqlite, .unknown, started: true), action: .person(.restoreSQLite)),
    Row(
        testDescription: "MicroK8s before dqlite started is snapd's",
        failed: step(.microk8s, .node, .dqlite, .minor, started: false), action: .leftToSnapd),
    Row(
        testDescription: "MicroK8s after: never by itself, a patch neither",
        failed: step(.microk8s, .node, .dqlite, .patch, started: true), action: .person(.restoreEtcd)),
    Row(
        testDescription: "MicroK8s in a cluster: remove and join again",
        failed: step(.microk8s, .node, .dqlite, .minor, started: true, others: true),
        action: .person(.rejoinMember)),
]

@Suite("The rollback table")
struct RollbackTableTests {
    @Test("invariant 12: never goes back over data that a newer minor may have written", arguments: rows)
    func acts(_ row: Row) { #expect(rollback(of: row.failed) == row.action) }

    @Test("invariant 12: on a control plane only what provably never started goes back across a minor")
    func always() {
        for distribution in Distribution.allCases {
            for role in Role.allCases.filter(\.isControlPlane) {
                for store in DataStore.allCases {
                    for others in [true, false] {
                        let action = rollback(
                            of: step(distribution, role, store, .minor, started: true, others: others))
                        guard case .person = action else {
                            Issue.record("\(distribution) \(role) \(store): \(action)")
                            continue
                        }
                    }
                }
            }
        }
    }
}
