import Model
import Testing

@testable import Agent

@Suite("What has to be saved before a step")
struct BackupMethodTests {
    private static func installation(
        _ distribution: Distribution, _ role: Role?, _ store: DataStore
    ) -> Installation {
        Installation(
            id: InstallationID(distribution: distribution, name: distribution.rawValue), role: role,
            units: [],
            dataDirectory: "/var/lib/x", dataStore: store,
            installed: Installed(
                artifact: Artifact(version: nil), path: "/usr/local/bin/x", evidence: .unreadable,
                origin: .unknown),
            running: nil)
    }

    private static func policy(
        _ mode: Backup.Mode = .auto, command: [String] = [], verify: [String] = []
    ) -> Backup {
        var backup = Backup()
        backup.mode = mode
        backup.command = command
        backup.verify = verify
        return backup
    }

    enum Need: Hashable, Sendable {
        case make(BackupMethod, Bool)
        case notNeeded
        case noMethod
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var installation: Installation
        var policy = BackupMethodTests.policy()
        var type = UpdateType.minor
        var need: Need
    }

    private static let sqlite = installation(.k3s, .server, .sqlite)
    private static let own = (command: ["/usr/local/bin/dump"], verify: ["/usr/local/bin/check"])

    static let rows = [
        Row(testDescription: "K3s on SQLite", installation: sqlite, need: .make(.sqlite, true)),
        Row(
            testDescription: "K3s on etcd", installation: installation(.k3s, .server, .etcd),
            need: .make(.etcdSnapshot, true)),
        Row(
            testDescription: "a k0s controller", installation: installation(.k0s, .controller, .etcd),
            need: .make(.k0sBackup, true)),
        Row(
            testDescription: "a single k0s", installation: installation(.k0s, .single, .sqlite),
            need: .make(.k0sBackup, true)),
        Row(
            testDescription: "MicroK8s with HA", installation: installation(.microk8s, .node, .dqlite),
            need: .make(.dbctl, true)),
        Row(
            testDescription: "MicroK8s without HA, where dbctl refuses",
            installation: installation(.microk8s, .node, .etcd), need: .noMethod),
        Row(
            testDescription: "a store beside the nodes", installation: installation(.k3s, .server, .external),
            need: .noMethod),
        Row(
            testDescription: "a store beside the nodes, merely wished for",
            installation: installation(.k3s, .server, .external), policy: policy(.ifPossible),
            need: .notNeeded),
        Row(
            testDescription: "a store beside the nodes, with a command",
            installation: installation(.k3s, .server, .external),
            policy: policy(command: own.command, verify: own.verify),
            need: .make(.command(own.command, verify: own.verify), true)),
        Row(
            testDescription: "a command that nothing shows to have worked (invariant 2)",
            installation: installation(.k3s, .server, .external), policy: policy(command: own.command),
            need: .noMethod),
        Row(
            testDescription: "a command goes before our own way", installation: sqlite,
            policy: policy(command: own.command, verify: own.verify),
            need: .make(.command(own.command, verify: own.verify), true)),
        Row(
            testDescription: "a store that nobody knows (invariant 2)",
            installation: installation(.k3s, .server, .unknown), need: .noMethod),
        Row(
            testDescription: "a role that nobody knows (invariant 2)",
            installation: installation(.k3s, nil, .sqlite),
            need: .noMethod),
        Row(testDescription: "an agent", installation: installation(.k3s, .agent, .none), need: .notNeeded),
        Row(
            testDescription: "a k0s worker", installation: installation(.k0s, .worker, .none),
            need: .notNeeded),
        Row(
            testDescription: "an agent where it is required", installation: installation(.k3s, .agent, .none),
            policy: policy(.required), need: .notNeeded),
        // A server whose etcd is on others.
        Row(
            testDescription: "a server that keeps no state", installation: installation(.k3s, .server, .none),
            need: .notNeeded),
        Row(testDescription: "before a patch", installation: sqlite, type: .patch, need: .notNeeded),
        Row(testDescription: "before a build", installation: sqlite, type: .build, need: .notNeeded),
        Row(
            testDescription: "before a patch where it is required", installation: sqlite,
            policy: policy(.required),
            type: .patch, need: .make(.sqlite, true)),
        Row(
            testDescription: "before a patch where it is wished for", installation: sqlite,
            policy: policy(.ifPossible), type: .patch, need: .make(.sqlite, false)),
        Row(
            testDescription: "before what nobody can name", installation: sqlite, type: .unknown,
            need: .make(.sqlite, true)),
        Row(testDescription: "off", installation: sqlite, policy: policy(.off), need: .notNeeded),
    ]

    @Test("by store, role, policy and update", arguments: rows)
    func need(row: Row) {
        switch (backupNeed(of: row.installation, row.policy, before: row.type), row.need) {
        case (.make(let method, let isRequired), .make(let wanted, let wantedRequired)):
            #expect(method == wanted && isRequired == wantedRequired)
        case (.notNeeded(let text), .notNeeded): #expect(!text.isEmpty)
        case (.noMethod(let text), .noMethod):
            #expect(text.contains("backup.") || row.installation.role == nil)
        case (let found, let wanted): Issue.record("\(found) where \(wanted) was expected")
        }
    }

    @Test("the oldest go, and the newest always stays")
    func surplusOfBackups() {
        let backups = (1...5).map { number in
            KeptBackup(
                installation: Self.sqlite.id, directory: "/d/\(number)", method: "m",
                artifact: Artifact(version: nil), step: "\(number)", at: Instant(seconds: Int64(number)),
                files: [])
        }
        #expect(surplus(of: backups, keep: 3).map(\.step) == ["1", "2"])
        #expect(surplus(of: backups, keep: 9).isEmpty)
        #expect(surplus(of: backups, keep: 0).map(\.step) == ["1", "2", "3", "4"])
    }
}
