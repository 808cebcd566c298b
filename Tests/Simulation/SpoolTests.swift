import Agent
import Gate
import Model
import Ports
import Testing

private func node() -> World {
    let world = guardedNode()
    world.tick(request: .adopt)
    return world
}

private func record(_ reason: GateReason, start: String, text: String = "what happened") -> SpoolRecord {
    SpoolRecord(
        reason: reason, unit: "k3s.service", installation: InstallationID(distribution: .k3s, name: "k3s"),
        at: Instant(seconds: 1_790_000_000), invocationID: start, text: text,
        restored: reason == .restored ? Artifact(version: Version("v1.31.4+k3s1")) : nil,
        pending: reason == .restored ? "/usr/local/bin/.holdfast-pending/k3s.1-2-3" : nil)
}

extension World {
    fileprivate func leave(_ name: String, _ bytes: [UInt8], changed: Int64 = 0) {
        guards.spooled[name] = SpooledFile(name: name, changed: changed, content: .bytes(bytes))
    }

    fileprivate func leave(_ name: String, _ record: SpoolRecord) { leave(name, Array(record.fileText.utf8)) }

    fileprivate var acts: [GateAct] {
        committed.compactMap { if case .gateActed(let act) = $0.event { act } else { nil } }
    }
}

@Suite("What the gate left is taken into the ledger")
struct SpoolTests {
    @Test("each record once, in order, with its kind, and told in the journal; then the spool is empty")
    func taken() {
        let world = node()
        world.journal = []
        world.leave("1-1-1", record(.restored, start: "a"))
        world.leave("1-2-1", record(.paused, start: "b"))
        world.leave("1-3-1", record(.refused, start: "c"))
        world.leave("1-4-1", record(.vetoed, start: "d"))
        world.leave("1-5-1", record(.recordFailed, start: "e"))
        let outcome = world.tick()
        #expect(world.acts.map(\.kind) == [.putBack, .letThrough, .refused, .refused, .unrecorded])
        #expect(world.acts.map(\.reason) == ["restored", "paused", "refused", "vetoed", "record-failed"])
        #expect(world.acts.first?.pending == "/usr/local/bin/.holdfast-pending/k3s.1-2-3")
        #expect(outcome.events.count == 5 && world.guards.spooled.isEmpty)
        #expect(
            world.journal.map(\.message) == [
                .gatePutBack, .gateLetThrough, .gateRefused, .gateRefused, .gateUntold,
            ])
        // What is remembered of an installation is the newest of each kind.
        let acts = world.state.installations["k3s/k3s"]?.acts
        #expect(acts?.map(\.invocationID) == ["a", "b", "d", "e"])
        #expect(world.tick().events.isEmpty)
    }

    @Test("killed between the append and the removal, at any step: recorded once all the same")
    func killed() {
        var died = 0
        for fuse in 0..<30 {
            let world = node()
            world.leave("1-1-1", record(.restored, start: "a"))
            world.leave("1-2-1", record(.restored, start: "b"))
            world.leave("1-3-1", [1, 2, 3])
            world.guards.fuse = fuse
            world.tick()
            let hasDied = world.guards.fuse == 0
            world.guards.fuse = nil
            world.tick()
            world.tick()
            #expect(world.acts.map(\.kind) == [.putBack, .putBack, .unreadable], "after \(fuse) steps")
            #expect(world.guards.spooled.isEmpty && world.guards.aside == ["1-3-1"], "after \(fuse) steps")
            guard hasDied else { break }
            died += 1
        }
        #expect(died > 3)
    }

    @Test("whoever holds the effect lock takes them, and nobody else")
    func busy() {
        let world = node()
        world.leave("1-1-1", record(.restored, start: "a"))
        world.guards.isLockedByAnother = true
        world.tick()
        #expect(world.acts.isEmpty && world.guards.spooled.count == 1)
        world.guards.isLockedByAnother = false
        world.tick()
        #expect(world.acts.count == 1 && world.guards.spooled.isEmpty)
    }

    @Test("a dry run shows what would be recorded, and takes nothing")
    func dryRun() {
        let world = node()
        world.leave("1-1-1", record(.restored, start: "a"))
        let outcome = world.tick(dryRun: true)
        #expect(outcome.judgement.state.installations["k3s/k3s"]?.acts.count == 1)
        #expect(world.acts.isEmpty && world.guards.spooled.count == 1)
    }

    @Test("what is no record is told once and kept aside, no more of it than a disk can take")
    func hostile() {
        let world = node()
        let whole = Array(record(.restored, start: "a").fileText.utf8)
        for index in 0..<12 { world.leave("x-\(index)", Array(whole.prefix(index * 7))) }
        world.guards.spooled["directory"] = SpooledFile(
            name: "directory", changed: 5, content: .unusable("not a regular file"))
        world.tick()
        #expect(world.acts.count == 13 && world.acts.allSatisfy { $0.kind == .unreadable })
        #expect(world.acts.filter { $0.text.contains("it is kept as") }.count == 8)
        #expect(world.guards.spooled.isEmpty && world.guards.aside.count == 8)
        #expect(world.tick().events.isEmpty)
    }

    @Test("more files than the gate may leave are taken tick by tick")
    func many() {
        let world = node()
        for index in 100..<300 { world.leave("\(index)", record(.restored, start: "\(index)")) }
        for _ in 0..<4 { world.tick() }
        #expect(world.acts.count == 200 && Set(world.acts.map(\.invocationID)).count == 200)
        #expect(world.guards.spooled.isEmpty && world.state.spooled.count <= 130)
    }

    @Test(
        "an overflow is told each time that there is one, and a draft once the gate cannot finish it any more"
    )
    func overflow() {
        let world = node()
        for moment: Int64 in [7, 8] {
            world.leave("overflow", [], changed: moment)
            world.tick()
        }
        #expect(world.acts.map(\.kind) == [.overflow, .overflow])
        let now = world.clock.now.seconds * 1_000_000_000
        world.leave(".1-1-1", Array(record(.restored, start: "a").fileText.utf8), changed: now)
        world.leave(".1-2-1", Array("half".utf8), changed: now)
        world.tick()
        #expect(world.acts.count == 2 && world.guards.spooled.count == 2)
        world.clock.now = world.clock.now + .hours(1)
        world.tick()
        #expect(world.acts.map(\.kind) == [.overflow, .overflow, .putBack, .unreadable])
    }

    @Test(
        "a record without an installation is that of the unit's; one of a unit that nobody knows is kept too")
    func unknown() {
        let world = node()
        var nameless = record(.guardUnreadable, start: "a")
        nameless.installation = nil
        world.leave("1", nameless)
        nameless.unit = "other.service"
        world.leave("2", nameless)
        world.tick()
        #expect(world.acts.map(\.installation?.name) == ["k3s", nil])
    }
}
