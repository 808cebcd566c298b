import Distributions
import Glibc
import Host
import Model
import Ports
import ScriptedServer
import Testing

@Suite("Files of our own on a node")
struct NodeGuardsTests {
    private let guardFile = "var/lib/holdfast/guard"

    private func names(_ node: NodeRoot, in folder: String) -> [String] {
        ((try? listDirectory("\(node.directory.path)/\(folder)")) ?? []).sorted()
    }

    @Test(
        "invariant 7: a drop-in that was not placed leaves neither a draft nor the directory that it was to have"
    )
    func undoneDropIn() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        let folder = "etc/systemd/system/k3s.service.d"
        let effect = Effect.placeDropIn(path: "/\(folder)/zz-holdfast.conf", text: "[Service]\n")
        // No process has that number; another holdfast may well be at work.
        let (dead, alive) = (".zz-holdfast.conf.4194305.tmp", ".zz-holdfast.conf.\(getpid()).tmp")
        for name in [dead, alive] { try node.directory.write(Array("[Serv".utf8), to: "\(folder)/\(name)") }
        let intent = Intent(id: "i", effect: effect, before: .missingDirectory)
        #expect(guards.probe(intent) == .notDone)
        try guards.undo(intent)
        #expect(names(node, in: folder) == [alive])
        unlink("\(node.directory.path)/\(folder)/\(alive)")
        try guards.undo(intent)
        #expect(!isDirectory("\(node.directory.path)/\(folder)"))
    }

    @Test(
        "invariant 7: the vault's directories go with its last artifact, also where that was all that was done"
    )
    func emptyVault() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        let folder = "var/lib/holdfast/vault/sha256"
        let digest = try #require(hashBytes([1]))
        let intent = Intent(
            id: "i", effect: .removeFromVault(path: "/\(folder)/\(digest.hex)", digest: digest),
            before: .missing)
        for other in [nil, "other"] {
            try node.directory.write([1], to: "\(folder)/\(other ?? digest.hex)")
            unlink("\(node.directory.path)/\(folder)/\(digest.hex)")
            #expect(guards.probe(intent) == (other == nil ? .notDone : .done(nil)))
            try guards.perform(intent.effect, before: intent.before)
            #expect(guards.probe(intent) == .done(nil))
            #expect(isDirectory("\(node.directory.path)/var/lib/holdfast/vault") == (other != nil))
        }
    }

    @Test(
        "invariant 10: a vault that an admin has put elsewhere by a link stays, and nothing waits for it to go"
    )
    func linkedVault() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        let digest = try #require(hashBytes([1]))
        try node.directory.write([1], to: "srv/vault/sha256/\(digest.hex)")
        try node.directory.write([], to: "var/lib/holdfast/guard")
        try node.directory.link("var/lib/holdfast/vault", to: "../../../srv/vault")
        let intent = Intent(
            id: "i",
            effect: .removeFromVault(path: "/var/lib/holdfast/vault/sha256/\(digest.hex)", digest: digest),
            before: .missing)
        #expect(guards.probe(intent) == .notDone)
        try guards.perform(intent.effect, before: intent.before)
        #expect(guards.probe(intent) == .done(nil))
        #expect(names(node, in: "srv") == ["vault"] && names(node, in: "srv/vault") == [])
    }

    @Test("invariant 7: a copy into the vault that was not made leaves neither a draft nor the vault")
    func undoneCopy() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        let folder = "var/lib/holdfast/vault/sha256"
        let digest = try #require(hashBytes([1]))
        try node.directory.write([1], to: "\(folder)/.\(digest.hex).draft")
        let copy = ArtifactCopy(
            installation: InstallationID(distribution: .k3s, name: "k3s"),
            artifact: Artifact(version: nil, sha256: digest), from: "/usr/local/bin/k3s",
            to: "/\(folder)/\(digest.hex)")
        let intent = Intent(id: "i", effect: .storeInVault(copy), before: .missing)
        #expect(guards.probe(intent) == .notDone)
        try guards.undo(intent)
        #expect(names(node, in: "var/lib/holdfast") == [])
    }

    @Test("invariant 7: a record of a start that the gate wrote meanwhile has no draft left beside it")
    func draftOfRecord() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        let folder = "var/lib/holdfast/gate/last-ran"
        for name in ["data", ".data.4194305.tmp"] {
            try node.directory.write(Array("by the gate".utf8), to: "\(folder)/\(name)")
        }
        let record = StartRecord(
            path: "/\(folder)/data", text: "by the tick", since: Instant(seconds: 0), marks: [])
        let intent = Intent(id: "i", effect: .writeLastRan(record), before: .missing)
        #expect(guards.probe(intent) == .done(nil))
        try guards.undo(intent)
        #expect(names(node, in: folder) == ["data"])
    }

    @Test(
        "guard files that were set aside are told, oldest first, and of more than four the newest gives way")
    func setAside() throws {
        let node = try NodeRoot()
        let guards = NodeGuards(root: node.root, state: "/var/lib/holdfast")
        for number in 1...6 {
            try node.directory.write([UInt8(number)], to: guardFile)
            chmod("\(node.directory.path)/\(guardFile)", 0o666)
            let presence = guards.look(at: GuardedPlaces())
            #expect(presence.looseGuardFile == [UInt8(number)])
            guard case .unusable = presence.guardFile else {
                Issue.record("\(presence)")
                return
            }
            try guards.setGuardFileAside()
        }
        let presence = guards.look(at: GuardedPlaces())
        #expect(presence.guardFile == nil && presence.looseGuardFile == nil)
        let held = try presence.guardFilesAside.map { try readFile(node.directory.path + $0, limit: 10) }
        #expect(held == [[1], [2], [3], [6]])
        #expect(names(node, in: "var/lib/holdfast").count == 4)
    }
}
