import Fleet
import Model
import Ports
import Rollout

/// What nodes ask of their fleet's store, timed and counted.
struct Load {
    let fleet: SampleFleet
    let store: CountingStore
    let runs: Int
    private let book: FleetBook

    init(_ fleet: SampleFleet, _ store: any FleetStore, runs: Int) {
        self.fleet = fleet
        self.store = CountingStore(store)
        self.runs = runs
        book = FleetBook(self.store)
    }

    private static let policy = Digest(String(repeating: "ab", count: 32)) ?? .none
    private static let now = Instant(seconds: 1_800_000_000)

    /// Writes every node's record, and the rollout.
    func fill() throws {
        for record in fleet.records { _ = try book.put(record, over: nil) }
        _ = try book.put(RolloutDocument.create(fleet.document, over: nil, highest: 0), over: nil)
        _ = store.take()
    }

    func print() throws {
        let nodes = fleet.records
        let middle = nodes[nodes.count / 2]
        Swift.print(
            "  \("".padded(58))\("ops".padded(-5))\("read B".padded(-10))\("written B".padded(-10))"
                + "\("median ms".padded(-10))\("min".padded(-8))\("max".padded(-8))")
        try row("a tick of a node that waits in a rollout") { _ = try book.rollout(of: .k3s) }
        try row("a tick of a node that may be about to move") {
            _ = try book.rollout(of: .k3s)
            _ = try book.nodes()
            _ = try book.quarantine()
            _ = try book.approvals()
        }
        try row("a heartbeat, hourly, and each tick of a soak") {
            let stored = try book.node(middle.id)
            var record = stored?.value ?? middle
            record.sequence += 1
            _ = try book.put(record, over: stored)
        }
        try row("all nodes listed") { _ = try book.nodes() }
        let canary = SampleFleet.participant(fleet.inOrder[0])
        let grant = Grant(node: canary.id, id: "81d2c07e44")
        try row("a grant") {
            guard let stored = try book.rollout(of: .k3s) else { return }
            let granted = try stored.value.granting(grant, to: canary, policy: Self.policy, now: Self.now)
            _ = try book.put(granted, over: stored)
        } after: {
            guard let stored = try book.rollout(of: .k3s) else { return }
            _ = try book.put(stored.value.givingBack(grant, of: canary), over: stored)
        }
        try whole()
    }

    /// What a rollout over all nodes writes, by its own transitions.
    ///
    /// Its text is measured at every hundredth of them where there are many, since it changes little from one to the next.
    private func whole() throws {
        let stride = fleet.records.count > 1000 ? 100 : 1
        var document = try RolloutDocument.create(fleet.document, over: nil, highest: 0)
        var (swaps, measured, bytes, largest) = (0, 0, 0, 0)
        func note() throws {
            if swaps % stride == 0 {
                let size = try CanonicalJSON.text(of: document).utf8.count
                (measured, bytes, largest) = (measured + 1, bytes + size, max(largest, size))
            }
            swaps += 1
        }
        try note()
        for record in fleet.inOrder {
            let node = SampleFleet.participant(record)
            let grant = Grant(node: node.id, id: "81d2c07e44")
            document = try document.granting(grant, to: node, policy: Self.policy, now: Self.now)
            try note()
            document = try document.proving(grant, by: node)
            try note()
        }
        let records = fleet.records.count
        let record = try CanonicalJSON.text(of: fleet.records[0]).utf8.count
        let text = bytes / max(1, measured)
        Swift.print(
            """
              a whole rollout: state \(document.state.rawValue); \(swaps) swaps of it, \(text) B each (\(largest) B at most), \
            \((swaps * text).megabytes) in all;
                beside it 3 records a node (begun, soaks, proven) and one each tick of a soak: \(records * 3) of \
            \(record) B, \((records * 3 * record).megabytes)
            """)
    }

    private func row(
        _ title: String, _ body: () throws -> Void, after: () throws -> Void = {}
    ) throws {
        let clock = ContinuousClock()
        var times: [Double] = []
        var count = CountingStore.Count()
        for run in 0...runs {
            _ = store.take()
            let time = try clock.measure(body)
            count = store.take()
            // The first is for the caches.
            if run > 0 {
                times.append(
                    Double(time.components.attoseconds) / 1e15 + Double(time.components.seconds) * 1000)
            }
            try after()
        }
        times.sort()
        let (middle, least, most) = (times[times.count / 2], times[0], times[times.count - 1])
        Swift.print(
            "  \(title.padded(58))\("\(count.operations)".padded(-5))\("\(count.read)".padded(-10))"
                + "\("\(count.written)".padded(-10))\(middle.hundredths.padded(-10))\(least.hundredths.padded(-8))"
                + "\(most.hundredths.padded(-8))")
    }
}

extension String {
    /// Filled with blanks: on the right, or on the left where the width is negative.
    fileprivate func padded(_ width: Int) -> String {
        let blanks = String(repeating: " ", count: max(0, abs(width) - count))
        return width < 0 ? blanks + self : self + blanks
    }
}

extension Double {
    fileprivate var hundredths: String {
        let value = Int((self * 100).rounded())
        let rest = value % 100
        return "\(value / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension Int {
    fileprivate var megabytes: String { self < 1_000_000 ? "\(self / 1000) kB" : "\(self / 1_000_000) MB" }
}
