public import Model
public import Ports

/// What stands in a fleet's store, as values: which key holds what, and how it is written.
///
/// What cannot be read is an error where something would be allowed by its absence (a rollout, a quarantine, a spent
/// approval), and left out where its absence allows nothing (an approval, a node of many).
public final class FleetBook: FleetPort {
    private let store: any FleetStore

    /// Makes a book over a store.
    public init(_ store: any FleetStore) { self.store = store }

    public var seesOthers: Bool { store.seesOthers }

    // MARK: Rollouts

    public func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>? {
        let key = FleetKey(.rollout, distribution.rawValue)
        guard let found = try store.get(key) else { return nil }
        let document = try FleetText.read(RolloutDocument.self, found.text, at: key)
        try FleetBounds.check(document, at: key)
        // Its id becomes a key, and is shown and exported.
        guard document.distribution == distribution, FleetKey(.archive, document.id).isWellFormed else {
            throw misplaced(key)
        }
        return Stored(value: document, revision: found.revision, text: found.text)
    }

    public func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument> {
        let key = FleetKey(.rollout, document.distribution.rawValue)
        if let read, read.value.format > RolloutDocument.newestFormat {
            throw FleetFailure(
                .malformed,
                "\(key): written by a newer version of holdfast (format \(read.value.format)), so it is left as "
                    + "it is; install that version here")
        }
        // Another rollout has nothing of the one before.
        let kept = read?.value.id == document.id ? read : nil
        let text = try FleetText.write(document, over: kept, at: key)
        return try write(document, text, key, over: read?.revision)
    }

    public func archive(_ document: RolloutDocument) throws(FleetFailure) {
        let key = FleetKey(.archive, document.id)
        try createOnce(key, try FleetText.write(document, over: nil, at: key))
    }

    // MARK: Nodes

