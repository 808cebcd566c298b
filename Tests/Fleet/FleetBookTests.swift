import Fleet
import FleetSuite
import Model
import Ports
import ScriptedServer
import Testing

@Suite("What stands in a fleet's store")
struct FleetBookTests {
    private let store: any FleetStore
    private let book: FleetBook

    init() throws {
        store = try FleetPlace.sqlite().open()
        book = FleetBook(store)
    }

    @Test("a node's checkpoint comes back, and what stands there is swapped, never written over")
    func checkpoint() throws {
        #expect(try book.checkpoint(of: "id-1") == nil)
        let note = "text\n\n\u{2014} name AAAA\n"
        try book.put(FleetCheckpoint(node: "id-1", note: note), over: nil)
        let first = try #require(try book.checkpoint(of: "id-1"))
        #expect(first.value.note == note)
        expect(.conflict) { try book.put(FleetCheckpoint(node: "id-1", note: "other"), over: nil) }
        try book.put(FleetCheckpoint(node: "id-1", note: "other"), over: first)
        expect(.conflict) { try book.put(FleetCheckpoint(node: "id-1", note: "more"), over: first) }
        #expect(try book.checkpoint(of: "id-1")?.value.note == "other")
        // Another node's, an endless one, and no JSON.
        for text in [
            #"{"format":1,"node":"id-3","note":""}"#,
            #"{"format":1,"node":"id-2","note":"\#(String(repeating: "a", count: 20_000))"}"#, "[",
        ] {
            if let read = try store.get(FleetKey(.checkpoint, "id-2")) {
                try store.delete(FleetKey(.checkpoint, "id-2"), ifRevision: read.revision)
            }
            _ = try store.create(FleetKey(.checkpoint, "id-2"), text)
            expect(.malformed) { _ = try book.checkpoint(of: "id-2") }
        }
    }

    @Test("a rollout comes back as it was written, by a swap each time")
    func rollout() throws {
        #expect(try book.rollout(of: .k3s) == nil)
        let first = try book.put(.sample(generation: 1), over: nil)
        #expect(first.value == .sample(generation: 1))
        #expect(try book.rollout(of: .k3s) == first)
        expect(.conflict) { try book.put(.sample(generation: 1), over: nil) }
        let second = try book.put(.sample(generation: 2), over: first)
        expect(.conflict) { try book.put(.sample(generation: 2), over: first) }
        #expect(try book.rollout(of: .k3s) == second)
        #expect(try book.rollout(of: .k0s) == nil)
    }

