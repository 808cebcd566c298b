import Fleet
import FleetSuite
import Model
import Ports
import Testing

@Suite("What a program does not know of a value it writes")
struct KeptFieldsTests {
    private let store: any FleetStore
    private let book: FleetBook
    private let key = FleetKey(.rollout, "k3s")

    init() throws {
        store = try FleetPlace.sqlite().open()
        book = FleetBook(store)
    }

    /// A rollout as a later program would have written it, read by this one.
    private func read(_ replacements: (String, String)..., document: RolloutDocument = .sample(generation: 1))
        throws -> Stored<RolloutDocument>
    {
        var text = try CanonicalJSON.text(of: document)
        for (old, new) in replacements {
            try #require(text.contains(old), "\(old)")
            text = text.replacing(old, with: new, maxReplacements: 1)
        }
        _ = try store.create(key, text)
        return try #require(try book.rollout(of: .k3s))
    }

    @Test("is kept, whatever it is, and at every depth")
    func kept() throws {
        let read = try read(
            (
                #""format":1"#,
                #""extra":{"list":[1,-2.5,1e300,18446744073709551615,null,true,"ä\u0000"]},"format":1"#
            ),
            (#""kind":"workers""#, #""color":"blue","kind":"workers""#),
            (#""name":"rest""#, #""name":"rest","weight":0.25"#),
            (#""id":"g2""#, #""id":"g2","lease":9"#))
        var next = read.value
        next.generation = 2
        // What is before it goes away, and something comes; the one it stands beside stays.
        next.tracks[0].stages[0].granted.removeFirst()
        next.tracks[0].stages[0].granted.append(Grant(node: "c", id: "g3"))
        next.tracks.swapAt(0, 1)
        let text = try book.put(next, over: read).text
        for (kept, count) in [
            (#""extra":{"list":[1,-2.5,1e+300,18446744073709551615,null,true,"ä\u0000"]}"#, 1),
            (#"{"cluster":"one","color":"blue","kind":"workers""#, 1), (#""weight":0.25"#, 1),
            (#"{"id":"g2","lease":9,"node":"b"}"#, 1), (#"{"id":"g3","node":"c"}"#, 1), (#""g1""#, 0),
        ] {
            #expect(
                text.split(separator: kept, omittingEmptySubsequences: false).count == count + 1, "\(kept)")
        }
        #expect(try book.rollout(of: .k3s)?.value == next)
        #expect(try book.rollout(of: .k3s)?.text == text)
    }

    @Test("is not mistaken for what it knows and took away")
    func takenAway() throws {
        var paused = RolloutDocument.sample(generation: 1)
        paused.state = .paused
        paused.reason = "a person said so"
        paused.tracks[0].stages[0].begun = Instant(seconds: 5)
        paused.tracks[0].stages[0].proven = ["amd64": 1]
        let read = try read((#""format":1"#, #""extra":1,"format":1"#), document: paused)
        var next = read.value
        next.generation = 2
        next.state = .running
        next.reason = nil
        next.tracks[0].stages[0].begun = nil
        next.tracks[0].stages[0].proven = [:]
        let text = try book.put(next, over: read).text
        #expect(text.contains(#""extra":1"#))
        for gone in ["reason", "begun", "amd64\":1"] { #expect(!text.contains(gone), "\(gone)") }
        #expect(try book.rollout(of: .k3s)?.value == next)
    }

    @Test("of another rollout is not taken over")
    func anotherRollout() throws {
        let read = try read((#""format":1"#, #""extra":1,"format":1"#))
        let next = RolloutDocument.sample(generation: 2, id: "r2")
        #expect(try book.put(next, over: read).text == (try CanonicalJSON.text(of: next)))
    }

    @Test("stays through many hands")
    func manyTimes() throws {
        var stored = try read((#""format":1"#, #""extra":1,"format":1"#))
        for generation in 2...5 as ClosedRange<Int64> {
            var next = stored.value
            next.generation = generation
            stored = try book.put(next, over: stored)
        }
        #expect(stored.text.contains(#""extra":1"#))
        #expect(try book.rollout(of: .k3s) == stored)
    }

    @Test("of a node is kept beside its parts")
    func node() throws {
        let text = try CanonicalJSON.text(of: NodeRecord.sample(id: "a"))
            .replacing(#""phase":"#, with: #""mood":"fine","phase":"#)
        _ = try store.create(FleetKey(.node, "a"), text)
        let read = try #require(try book.node("a"))
        var next = read.value
        next.sequence += 1
        next.parts.insert(
            .init(distribution: .microk8s, name: "microk8s", role: nil, running: nil, bytes: nil), at: 0)
        let written = try book.put(next, over: read)
        #expect(written.text.contains(#""mood":"fine","name":"k3s""#))
        #expect(try book.node("a")?.value == next)
    }
}
