import Agent
import Host
import Ledger
import Model
import Ports
import Reports

/// Tells the receivers of a policy what the ledger has recorded since they were told last.
///
/// At least once: how far a receiver was told is kept after it took a message. What is not taken is tried again, over
/// restarts, with a rest that grows; see `Outlet`.
struct NotificationRound {
    let ledger: Ledger
    let node: String
    let clock: () -> ClockReading
    let send: (_ bytes: [UInt8], _ target: Notification.Target, _ milliseconds: Int) -> Reception

    /// For all receivers together: the next tick goes on.
    static let budget = 5000
    /// For one message, so that one receiver that hangs leaves some time to the others.
    static let each = 2500
    /// A try with less time than this would prove nothing.
    private static let least = 250
    /// A decision that comes again within this time is the same news.
    private static let repeatMemory = TimeSpan.days(7)
    /// What happened before somebody is first named by the policy is no news to them.
    private static let newcomersPast = TimeSpan.hours(1)
    /// Entries between an intent and its end, on a node on which nothing goes as it should.
    private static let intentReach: Int64 = 256

    /// One receiver: entries of `notify` with the same target are one.
    private struct Receiver {
        var outlet: Outlet
        var target: Notification.Target
        var on: Set<Notification.Occasion>
    }

    func run(_ notify: [Notification]) throws(LedgerFailure) {
        let known = try ledger.outlets().filter { $0.id != Outlet.metrics }
        if notify.isEmpty, known.isEmpty { return }
        let began = clock()
        var receivers: [Receiver] = []
        for (position, entry) in notify.enumerated() {
            let id = "notify-" + label(Self.identity(of: entry.target))
            if let index = receivers.firstIndex(where: { $0.outlet.id == id }) {
                receivers[index].on.formUnion(entry.on)
                continue
            }
            let name = Messenger.name(of: entry.target, at: position)
            var outlet = try outlet(id, name, among: known, now: began.now)
            if outlet.name != name || !known.contains(where: { $0.id == id }) {
                outlet.name = name
                try ledger.keep(outlet)
            }
            receivers.append(Receiver(outlet: outlet, target: entry.target, on: Set(entry.on)))
        }
        for outlet in known where !receivers.contains(where: { $0.outlet.id == outlet.id }) {
            try ledger.forget(outlet)
        }
        let head = try ledger.head().sequence
        // Who took everything so far comes first, so that nobody waits for one that hangs.
        for receiver in receivers.sorted(by: { $0.outlet.failures < $1.outlet.failures })
        where receiver.outlet.told < head && receiver.outlet.isDue(at: began.now) {
            try tell(receiver, since: began)
        }
    }

    private func outlet(
        _ id: String, _ name: String, among known: [Outlet], now: Instant
    ) throws(LedgerFailure) -> Outlet {
        if let outlet = known.first(where: { $0.id == id }) { return outlet }
        let since = now + TimeSpan(seconds: -Self.newcomersPast.seconds)
        return Outlet(id: id, name: name, told: try ledger.beginning(since: since))
    }

    /// What two targets are told apart by; only a label of it is kept.
    private static func identity(of target: Notification.Target) -> String {
        switch target {
        case .webhook(let url): "webhook \(url)"
        case .command(let words): "command \(words.map { "\($0.utf8.count) \($0)" }.joined(separator: " "))"
        }
    }

    private func millisecondsLeft(since began: ClockReading) -> Int {
        Self.budget - Int((clock().monotonic - began.monotonic) / 1_000_000)
    }