    @Test("the text is canonical: the same bytes for the same value, keys in order (invariant 5)")
    func canonical() throws {
        let first = try book.put(.sample(generation: 1), over: nil)
        #expect(first.text == (try CanonicalJSON.text(of: RolloutDocument.sample(generation: 1))))
        try book.quarantine(.sample(bytes: "revision:7"), isNew: true)
        #expect(
            try store.get(FleetKey(.quarantine, "revision:7"))?.text == """
                {"at":1800000000,"bytes":"revision:7","distribution":"k3s","format":1,"node":"edge-1",\
                "reason":"it did not get ready","version":"v1.33.4+k3s1"}
                """)
    }

    // MARK: What cannot be read

    struct Unreadable: Sendable, CustomTestStringConvertible {
        var name: String
        var word: String
        var text: @Sendable (String) -> String
        var testDescription: String { name }

        init(_ name: String, says word: String, _ text: @escaping @Sendable (String) -> String) {
            self.name = name
            self.word = word
            self.text = text
        }

        /// With one part of the text replaced, which has to be there.
        init(_ name: String, says word: String, _ old: String, _ new: String) {
            self.init(name, says: word) { text in
                let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
                return parts.count == 2 ? "\(parts[0])\(new)\(parts[1])" : "no \(old)"
            }
        }
    }

    static let everyUnreadable = [
        Unreadable("nothing", says: "no JSON") { _ in "" },
        Unreadable("no JSON", says: "no JSON") { _ in "<html>" },
        Unreadable("half of it", says: "no JSON") { String($0.prefix($0.count / 2)) },
        Unreadable("no object", says: "another type") { _ in "[]" },
        Unreadable("a list without a bottom", says: "no JSON") { _ in String(repeating: "[", count: 100_000)
        },
        Unreadable("no policy", says: "policy", #""policy":"#, #""policies":"#),
        Unreadable("a state that is none", says: "state", #""state":"running""#, #""state":"flying""#),
        Unreadable(
            "a newer format in which something is new", says: "newer version of holdfast (format 2",
            #""format":1,"generation":1,"#, #""format":2,"generation":"one","#),
        Unreadable(
            "another distribution's", says: "something else", #""distribution":"k3s""#,
            #""distribution":"k0s""#),
        Unreadable("no format", says: "format", #""format":1,"#, ""),
        // Sums of these would overflow.
        Unreadable(
            "a generation beyond all", says: "generation", #""generation":1"#,
            #""generation":9223372036854775807"#),
        Unreadable("a negative generation", says: "generation", #""generation":1"#, #""generation":-1"#),
        Unreadable("a count beyond all", says: "count", #""need":8"#, #""need":9223372036854775807"#),
        Unreadable(
            "a proof beyond all", says: "count", #""proven":{}"#, #""proven":{"a":9223372036854775807,"b":1}"#
        ),
        Unreadable(
            "a deadline beyond all", says: "deadline", #""deadline":3600"#, #""deadline":9223372036854775807"#
        ),
        Unreadable("a format that is none", says: "format", #""format":1"#, #""format":0"#),
    ]

    @Test(
        "a rollout that cannot be read is an error that names it, never none (invariant 2)",
        arguments: everyUnreadable)
    func unreadable(case: Unreadable) throws {
        let key = FleetKey(.rollout, "k3s")
        let good = try CanonicalJSON.text(of: RolloutDocument.sample(generation: 1))
        _ = try store.create(key, `case`.text(good))
        let failure = try #require(throws: FleetFailure.self) { try book.rollout(of: .k3s) }
        #expect(failure.code == .malformed)
        #expect(failure.description.hasPrefix("rollout/k3s: "))
        #expect(failure.description.contains(`case`.word), "\(failure)")
    }

    @Test(
        "a rollout under a name that could be no key is none: it would be shown, and exported to spreadsheets",
        arguments: [
            "", "=1+1", "a b", "r\u{1b}[31m", "<b>", "r\u{202e}",
            String(repeating: "r", count: 300),
        ])
    func strangeName(id: String) throws {
        let document = RolloutDocument.sample(generation: 1, id: id)
        _ = try store.create(FleetKey(.rollout, "k3s"), try CanonicalJSON.text(of: document))
        expect(.malformed) { try book.rollout(of: .k3s) }
    }

    @Test("a rollout of a newer format is read as far as it can be, and never written over")
    func newerFormat() throws {
        var document = RolloutDocument.sample(generation: 1)
        document.format = 2
        let text = try CanonicalJSON.text(of: document)
        _ = try store.create(FleetKey(.rollout, "k3s"), text)
        let read = try #require(try book.rollout(of: .k3s))
        #expect(read.value == document)
        expect(.malformed) { try book.put(.sample(generation: 2), over: read) }
        #expect(try book.rollout(of: .k3s) == read)
    }

    // MARK: Nodes

    @Test("a record with all that it can say is under 1 KiB, and comes back")
    func record() throws {
        let first = try book.put(.sample(), over: nil)
        #expect(first.text.utf8.count < 1024)
        #expect(try book.node(first.value.id) == first)
        #expect(try book.node("nobody") == nil)
        expect(.conflict) { try book.put(.sample(sequence: 8), over: nil) }
        let second = try book.put(.sample(sequence: 8), over: first)
        expect(.conflict) { try book.remove(first) }
        try book.remove(second)
        #expect(try book.node(first.value.id) == nil)
    }

    @Test("of many nodes those that cannot be read are told of one by one, and the others come in order")
    func nodes() throws {
        for id in ["b", "a", "d"] { _ = try book.put(.sample(id: id), over: nil) }
        var newer = NodeRecord.sample(id: "e")
        newer.format = 2
        for (id, text) in [
            ("c", "<html>"), ("cc", try CanonicalJSON.text(of: NodeRecord.sample(id: "a"))),
            ("ccc", try CanonicalJSON.text(of: NodeRecord.sample(id: "ccc", sequence: .max))),
            ("e", try CanonicalJSON.text(of: newer)),
        ] {
            _ = try store.create(FleetKey(.node, id), text)
        }
        let found = try book.nodes()
        #expect(found.records.map(\.id) == ["a", "b", "d", "e"])
        #expect(found.problems.map(\.about) == ["node/c", "node/cc", "node/ccc"])
        #expect(Set(found.problems.map(\.code)) == ["fleet-record-unreadable"])
        expect(.malformed) { try book.node("c") }
    }

    @Test("a node writes over what a newer version of itself wrote, and keeps nothing of it")
    func downgraded() throws {
        let text = try CanonicalJSON.text(of: NodeRecord.sample(id: "a"))
            .replacing(#""format":1"#, with: #""format":2,"mood":"fine""#)
        _ = try store.create(FleetKey(.node, "a"), text)
        let read = try #require(try book.node("a"))
        let written = try book.put(.sample(id: "a", sequence: 8), over: read)
        #expect(written.text == (try CanonicalJSON.text(of: NodeRecord.sample(id: "a", sequence: 8))))
    }

    // MARK: What is written once

    @Test("a quarantine is known once it is written, whoever writes it again, until a person clears it")
    func quarantine() throws {
        let first = FleetQuarantine.sample(bytes: String(repeating: "0f", count: 32))
        var second = first
        second.reason = "another reason"
        try book.quarantine(first, isNew: true)
        try book.quarantine(second, isNew: true)
        #expect(try book.quarantine() == [first])
        #expect(try book.clear(second, word))
        #expect(try book.clear(first, word) == false)
        var cleared = first
        cleared.cleared = word
        #expect(try book.quarantine() == [cleared])
        // Who remembers that it failed does not undo the clear, nor who tells late of a failure before it; who sees it
        // fail after it does.
        try book.quarantine(first, isNew: false)
        #expect(try book.quarantine() == [cleared])
        try book.quarantine(second, isNew: true)
        #expect(try book.quarantine() == [cleared])
        second.at = word.at + .minutes(1)
        try book.quarantine(second, isNew: true)
        #expect(try book.quarantine() == [second])
    }

    private let word = FleetQuarantine.Clearing(
        at: Instant(seconds: 1_800_000_000), claimedBy: "ada", reason: "the disk")

    @Test("a clear stands where the store did not know of the quarantine, and says which it was")
    func clearedUnknown() throws {
        let entry = FleetQuarantine.sample(bytes: "revision:7")
        #expect(try book.clear(entry, word) == false)
        var cleared = entry
        cleared.cleared = word
        #expect(try book.quarantine() == [cleared])
        try book.quarantine(entry, isNew: false)
        #expect(try book.quarantine() == [cleared])
    }

    @Test(
        "a quarantine that cannot be read is an error, since its absence would allow something (invariant 2)")
    func unreadableQuarantine() throws {
        _ = try store.create(FleetKey(.quarantine, "revision:7"), "{}")
        expect(.malformed) { try book.quarantine() }
    }

    @Test("an ended rollout is kept once")
    func archive() throws {
        try book.archive(.sample(generation: 9))
        try book.archive(.sample(generation: 10))
        #expect(
            try store.list(.archive).map(\.value.text) == [
                try CanonicalJSON.text(of: RolloutDocument.sample(generation: 9))
            ])
    }

    @Test("approvals of several people stand side by side, with every node that has spent them (invariant 6)")
    func approvals() throws {
        let people = ["root", "ann (uid 1000)", "ann/(uid 1000)", "", String(repeating: "ä", count: 300)]
        for who in people { try book.share(.sample(by: who, spentBy: ["x"])) }
        try book.share(.sample(by: "root"))
        try book.share(.sample(id: "a2"))
        try book.spend("a1", on: "b/c")
        try book.spend("a1", on: "b/c")
        try book.spend("a1", on: "b")
        try book.spend("a1/b", on: "c")
        let found = try book.approvals()
        #expect(Set(found.filter { $0.id == "a1" }.map(\.claimedBy)) == Set(people))
        #expect(found.filter { $0.id == "a1" }.allSatisfy { $0.spentBy == ["b", "b/c", "x"] })
        #expect(found.filter { $0.id == "a2" }.map(\.spentBy) == [[]])
    }

    @Test("an approval that cannot be read allows nothing, and a spent one that cannot be read is an error")
    func unreadableApprovals() throws {
        try book.share(.sample())
        let key = FleetKey(.approval, "a2/root")
        _ = try store.create(key, "<html>")
        let newer = try #require(try store.get(FleetKey(.approval, "a1/root"))).text
            .replacing(#""format":1"#, with: #""format":2"#).replacing(#""id":"a1""#, with: #""id":"a3""#)
        _ = try store.create(FleetKey(.approval, "a3/root"), newer)
        #expect(try book.approvals().map(\.id) == ["a1"])
        _ = try store.create(FleetKey(.spent, "a1/x"), "<html>")
        expect(.malformed) { try book.approvals() }
    }
}
