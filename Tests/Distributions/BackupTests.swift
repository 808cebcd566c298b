import FoundationEssentials
import Glibc
import Host
import Model
import Ports
import SQLite
import ScriptedServer
import Testing

@testable import Distributions

private func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
}

/// `tar` of what lies in a directory of its own.
private func archive(_ name: String, _ making: String) -> String {
    """
    for word; do case $word in --save-path=*) dir=${word#--save-path=};; esac; done
    work=$(mktemp -d); cd "$work"; mkdir pki
    \(making)
    tar -czf "$dir/\(name)" *
    cd /; rm -rf "$work"
    """
}

private let k3sSaves = """
    for word; do case $word in --etcd-snapshot-dir=*) dir=${word#--etcd-snapshot-dir=};; esac; done
    cp "$SNAPSHOT" "$dir/holdfast-edge-1-1700000000"
    """
private let k0sSaves = archive(
    "k0s_backup_2026.tar.gz", #"cp "$SNAPSHOT" etcd-snapshot.db; echo c >pki/ca.crt; echo k >pki/ca.key"#)

@Suite("A backup before a step")
struct BackupTests {
    @Test("of K3s on SQLite has all rows, the token and the credentials, and is root's alone")
    func sqlite() throws {
        let saved = try SavedNode(.k3s)
        let writer = try saved.makeDatabase()
        #expect(try saved.perform(saved.backUp(.sqlite, .sqlite)) == .done(nil))
        let backup = try #require(saved.kept.first)
        #expect(backup.files.map(\.name) == ["cred/passwd", "state.db", "tls/server-ca.key", "token"])
        for name in backup.files.map(\.name) + ["manifest.json"] {
            #expect(mode(saved.path("\(backup.directory)/\(name)")) == 0o600, "\(name)")
        }
        #expect(mode(saved.path(backup.directory)) == 0o700)
        let copy = try Connection(
            path: saved.path("\(backup.directory)/state.db"), mode: .readOnly, busyTimeout: 1000)
        #expect(try copy.prepare("SELECT count(*) FROM kine").first { $0.integer(0) } == 100)
        #expect(try writer.prepare("SELECT count(*) FROM kine").first { $0.integer(0) } == 100)
        // Nothing was executed.
        #expect(saved.units.started.isEmpty)
        try saved.backups.verify(backup)
    }

    @Test("of a program is made in a unit named after it, by what is approved in its place, and verified")
    func programs() throws {
        let k3s = try SavedNode(.k3s, script: k3sSaves)
        #expect(try k3s.perform(k3s.backUp(.etcdSnapshot, .etcd)) == .done(nil))
        #expect(k3s.kept.first?.files.map(\.name).contains("holdfast-edge-1-1700000000") == true)
        #expect(k3s.units.started.map(\.unit) == ["holdfast-backup-5f1c0a.service"])
        #expect(k3s.units.loaded.isEmpty)

        let k0s = try SavedNode(.k0s, script: k0sSaves)
        #expect(try k0s.perform(k0s.backUp(.k0sBackup, .etcd)) == .done(nil))
        #expect(k0s.kept.first?.files.map(\.name) == ["k0s_backup_2026.tar.gz"])
    }

    @Test("done twice it is as done once, and the program is not run again")
    func twice() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        try saved.perform(saved.backUp(.etcdSnapshot, .etcd))
        #expect(try saved.perform(saved.backUp(.etcdSnapshot, .etcd)) == .done(nil))
        #expect(saved.units.started.count == 1)
    }

    @Test(
        "a program that takes long is under way, is joined by whoever comes after a kill, and is run once (invariant 7)"
    )
    func underWay() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        saved.units.hold(true)
        let backUp = try saved.backUp(.etcdSnapshot, .etcd)
        let intent = Intent(id: "i", effect: .backUp(backUp), before: .missing)
        #expect(try saved.perform(backUp) == .underWay)
        // Whoever was killed and comes again neither begins it anew nor takes its draft away.
        try saved.guards.undo(intent)
        #expect(saved.guards.probe(intent) == .underWay)
        try saved.units.finish(backUp.unit)
        #expect(saved.guards.probe(intent) == .notDone)
        try saved.guards.undo(intent)
        #expect(try saved.perform(backUp) == .done(nil))
        #expect(saved.units.started.count == 1)
        #expect(saved.kept.count == 1)
    }

    @Test("one that a step was left with is ended by the next, whose program is the only one")
    func left() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        saved.units.hold(true)
        #expect(try saved.perform(saved.backUp(.etcdSnapshot, .etcd, label: "left")) == .underWay)
        saved.units.hold(false)
        #expect(try saved.perform(saved.backUp(.etcdSnapshot, .etcd)) == .done(nil))
        #expect(saved.units.loaded.isEmpty)
        #expect(try listDirectory(saved.path("/var/lib/holdfast/backups/k3s")) == ["5f1c0a"])
    }

    @Test("a program that systemd cannot begin leaves nothing")
    func unbegun() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        saved.units.refuse()
        #expect(try saved.refusal(saved.backUp(.etcdSnapshot, .etcd)).contains("failed to find executable"))
    }

    @Test("what a machine that was switched off left of it is taken away, and it is begun anew (invariant 7)")
    func lost() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        try saved.node.directory.write("half", to: "var/lib/holdfast/backups/k3s/.5f1c0a.draft/holdfast-x")
        try saved.node.directory.write("half", to: "var/lib/holdfast/backups/k3s/.older.draft/holdfast-x")
        #expect(saved.kept.isEmpty)
        #expect(try saved.perform(saved.backUp(.etcdSnapshot, .etcd)) == .done(nil))
        let names = try listDirectory(saved.path("/var/lib/holdfast/backups/k3s"))
        #expect(names == ["5f1c0a"])
    }

    @Test("what is in the binary's place and is not approved is not executed (invariant 11)")
    func unapproved() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        let backUp = try saved.backUp(.etcdSnapshot, .etcd)
        try saved.replaceProgram("#!/bin/sh\ntouch \(saved.path("/executed"))\n")
        #expect(try saved.refusal(backUp).contains("which is not what is approved"))
        #expect(saved.units.started.isEmpty && !saved.node.root.exists("/executed"))

        let snap = try SavedNode(.microk8s, script: "exit 0")
        try snap.node.directory.link("snap/microk8s/current", to: "8127")
        let other = try snap.backUp(.dbctl, .dqlite, artifact: Artifact(version: nil, revision: "8100"))
        #expect(try snap.refusal(other).contains("revision 8127"))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var distribution: Distribution
        var method: BackupMethod
        var store: DataStore
        var script: String
        var reason: String
    }

    static let rows = [
        Row(
            testDescription: "a program that fails", distribution: .k3s, method: .etcdSnapshot, store: .etcd,
            script: "exit 3", reason: "it failed"),
        Row(
            testDescription: "a program that leaves nothing", distribution: .k3s, method: .etcdSnapshot,
            store: .etcd,
            script: "exit 0", reason: "has left nothing there"),
        Row(
            testDescription: "a snapshot that was cut short", distribution: .k3s, method: .etcdSnapshot,
            store: .etcd,
            script: k3sSaves + "\ntruncate -s -512 \"$dir\"/holdfast-*", reason: "damaged"),
        Row(
            testDescription: "a snapshot that was compressed", distribution: .k3s, method: .etcdSnapshot,
            store: .etcd,
            script: k3sSaves + "\nmv \"$dir\"/holdfast-* \"$dir/holdfast-1.zip\"",
            reason: "etcd-snapshot-compress"),
        Row(
            testDescription: "an archive of k0s without the store, as of an external one", distribution: .k0s,
            method: .k0sBackup, store: .etcd,
            script: archive("k0s_backup_1.tar.gz", "echo c >pki/ca.crt; echo k >pki/ca.key"),
            reason: "left the data store out"),
        Row(
            testDescription: "an archive of k0s without its authority", distribution: .k0s,
            method: .k0sBackup,
            store: .etcd,
            script: archive("k0s_backup_1.tar.gz", #"cp "$SNAPSHOT" etcd-snapshot.db; echo c >pki/ca.crt"#),
            reason: "pki/ca.key is not in it"),
        Row(
            testDescription: "an archive of k0s with a damaged store", distribution: .k0s, method: .k0sBackup,
            store: .etcd,
            script: archive(
                "k0s_backup_1.tar.gz",
                #"cp "$SNAPSHOT" etcd-snapshot.db; truncate -s -512 etcd-snapshot.db; echo c >pki/ca.crt; echo k >pki/ca.key"#
            ),
            reason: "damaged"),
        Row(
            testDescription: "an archive of k0s whose SQLite is none", distribution: .k0s, method: .k0sBackup,
            store: .sqlite,
            script: archive(
                "k0s_backup_1.tar.gz",
                "echo rubbish >kine-state-backup.db; echo c >pki/ca.crt; echo k >pki/ca.key"),
            reason: "cannot be read"),
        Row(
            testDescription: "an archive that was cut short", distribution: .k0s, method: .k0sBackup,
            store: .etcd,
            script: k0sSaves + "\ntruncate -s -100 \"$dir/k0s_backup_2026.tar.gz\"", reason: "cannot be read"),
        Row(
            testDescription: "a command that leaves nothing", distribution: .k3s,
            method: .command(["/bin/true"], verify: ["/bin/true"]), store: .external, script: "",
            reason: "left nothing in $HOLDFAST_BACKUP"),
        Row(
            testDescription: "a command whose result is not found good", distribution: .k3s,
            method: .command(["/bin/sh", "-c", "echo dump >$HOLDFAST_BACKUP/dump"], verify: ["/bin/false"]),
            store: .external, script: "", reason: "it failed"),
        Row(
            testDescription: "a database that is not there", distribution: .k3s, method: .sqlite,
            store: .sqlite,
            script: "", reason: "name backup.command"),
    ]

    @Test("is none, and leaves nothing, of", arguments: rows)
    func failures(row: Row) throws {
        let saved = try SavedNode(row.distribution, script: row.script)
        let reason = try saved.refusal(saved.backUp(row.method, row.store))
        #expect(reason.contains(row.reason), "\(reason)")
    }

    @Test(
        "of an owner's command is what it left, found good by the other, and words are never read by a shell")
    func command() throws {
        let saved = try SavedNode(.k3s)
        let odd = "it's; $(touch \(saved.path("/executed")))"
        let make = ["/bin/sh", "-c", #"printf %s "$1" >"$HOLDFAST_BACKUP/dump""#, "sh", odd]
        let verify = ["/bin/sh", "-c", #"test "$(cat "$HOLDFAST_BACKUP/dump")" = "$1""#, "sh", odd]
        #expect(try saved.perform(saved.backUp(.command(make, verify: verify), .external)) == .done(nil))
        #expect(saved.kept.first?.files.map(\.name) == ["dump"])
        #expect(!saved.node.root.exists("/executed"))
        // The words are the owner's, and appear nowhere (invariant 13).
        #expect(
            !Effect.backUp(try saved.backUp(.command(make, verify: verify), .external)).summary.contains(
                "touch"))
    }

    @Test("of MicroK8s has a value for each key, and leaves the snap's directory as it was")
    func dbctl() throws {
        let saved = try SavedNode(
            .microk8s,
            script: """
                test "$1 $2 $3" = "dbctl backup -o"
                work=$(mktemp -d); mkdir "$work/backup"
                for n in 0 1 2; do echo k >"$work/backup/$n.key"; echo v >"$work/backup/$n.data"; done
                if [ -e "$(dirname "$0")/broken" ]; then rm "$work/backup/1.data"; fi
                tar -C "$work" -czf "$4" backup; rm -rf "$work"
                """)
        try saved.node.directory.link("snap/microk8s/current", to: "8127")
        try saved.node.directory.write("", to: "var/snap/microk8s/common/placeholder")
        let artifact = Artifact(version: nil, revision: "8127")
        #expect(try saved.perform(saved.backUp(.dbctl, .dqlite, artifact: artifact)) == .done(nil))
        #expect(saved.kept.first?.files.map(\.name) == ["backup.tar.gz"])
        #expect(try listDirectory(saved.path("/var/snap/microk8s/common")) == ["placeholder"])

        try saved.node.directory.write("", to: "snap/bin/broken")
        let error = try #require(throws: EffectFailure.self) {
            try saved.perform(saved.backUp(.dbctl, .dqlite, label: "second", artifact: artifact))
        }
        #expect(error.description.contains("3 keys and 2 values"))
        #expect(saved.kept.count == 1)
    }

    @Test("a byte that is another shows, and so does a file that is gone")
    func rotten() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        try saved.perform(saved.backUp(.etcdSnapshot, .etcd))
        let backup = try #require(saved.kept.first)
        try saved.backups.verify(backup)
        try saved.node.directory.write("K10other", to: "\(backup.directory.dropFirst())/token")
        let error = try #require(throws: EffectFailure.self) { try saved.backups.verify(backup) }
        #expect(error.description.contains("/token"))
        #expect(!error.description.contains("K10"))
        unlink(saved.path("\(backup.directory)/token"))
        #expect(throws: EffectFailure.self) { try saved.backups.verify(backup) }
    }

    @Test("one that is let go is gone whole, and another in its place is left alone")
    func removal() throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        for (number, label) in ["b", "a"].enumerated() {
            var backUp = try saved.backUp(.etcdSnapshot, .etcd, label: label)
            backUp.at = Instant(seconds: Int64(number))
            try saved.perform(backUp)
        }
        // By age, not by name.
        #expect(saved.kept.map(\.step) == ["b", "a"])
        let oldest = try #require(saved.kept.first)
        let effect = Effect.removeBackup(oldest)
        let intent = Intent(id: "i", effect: effect, before: try saved.guards.fingerprint(of: effect))
        #expect(saved.guards.probe(intent) == .notDone)
        try saved.guards.perform(effect, before: intent.before)
        #expect(saved.guards.probe(intent) == .done(nil))
        try saved.guards.perform(effect, before: intent.before)
        #expect(saved.kept.map(\.step) == ["a"])
        var other = try #require(saved.kept.first)
        other.step = "elsewhere"
        #expect(throws: EffectFailure.self) {
            try saved.guards.perform(.removeBackup(other), before: .missing)
        }
        #expect(saved.kept.count == 1)
    }

    @Test(
        "a place outside the state directory is none",
        arguments: ["/etc", "/var/lib/holdfast/backups/k3s/../x", ""])
    func place(directory: String) throws {
        let saved = try SavedNode(.k3s, script: k3sSaves)
        var backUp = try saved.backUp(.etcdSnapshot, .etcd)
        backUp.directory = directory
        #expect(throws: EffectFailure.self) { try saved.perform(backUp) }
        #expect(saved.units.started.isEmpty)
    }
}

