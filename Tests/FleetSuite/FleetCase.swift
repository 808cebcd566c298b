public import Ports
public import Testing

/// What every store of a fleet has to do, whatever it is made of.
///
/// A test runs each case at a place of its own.
public enum FleetCase: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case absence = "what was never written is not there, and cannot be changed or taken away"
    case creation = "a key is made once, and a second maker meets a conflict that changes nothing"
    case change = "a value is changed by who has read it last, and by nobody else"
    case removal = "a key is taken away by who has read it last, and is gone"
    case rebirth = "a revision from before a key was taken away and made again never holds"
    case strangers = "what is no revision of the store is none, whatever it looks like"
    case oddNames = "names are told apart by every byte, and listed in the order of their bytes"
    case kinds = "a name of one kind is not that of another"
    case longValues = "a value of 200 KiB comes back byte for byte, and one beyond the limit is refused"
    case noNames = "what is no name is refused by every call"
    case makers = "of eight that make a key at once exactly one does"
    case adders = "of eight that add to a value at once none is lost"

    public var testDescription: String { rawValue }

    /// Checks it.
    public func check(at place: FleetPlace) throws {
        let store = try place.open()
        switch self {
        case .absence: try absence(store)
        case .creation: try creation(store)
        case .change: try change(store)
        case .removal: try removal(store)
        case .rebirth: try rebirth(store)
        case .strangers: try strangers(store)
        case .oddNames: try oddNames(store)
        case .kinds: try kinds(store)
        case .longValues: try longValues(store)
        case .noNames: noNames(store)
        case .makers: try makers(place)
        case .adders: try adders(place)
        }
    }

    private var key: FleetKey { FleetKey(.node, "a1") }

    // MARK: One at a time

    private func absence(_ store: any FleetStore) throws {
        #expect(try store.get(key) == nil)
        #expect(try store.list(.node) == [])
        let other = try store.create(FleetKey(.node, "b2"), "{}")
        expect(.conflict) { try store.put(key, "{}", ifRevision: other) }
        expect(.conflict) { try store.delete(key, ifRevision: other) }
        #expect(try store.get(key) == nil)
    }

    private func creation(_ store: any FleetStore) throws {
        let revision = try store.create(key, #"{"a":1}"#)
        #expect(try store.get(key) == FleetValue(text: #"{"a":1}"#, revision: revision))
        expect(.conflict) { try store.create(key, #"{"a":2}"#) }
        expect(.conflict) { try store.create(key, #"{"a":1}"#) }
        #expect(try store.get(key) == FleetValue(text: #"{"a":1}"#, revision: revision))
    }

    private func change(_ store: any FleetStore) throws {
        let first = try store.create(key, "1")
        let second = try store.put(key, "2", ifRevision: first)
        #expect(second != first)
        expect(.conflict) { try store.put(key, "3", ifRevision: first) }
        let read = try #require(try store.get(key))
        #expect(read == FleetValue(text: "2", revision: second))
        let third = try store.put(key, "3", ifRevision: read.revision)
        #expect(Set([first, second, third]).count == 3)
        #expect(try store.list(.node).map(\.value) == [FleetValue(text: "3", revision: third)])
    }

    private func removal(_ store: any FleetStore) throws {
        let first = try store.create(key, "1")
        let second = try store.put(key, "2", ifRevision: first)
        expect(.conflict) { try store.delete(key, ifRevision: first) }
        #expect(try store.get(key)?.text == "2")
        try store.delete(key, ifRevision: second)
        #expect(try store.get(key) == nil)
        #expect(try store.list(.node) == [])
        expect(.conflict) { try store.delete(key, ifRevision: second) }
        expect(.conflict) { try store.put(key, "3", ifRevision: second) }
    }

    private func rebirth(_ store: any FleetStore) throws {
        let old = try store.create(key, "1")
        try store.delete(key, ifRevision: old)
        let new = try store.create(key, "1")
        #expect(old != new)
        expect(.conflict) { try store.put(key, "2", ifRevision: old) }
        expect(.conflict) { try store.delete(key, ifRevision: old) }
        #expect(try store.get(key) == FleetValue(text: "1", revision: new))
    }

    private func strangers(_ store: any FleetStore) throws {
        let revision = try store.create(key, "1")
        let absent = FleetKey(.node, "b2")
        for text in ["", "0", "-1", "x", "1.0", "99999999999999999999", "\(revision.text) "] {
            for key in [key, absent] {
                #expect(throws: FleetFailure.self, "\(text) for \(key)") {
                    try store.put(key, "2", ifRevision: FleetRevision(text))
                }
                #expect(throws: FleetFailure.self, "\(text) for \(key)") {
                    try store.delete(key, ifRevision: FleetRevision(text))
                }
            }
        }
        #expect(try store.get(key)?.text == "1")
        #expect(try store.get(absent) == nil)
    }

    private func oddNames(_ store: any FleetStore) throws {
        let names = [
            "a", "A", "a-", "-a", "a.b", "a/b", "a//b", "/a", "a/", "..", ".", "a:b", "a+b", "a_b", "0", "a0",
            "a/../b", "revision:12", String(repeating: "f", count: 64), String(repeating: "Z", count: 200),
            String(repeating: "z", count: 200),
        ]
        for name in names.reversed() { _ = try store.create(FleetKey(.quarantine, name), "of \(name)") }
        for name in names { #expect(try store.get(FleetKey(.quarantine, name))?.text == "of \(name)") }
        let listed = try store.list(.quarantine)
        #expect(listed.map(\.key.name) == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(listed.allSatisfy { $0.value.text == "of \($0.key.name)" && $0.key.kind == .quarantine })
        for entry in listed where entry.key.name.hasPrefix("a") {
            try store.delete(entry.key, ifRevision: entry.value.revision)
        }
        #expect(try store.list(.quarantine).count == names.filter { !$0.hasPrefix("a") }.count)
    }

    private func kinds(_ store: any FleetStore) throws {
        for kind in FleetKey.Kind.allCases { _ = try store.create(FleetKey(kind, "k3s"), kind.rawValue) }
        for kind in FleetKey.Kind.allCases {
            #expect(try store.get(FleetKey(kind, "k3s"))?.text == kind.rawValue)
            #expect(try store.list(kind).map(\.value.text) == [kind.rawValue])
        }
    }

    private func longValues(_ store: any FleetStore) throws {
        let odd = #"{"text":"ä\u0000\n\"\\ €😀 </script> %00 + & \r","n":[1,-2]}"# + "\n\t"
        let long = odd + String(repeating: "0123456789abcdef", count: 200 * 64)
        let rollout = FleetKey(.rollout, "k3s")
        let revision = try store.create(rollout, long)
        #expect(try store.get(rollout)?.text == long)
        let longer = String(long.reversed())
        _ = try store.put(rollout, longer, ifRevision: revision)
        #expect(try store.list(.rollout).map(\.value.text) == [longer])
        let tooLong = String(repeating: "x", count: 600 << 10)
        expect(.malformed) { try store.create(FleetKey(.rollout, "k0s"), tooLong) }
        #expect(try store.get(FleetKey(.rollout, "k0s")) == nil)
    }

    private func noNames(_ store: any FleetStore) {
        for name in ["", " ", "a b", "a\0", "ä", "a\nb", "a%2F", String(repeating: "a", count: 201)] {
            let key = FleetKey(.node, name)
            expect(.malformed) { try store.get(key) }
            expect(.malformed) { try store.create(key, "1") }
            expect(.malformed) { try store.put(key, "1", ifRevision: FleetRevision("1")) }
            expect(.malformed) { try store.delete(key, ifRevision: FleetRevision("1")) }
        }
    }

    // MARK: At once

    private func makers(_ place: FleetPlace) throws {
        let key = key
        let outcomes = inParallel(8) { number in
            Result { try place.open().create(key, "\(number)") }
        }
        let winners = outcomes.enumerated().filter { (try? $0.element.get()) != nil }.map(\.offset)
        #expect(outcomes.count == 8)
        #expect(winners.count == 1)
        for case .failure(let error) in outcomes {
            #expect((error as? FleetFailure)?.code == .conflict, "\(error)")
        }
        #expect(try place.open().get(key)?.text == winners.first.map(String.init))
    }

    private func adders(_ place: FleetPlace) throws {
        let (key, each) = (key, 5)
        _ = try place.open().create(key, "0")
        let outcomes = inParallel(8) { _ in
            Result {
                let store = try place.open()
                var left = each
                while left > 0 {
                    guard let read = try store.get(key), let sum = Int(read.text) else { return left }
                    do throws(FleetFailure) {
                        _ = try store.put(key, "\(sum + 1)", ifRevision: read.revision)
                        left -= 1
                    } catch {
                        guard error.code == .conflict else { throw error }
                    }
                }
                return 0
            }
        }
        for outcome in outcomes { #expect(try outcome.get() == 0) }
        #expect(try place.open().get(key)?.text == "\(8 * each)")
    }
}

/// Expects a failure of one kind.
public func expect<Value>(
    _ code: FleetFailure.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Value
) {
    do {
        let value = try body()
        Issue.record("\(value) in place of a \(code.rawValue) failure", sourceLocation: sourceLocation)
    } catch {
        let failure = error as? FleetFailure
        #expect(failure?.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}
