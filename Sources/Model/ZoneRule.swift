/// A POSIX TZ rule, as a zone file's footer carries it: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// With RFC 8536's extension of version 3: times of day from -167 to 167 hours.
struct ZoneRule {
    /// Seconds east of UTC.
    let standard: Int
    /// Nil where the zone never changes its clocks.
    let daylight: Daylight?

    struct Daylight {
        let offset: Int
        let start: Moment
        let end: Moment
    }

    /// A moment of each year, by the clock that applies until then.
    struct Moment {
        enum Day {
            /// The `week`th such day of the month, 5 meaning the last; `day` counts from 0 = Sunday.
            case weekday(month: Int, week: Int, day: Int)
            /// 1 to 365, 29 February never counted.
            case julian(Int)
            /// 0 to 365, 29 February counted.
            case ordinal(Int)
        }

        let day: Day
        /// Seconds after local midnight; can be negative or more than a day.
        let time: Int

        func date(inYear year: Int) -> Int64 {
            func first(ofMonth month: Int) -> Int64 {
                CivilDate(year: year, month: month, day: 1)?.daysSinceEpoch ?? 0
            }
            switch day {
            case .julian(let number):
                // Counted as if there were no leap day: from 1 March on it is one day later in leap years.
                let isLeap = CivilDate(year: year, month: 2, day: 29) != nil
                return first(ofMonth: 1) + Int64(number - 1) + (isLeap && number >= 60 ? 1 : 0)
            case .ordinal(let number):
                return first(ofMonth: 1) + Int64(number)
            case .weekday(let month, let week, let day):
                let start = first(ofMonth: month)
                // 1970-01-01 was a Thursday, 4 counted from Sunday.
                let weekday = ((start + 4) % 7 + 7) % 7
                var date = start + (Int64(day) - weekday + 7) % 7 + Int64(week - 1) * 7
                let end =
                    month == 12 ? first(ofMonth: 12) + 31 : first(ofMonth: month + 1)
                if date >= end { date -= 7 }
                return date
            }
        }
    }

    /// The changes of the clock after an instant, up to the end of a year, in order.
    func transitions(after instant: Instant, throughYear lastYear: Int) -> [Zone.Transition] {
        guard let daylight else {
            // The footer's word on what applies from the last transition on.
            return [Zone.Transition(at: instant + TimeSpan(seconds: 1), offset: standard)]
        }
        let firstYear = Zone.utc.local(at: instant).date.year
        guard firstYear <= lastYear else { return [] }
        var all: [Zone.Transition] = []
        // The year before, since a rule may reach over New Year.
        for year in max(1, firstYear - 1)...lastYear {
            let start = daylight.start.date(inYear: year) * 86_400 + Int64(daylight.start.time - standard)
            let end = daylight.end.date(inYear: year) * 86_400 + Int64(daylight.end.time - daylight.offset)
            all.append(Zone.Transition(at: Instant(seconds: end), offset: standard))
            all.append(Zone.Transition(at: Instant(seconds: start), offset: daylight.offset))
        }
        // Daylight time all year long is written as an end that falls on the next start: the start wins.
        all.sort {
            $0.at != $1.at ? $0.at < $1.at : $0.offset == standard && $1.offset != standard
        }
        var result: [Zone.Transition] = []
        for transition in all where transition.at > instant {
            if result.last?.at == transition.at { result.removeLast() }
            result.append(transition)
        }
        return result
    }
}

extension ZoneRule {
    /// Reads a rule.
    init(_ text: ArraySlice<UInt8>) throws(ZoneFileError) {
        guard text.count <= 256 else { throw ZoneFileError("the footer is longer than 256 bytes") }
        var scanner = Scanner(rest: text, whole: text)
        try scanner.name()
        standard = -(try scanner.time(hoursAtMost: 24))
        guard !scanner.rest.isEmpty else {
            daylight = nil
            return
        }
        try scanner.name()
        var offset = standard + 3600
        if let next = scanner.rest.first, next != UInt8(ascii: ",") {
            offset = -(try scanner.time(hoursAtMost: 24))
        }
        let start = try scanner.moment()
        let end = try scanner.moment()
        guard scanner.rest.isEmpty else { throw scanner.error("goes on after its end") }
        daylight = Daylight(offset: offset, start: start, end: end)
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>
        let whole: ArraySlice<UInt8>

        func error(_ problem: String) -> ZoneFileError {
            ZoneFileError(
                "the footer's rule \(problem), before its byte \(rest.startIndex - whole.startIndex)")
        }

        mutating func takes(_ character: Character) -> Bool {
            guard let byte = character.asciiValue, rest.first == byte else { return false }
            rest.removeFirst()
            return true
        }

        /// `CET`, or anything between `<` and `>`.
        mutating func name() throws(ZoneFileError) {
            if takes("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else {
                    throw error("has a name without an end")
                }
                rest = rest[(end + 1)...]
            } else {
                let letters = rest.prefix { (65...90).contains($0) || (97...122).contains($0) }
                guard letters.count >= 3 else { throw error("has no name") }
                rest = rest[letters.endIndex...]
            }
        }

        mutating func number(_ range: ClosedRange<Int>) throws(ZoneFileError) -> Int {
            let digits = rest.prefix { (48...57).contains($0) }
            guard (1...3).contains(digits.count) else { throw error("has no number") }
            rest = rest[digits.endIndex...]
            let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
            guard range.contains(value) else { throw error("has a number out of range") }
            return value
        }

        /// `[+|-]hh[:mm[:ss]]` in seconds.
        mutating func time(hoursAtMost limit: Int) throws(ZoneFileError) -> Int {
            let isNegative = takes("-")
            if !isNegative { _ = takes("+") }
            var seconds = try number(0...limit) * 3600
            if takes(":") {
                seconds += try number(0...59) * 60
                if takes(":") { seconds += try number(0...59) }
            }
            return isNegative ? -seconds : seconds
        }

        mutating func moment() throws(ZoneFileError) -> Moment {
            guard takes(",") else { throw error("does not say when clocks change") }
            let day: Moment.Day
            if takes("M") {
                let month = try number(1...12)
                guard takes(".") else { throw error("has no week") }
                let week = try number(1...5)
                guard takes(".") else { throw error("has no weekday") }
                day = .weekday(month: month, week: week, day: try number(0...6))
            } else if takes("J") {
                day = .julian(try number(1...365))
            } else {
                day = .ordinal(try number(0...365))
            }
            return Moment(day: day, time: takes("/") ? try time(hoursAtMost: 167) : 7200)
        }
    }
}