    /// Tells one receiver what is new to it.
    ///
    /// Bodies are read only of entries that can concern it, each once: a tick that finds nothing new reads none.
    private func tell(_ receiver: Receiver, since began: ClockReading) throws(LedgerFailure) {
        var outlet = receiver.outlet
        var kept = outlet
        func keep() throws(LedgerFailure) {
            guard outlet != kept else { return }
            try ledger.keep(outlet)
            kept = outlet
        }
        let kinds = NoticeTable.kinds(for: receiver.on)
        var table = NoticeTable()
        var knowsPast = false
        while millisecondsLeft(since: began) >= Self.least {
            let batch = try ledger.queued(of: kinds, from: outlet.told + 1, limit: 16, looked: 1000)
            // There is nothing after it.
            if batch.last <= outlet.told { return }
            for entry in batch.entries {
                let left = millisecondsLeft(since: began)
                guard left >= Self.least else { return try keep() }
                if entry.content == .dropped, entry.kind != "intended" {
                    outlet.giveUp(entry.sequence, because: Outlet.dropped, at: began.now)
                    continue
                }
                if !knowsPast, kinds.contains("intended") { try takeIntents(before: outlet.told, &table) }
                knowsPast = true
                guard let notice = try notice(of: entry, for: receiver, &table) else {
                    outlet.told = entry.sequence
                    continue
                }
                if outlet.isGivenUp(recordedAt: entry.at, now: began.now) {
                    outlet.giveUp(
                        entry.sequence, because: outlet.failure ?? "it was not reached for a day",
                        at: began.now)
                    continue
                }
                switch send(notice.bytes, receiver.target, min(left, Self.each)) {
                case .delivered: outlet.deliver(entry.sequence)
                case .refused(let reason):
                    outlet.recover()
                    outlet.giveUp(entry.sequence, because: reason, at: began.now)
                case .failed(let reason):
                    outlet.fail(because: reason, at: began.now)
                    return try keep()
                }
                try keep()
            }
            outlet.told = max(outlet.told, batch.last)
            // To look at the names of a few entries again costs less than to write down that they are of no concern.
            if !batch.entries.isEmpty || outlet.told - kept.told >= 100 { try keep() }
        }
    }

    /// Takes in the intents shortly before an entry, whose ends may come after it.
    private func takeIntents(before told: Int64, _ table: inout NoticeTable) throws(LedgerFailure) {
        let reach = max(1, told - Self.intentReach)
        let before = try ledger.queued(
            of: ["intended"], from: reach, limit: 64, looked: Int(told - reach + 1))
        for event in before.entries.compactMap(\.event) { _ = table.occasions(of: event) }
    }

    /// What a receiver is to be told of an entry; nil for nothing.
    private func notice(
        of entry: LedgerEntry, for receiver: Receiver, _ table: inout NoticeTable
    ) throws(LedgerFailure) -> Notice? {
        guard let event = entry.event,
            let occasion = table.occasions(of: event).first(where: receiver.on.contains),
            try !isRepeated(event, entry), let said = journalEntries(for: event).first
        else { return nil }
        return Notice(
            ledger: ledger.originName, node: node, entry: entry, occasion: occasion, text: said.text,
            fields: said.fields)
    }

    private func isRepeated(_ event: Event, _ entry: LedgerEntry) throws(LedgerFailure) -> Bool {
        guard case .decided(let record) = event else { return false }
        let since = entry.at + TimeSpan(seconds: -Self.repeatMemory.seconds)
        return try ledger.wasDecided(record.id, before: entry.sequence, since: since)
    }
}

extension Place {
    /// Whether this machine may tell others of what is found here: its own policy says whom, or one that a person named.
    ///
    /// Another root's own policy has no say in what this machine runs and asks.
    private var mayNotify: Bool { root.isLive || !isInstalledPolicy }

    /// The last thing that a tick or a step does; what cannot be told is known as a problem from the next tick on.
    ///
    /// - Parameter receivers: nil while nobody knows whom to tell; it is told then when that is known again.
    /// - Returns: whether anybody was asked, which can have taken seconds.
    @discardableResult
    func notify(_ receivers: (node: String, notify: [Notification])?, from ledger: Ledger) -> Bool {
        guard mayNotify, let receivers else { return false }
        // Two at once would tell everything twice.
        guard let lock = try? FileLock.take("\(stateDirectory)/notify.lock") else { return false }
        let clock = clock
        let messenger = Messenger()
        var hasAsked = false
        let round = NotificationRound(
            ledger: ledger, node: receivers.node, clock: clock.read,
            send: {
                hasAsked = true
                return messenger.send($0, to: $1, milliseconds: $2)
            })
        try? round.run(receivers.notify)
        _ = consume lock
        return hasAsked
    }

    /// What is the matter with those who are told.
    func untold(in ledger: Ledger, at now: Instant) -> [Problem] {
        ((try? ledger.outlets()) ?? []).compactMap { $0.problem(at: now) }
    }
}
