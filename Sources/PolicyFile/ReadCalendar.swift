import Model

// Windows, freezes and overrides: what depends on days and times.
extension Reader {
    func window(_ entry: Entry) -> Window? {
        guard let fields = mapping(entry, Schema.window) else { return nil }
        let days = fields.require("days", "the days on which it starts: [mon, tue]") { list in
            distinctList(list) { token($0) as Weekday? }
        }
        let start = fields.require("start", "the local time at which it starts: \"02:00\"", timeOfDay)
        let length = fields.require("duration", "how long it is open: 3h") {
            duration($0, in: .minutes(1)...TimeSpan.days(7))
        }
        guard let days, let start, let length else { return nil }
        // The order of days means nothing, so it must not change the hash.
        return Window(days: Weekday.allCases.filter(days.contains), start: start, duration: length)
    }

    func freeze(_ entry: Entry) -> Freeze? {
        guard let fields = mapping(entry, Schema.freeze) else { return nil }
        let from = fields.require("from", "the first day: 2026-12-18", date)
        let until = fields.require("until", "the day on which it is over: 2027-01-04", date)
        let scope: Freeze.Scope? = fields.entries["scope"].map { token($0) } ?? .all
        let reason = fields.require("reason", "why nothing may move then", self.reason)
        if let from, let until, from >= until, let entry = fields.entries["until"] {
            fault(
                entry, "\(until) is not after `from`, \(from); the freeze ends at the first moment of `until`"
            )
            return nil
        }
        guard let from, let until, let scope, let reason else { return nil }
        return Freeze(from: from, until: until, scope: scope, reason: reason)
    }

    func override(_ entry: Entry) -> Override? {
        guard let fields = mapping(entry, Schema.override) else { return nil }
        let rule = fields.require("rule", "the name of the rule: skip-minor", overridable)
        let reason = fields.require("reason", "why it is set aside", self.reason)
        let until = fields.require("until", "the day on which it is over: 2026-12-31", date)
        let match = fields.entries["match"].map(self.match) ?? Match()
        guard let rule, let reason, let until, let match else { return nil }
        return Override(rule: rule, reason: reason, until: until, match: match)
    }

    private func overridable(_ entry: Entry) -> RuleName? {
        guard let rule: RuleName = token(entry) else { return nil }
        switch rule {
        // Invariant 2: what cannot be read or compared is held, and nothing sets that aside.
        case .identity:
            fault(entry, "`identity` cannot be set aside; approve the digest with a stated version instead")
            return nil
        // The end of an override is read off the very clock that is in doubt.
        case .clock:
            fault(entry, "`clock` cannot be set aside; write `clock: trusted` instead")
            return nil
        default:
            return rule
        }
    }
}
