import Model
import Ports
import Testing

@testable import Agent

@Suite("Checkpoints of the ledger, as a tick signs them")
struct CheckpointTests {
    let node: World
    let port = SimulatedCheckpoints()

    init() {
        node = guardedNode()
        node.checkpoints = port
    }

    private func hour() {
        node.clock.now = node.clock.now + .hours(1)
        node.clock.monotonic += 3_600_000_000_000
        node.tick()
    }

    private var told: [JournalEntry] { node.journal.filter { $0.message == .checkpointSigned } }

    @Test("nothing is signed, and no key is made, before something is adopted")
    func beforeAdopt() {
        for _ in 0..<30 { hour() }
        #expect(port.questions == 0 && port.signed.isEmpty && node.memory.checkpoint == nil)
    }

    @Test("adopt signs one, and the ledger knows its key")
    func adopt() throws {
        node.tick(request: .adopt)
        #expect(node.state.checkpointKeys == [port.verifier])
        let signed = try #require(port.signed.first)
        #expect(port.signed.count == 1)
        #expect(signed.sequence == node.ledger.head().sequence && signed.hash == node.ledger.head().hash)
        #expect(signed.origin == node.ledger.originName && signed.at == node.clock.now)
        let entry = try #require(told.first)
        #expect(told.count == 1)
        #expect(entry.fields["HOLDFAST_SEQUENCE"] == "\(signed.sequence)")
        // One line, from which the note can be made again.
        let note = try #require(entry.fields["HOLDFAST_CHECKPOINT"])
        #expect(!note.contains("\n") && note.contains(#"checkpoint 1\n"#))
    }

    @Test("another one follows a day later, and no tick in between asks for the key")
    func daily() {
        node.tick(request: .adopt)
        let asked = port.questions
        for _ in 0..<23 { hour() }
        #expect(port.signed.count == 1 && port.questions == asked)
        hour()
        #expect(port.signed.count == 2)
        #expect(node.state.checkpointKeys == [port.verifier], "one key is recorded once")
        for _ in 0..<240 { hour() }
        #expect(port.signed.count == 12)
        #expect(port.signed.map(\.sequence) == port.signed.map(\.sequence).sorted())
    }

    @Test("a clock that was two hundred years ahead for one tick keeps nothing from being signed afterwards")
    func clockAhead() {
        node.tick(request: .adopt)
        let right = node.clock.now
        for _ in 0..<2 { hour() }
        node.clock.now = right + .days(200 * 365)
        for _ in 0..<2 { hour() }
        let ahead = port.signed.count
        #expect(port.signed.last.map { $0.at > right + .days(365) } == true, "what this test rests on")
        node.clock.now = right
        for _ in 0..<26 { hour() }
        #expect(port.signed.count > ahead)
    }

    @Test("nothing is signed where the ledger has not moved since")
    func unmoved() {
        node.tick(request: .adopt)
        node.clock.now = node.clock.now + .days(2)
        // The day's first tick seals a stretch, so it is signed; then nothing more is recorded.
        node.tick()
        let before = (port.signed.count, port.questions)
        let head = node.ledger.head().hash
        node.clock.now = node.clock.now + .days(2)
        node.tick()
        #expect(node.ledger.head().hash == head, "what this test rests on")
        #expect((port.signed.count, port.questions) == before)
    }

    @Test("a key that took the place of another is recorded beside the first, and told as a warning")
    func replacedKey() throws {
        node.tick(request: .adopt)
        let first = port.verifier
        port.verifier = "holdfast/other+00000001+AQI="
        for _ in 0..<25 { hour() }
        #expect(node.state.checkpointKeys == [first, port.verifier])
        let entry = try #require(node.journal.last { $0.message == .checkpointKey })
        #expect(entry.priority == .warning && entry.text.contains(first))
        for number in 0..<20 {
            port.verifier = "holdfast/\(number)+00000001+AQI="
            for _ in 0..<25 { hour() }
        }
        #expect(node.state.checkpointKeys.count <= 8)
        #expect(node.state.checkpointKeys.first == first && node.state.checkpointKeys.last == port.verifier)
    }

    @Test("what cannot be signed is a problem for a person, no failure of the tick, and ends when it can")
    func trouble() {
        port.trouble = "libcrypto cannot be loaded"
        #expect(node.tick(request: .adopt).failure == nil)
        hour()
        #expect(node.state.problems.map(\.code).contains("checkpoint-unsigned"))
        #expect(port.signed.isEmpty && node.state.checkpointKeys.isEmpty)
        port.trouble = nil
        for _ in 0..<26 { hour() }
        #expect(port.signed.count == 1)
        #expect(!node.state.problems.map(\.code).contains("checkpoint-unsigned"))
    }

    @Test("a dry run signs nothing")
    func dryRun() {
        node.tick(dryRun: true, request: .adopt)
        #expect(port.questions == 0 && port.signed.isEmpty)
    }

    // MARK: The fleet

    private func joined() -> SimulatedFleet {
        let store = SimulatedFleet()
        let fleet = SimulatedFleetPort(store)
        fleet.isAlive = { [unowned node] in node.guards.burn() }
        node.fleet = fleet
        return store
    }

    @Test("the fleet's store has the newest one, once a day at most")
    func fleet() throws {
        let store = joined()
        node.tick(request: .adopt)
        node.tick(asksFleet: true)
        let first = try #require(store.checkpoints["id-sim-1"])
        #expect(first.value.note.contains(try #require(port.signed.first).text))
        for _ in 0..<23 { hour() }
        #expect(store.checkpoints["id-sim-1"]?.revision == first.revision)
        for _ in 0..<2 { hour() }
        #expect(store.checkpoints["id-sim-1"]?.revision != first.revision)
        #expect(
            store.checkpoints["id-sim-1"]?.value.note.contains(try #require(port.signed.last).text) == true)
    }

    @Test("a store that is away is told when it is back, and fails no tick")
    func storeAway() {
        let store = joined()
        node.fleet?.isCutOff = true
        #expect(node.tick(request: .adopt).failure == nil)
        for _ in 0..<3 { hour() }
        #expect(port.signed.count == 1 && store.checkpoints.isEmpty)
        node.fleet?.isCutOff = false
        for _ in 0..<2 { hour() }
        #expect(store.checkpoints.count == 1)
    }
}