    public func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem]) {
        var records: [NodeRecord] = []
        var problems: [Problem] = []
        for entry in try store.list(.node) {
            do throws(FleetFailure) { records.append(try record(entry).value) } catch {
                problems.append(
                    Problem(
                        code: "fleet-record-unreadable", text: error.description, about: entry.key.description
                    ))
            }
        }
        return (records, problems)
    }

    public func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>? {
        let key = FleetKey(.node, id)
        guard let found = try store.get(key) else { return nil }
        return try record(FleetEntry(key: key, value: found))
    }

    public func put(
        _ record: NodeRecord, over read: Stored<NodeRecord>?
    ) throws(FleetFailure) -> Stored<NodeRecord> {
        let key = FleetKey(.node, record.id)
        // What a newer version of ours said of this node is no longer so; nobody else writes here.
        let kept = read.flatMap { $0.value.format > NodeRecord.newestFormat ? nil : $0 }
        let text = try FleetText.write(record, over: kept, at: key)
        return try write(record, text, key, over: read?.revision)
    }

    public func remove(_ record: Stored<NodeRecord>) throws(FleetFailure) {
        try store.delete(FleetKey(.node, record.value.id), ifRevision: record.revision)
    }

    private func record(_ entry: FleetEntry) throws(FleetFailure) -> Stored<NodeRecord> {
        let record = try FleetText.read(NodeRecord.self, entry.value.text, at: entry.key)
        try FleetBounds.check(record, at: entry.key)
        guard record.id == entry.key.name else { throw misplaced(entry.key) }
        return Stored(value: record, revision: entry.value.revision, text: entry.value.text)
    }

    // MARK: Checkpoints

    /// The longest note that is read or written, in bytes.
    private static let longestNote = 16_384

    public func checkpoint(of node: String) throws(FleetFailure) -> Stored<FleetCheckpoint>? {
        let key = FleetKey(.checkpoint, node)
        guard let found = try store.get(key) else { return nil }
        let read = try FleetText.read(WithFormat<FleetCheckpoint>.self, found.text, at: key)
        guard read.value.node == node else { throw misplaced(key) }
        guard read.value.note.utf8.count <= Self.longestNote else {
            throw FleetFailure(
                .malformed, "\(key): longer than a checkpoint is; see who wrote it, and take it away")
        }
        return Stored(value: read.value, revision: found.revision, text: found.text)
    }

    public func put(
        _ checkpoint: FleetCheckpoint, over read: Stored<FleetCheckpoint>?
    ) throws(FleetFailure) {
        let key = FleetKey(.checkpoint, checkpoint.node)
        _ = try write(checkpoint, try text(of: checkpoint, at: key), key, over: read?.revision)
    }

    // MARK: Quarantine

    public func quarantine() throws(FleetFailure) -> [FleetQuarantine] {
        var found: [FleetQuarantine] = []
        for entry in try store.list(.quarantine) { found.append(try quarantine(entry.key, entry.value)) }
        return found
    }

    public func quarantine(_ entry: FleetQuarantine, isNew: Bool) throws(FleetFailure) {
        let key = FleetKey(.quarantine, entry.bytes)
        let text = try text(of: entry, at: key)
        do throws(FleetFailure) { _ = try store.create(key, text) } catch {
            guard error.code == .conflict else { throw error }
            // What failed before a person cleared it is what they have looked at.
            guard isNew, let found = try store.get(key),
                let cleared = try quarantine(key, found).cleared, cleared.at < entry.at
            else { return }
            _ = try store.put(key, text, ifRevision: found.revision)
        }
    }

    public func clear(
        _ entry: FleetQuarantine, _ word: FleetQuarantine.Clearing
    ) throws(FleetFailure) -> Bool {
        let key = FleetKey(.quarantine, entry.bytes)
        let found = try store.get(key)
        var cleared = if let found { try quarantine(key, found) } else { entry }
        if found != nil, cleared.cleared != nil { return false }
        cleared.cleared = word
        _ = try write(cleared, try text(of: cleared, at: key), key, over: found?.revision)
        return found != nil
    }

    private func quarantine(_ key: FleetKey, _ value: FleetValue) throws(FleetFailure) -> FleetQuarantine {
        let read = try FleetText.read(WithFormat<FleetQuarantine>.self, value.text, at: key).value
        guard read.bytes == key.name else { throw misplaced(key) }
        return read
    }

    // MARK: Approvals

    private struct Spent: Codable {
        var approval: String
        var node: String
    }

    public func approvals() throws(FleetFailure) -> [Approval] {
        var nodes: [String: Set<String>] = [:]
        for entry in try store.list(.spent) {
            let spent = try FleetText.read(WithFormat<Spent>.self, entry.value.text, at: entry.key).value
            nodes[spent.approval, default: []].insert(spent.node)
        }
        return try store.list(.approval).compactMap { entry in
            // One that we do not understand allows nothing here.
            guard
                let read = try? FleetText.read(WithFormat<Approval>.self, entry.value.text, at: entry.key),
                read.format <= FleetText.newestFormat, Self.key(of: read.value) == entry.key
            else { return nil }
            var approval = read.value
            approval.spentBy = Array(nodes[approval.id, default: []].union(approval.spentBy))
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return approval
        }
    }

    public func share(_ approval: Approval) throws(FleetFailure) {
        try createOnce(Self.key(of: approval), approval)
    }

    public func spend(_ approval: String, on node: String) throws(FleetFailure) {
        let key = FleetKey(.spent, "\(KeyPart.text(approval))/\(KeyPart.text(node))")
        try createOnce(key, Spent(approval: approval, node: node))
    }

    private static func key(of approval: Approval) -> FleetKey {
        FleetKey(.approval, "\(KeyPart.text(approval.id))/\(KeyPart.text(approval.claimedBy))")
    }

    // MARK: Writing

    private func write<Value: Hashable & Sendable>(
        _ value: Value, _ text: String, _ key: FleetKey, over revision: FleetRevision?
    ) throws(FleetFailure) -> Stored<Value> {
        let revision =
            if let revision {
                try store.put(key, text, ifRevision: revision)
            } else {
                try store.create(key, text)
            }
        return Stored(value: value, revision: revision, text: text)
    }

    /// Writes what never changes: whoever was first has said it.
    private func createOnce(_ key: FleetKey, _ text: String) throws(FleetFailure) {
        do throws(FleetFailure) { _ = try store.create(key, text) } catch {
            guard error.code == .conflict else { throw error }
        }
    }

    private func createOnce(_ key: FleetKey, _ value: some Codable) throws(FleetFailure) {
        try createOnce(key, try text(of: value, at: key))
    }

    private func text(of value: some Codable, at key: FleetKey) throws(FleetFailure) -> String {
        do { return try CanonicalJSON.text(of: WithFormat(value)) } catch {
            throw FleetFailure(.malformed, "\(key): cannot be written as JSON")
        }
    }

    private func misplaced(_ key: FleetKey) -> FleetFailure {
        FleetFailure(
            .malformed, "\(key): what stands there is of something else; see who wrote it, and take it away")
    }
}