@Suite("An owner's program in a unit of its own")
struct OwnersCommandTests {
    private func command(_ words: [String]) -> OwnersCommand {
        OwnersCommand(label: "gate-5f1c", arguments: words, timeout: .minutes(1))
    }

    @Test("is begun once, joined, and told once how it ended")
    func life() throws {
        let saved = try SavedNode(.k3s)
        let passes = command(["/bin/true"])
        #expect(saved.backups.run(passes) == .running)
        #expect(saved.backups.run(passes) == .passed)
        saved.units.hold(true)
        #expect(saved.backups.run(passes) == .running)
        #expect(saved.backups.run(passes) == .running)
        #expect(saved.units.started.count == 2)
    }

    @Test("that fails is told by its program alone (invariant 13)")
    func failure() throws {
        let saved = try SavedNode(.k3s)
        let fails = command(["/bin/sh", "-c", "exit 4", "--token=hunter2"])
        #expect(saved.backups.run(fails) == .running)
        guard case .failed(let text) = saved.backups.run(fails) else {
            Issue.record("it did not fail")
            return
        }
        #expect(text.hasPrefix("/bin/sh: it failed") && !text.contains("hunter2"))
    }

    @Test("that names no path is not searched for")
    func path() throws {
        let saved = try SavedNode(.k3s)
        guard case .unknown = saved.backups.run(command(["true"])) else {
            Issue.record("it was run")
            return
        }
    }
}
