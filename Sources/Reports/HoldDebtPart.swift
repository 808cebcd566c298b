public import Model

/// One line of what an installation's staying costs, for any report: text, HTML, or a terminal.
public struct DebtRow: Hashable, Sendable {
    /// `debt`, or `way out`.
    public var label: String
    /// The shortest form: `382 days past`, `5 steps`, `not known`.
    public var value: String
    /// The same in words, with where it is from.
    public var explanation: String
}

/// What staying costs, in two lines; none where nothing keeps the installation where it is and it is supported.
///
/// What comes from outside in them is not made printable yet.
public func debtRows(_ debt: HoldDebt) -> [DebtRow] {
    guard !debt.causes.isEmpty || debt.isPastSupport == true else { return [] }
    let minor = debt.version?.minorText
    var parts = [supportText(debt, minor: minor)]
    switch (debt.patches, debt.minors) {
    case (nil, nil): parts.append("how far behind is not known")
    default:
        parts.append(
            "\(lagText(debt.patches, "patch", "patches")), \(lagText(debt.minors, "minor", "minors"))")
    }
    if !debt.causes.isEmpty {
        parts.append("kept by " + debt.causes.map(\.text).joined(separator: ", "))
    }
    let (value, way): (String, String) =
        switch debt.way {
        case .ladder(let steps) where steps.isEmpty:
            ("none needed", "nothing newer is known that is permitted")
        case .ladder(let steps): ("\(steps.count) step\(steps.count == 1 ? "" : "s")", ladderText(steps))
        case .unknown(let reason): ("not known", reason)
        }
    return [
        DebtRow(label: "debt", value: daysText(debt), explanation: parts.joined(separator: "; ")),
        DebtRow(label: "way out", value: value, explanation: "\(way) (table of support: \(debt.table))"),
    ]
}

private func daysText(_ debt: HoldDebt) -> String {
    if let days = debt.daysLeft {
        let count = "\(days.magnitude) day\(days.magnitude == 1 ? "" : "s")"
        return days < 0 ? "\(count) past" : "\(count) left"
    }
    return debt.isPastSupport == true ? "past support" : "not known"
}

private func supportText(_ debt: HoldDebt, minor: String?) -> String {
    guard let minor else { return "what is installed is not known" }
    switch debt.supportEnd {
    case .on(let day):
        return "\(minor) \(debt.daysLeft.map { $0 < 0 } == true ? "was" : "is") supported until \(day)"
    case .over: return "\(minor) is no longer supported"
    case .open: return "the end of \(minor)'s support is not announced"
    case nil: return "the end of \(minor)'s support is not known"
    }
}

private func lagText(_ lag: HoldDebt.Lag?, _ one: String, _ many: String) -> String {
    guard let lag else { return "\(many) behind not known" }
    return lag.count == 0
        ? "no \(one) behind" : "\(lag.count) \(lag.count == 1 ? one : many) behind (\(lag.newest))"
}

/// The first steps and the last one: a node that was forgotten for years has many.
private func ladderText(_ steps: [Version]) -> String {
    let names = steps.map(\.description)
    guard names.count > 8, let last = names.last else { return names.joined(separator: " → ") }
    return (names.prefix(6) + ["… \(names.count - 7) more …", last]).joined(separator: " → ")
}

extension HoldDebt.Cause {
    /// For a person, in a list after "kept by".
    fileprivate var text: String {
        switch self {
        case .change(let id, let to, let verdict):
            "\(verdict == .deny ? "denied" : "held") change \(id) to \(to?.description ?? "an unreadable version")"
        case .pin(let text, let source): "the pin to \(text) (\(source))"
        case .snapHold(let until): "the snap's hold" + (until.map { " until \($0)" } ?? "")
        }
    }

    /// The word by which scripts know it.
    var kind: String {
        switch self {
        case .change(_, _, let verdict): verdict == .deny ? "deny" : "hold"
        case .pin: "pin"
        case .snapHold: "snap-hold"
        }
    }
}

/// A debt as JSON; null where something is not known.
struct HoldDebtPart: Encodable {
    let debt: HoldDebt

    enum Key: String, CodingKey {
        case version, causes, supportedUntil, pastSupport, daysLeft, patchesBehind, minorsBehind, newestPatch,
            newestMinor, ladder, noLadder, table, tableDay
    }
    enum CauseKey: String, CodingKey { case kind, change, to, pin, source, until }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(debt.version, forKey: .version)
        var causes = container.nestedUnkeyedContainer(forKey: .causes)
        for cause in debt.causes {
            var element = causes.nestedContainer(keyedBy: CauseKey.self)
            try element.encode(cause.kind, forKey: .kind)
            switch cause {
            case .change(let id, let to, _):
                try element.encode(id, forKey: .change)
                try element.encode(to, forKey: .to)
            case .pin(let text, let source):
                try element.encode(text, forKey: .pin)
                try element.encode(source, forKey: .source)
            case .snapHold(let until): try element.encode(until?.description, forKey: .until)
            }
        }
        let day: CivilDate? = if case .on(let day) = debt.supportEnd { day } else { nil }
        try container.encode(day, forKey: .supportedUntil)
        try container.encode(debt.isPastSupport, forKey: .pastSupport)
        try container.encode(debt.daysLeft, forKey: .daysLeft)
        try container.encode(debt.patches?.count, forKey: .patchesBehind)
        try container.encode(debt.minors?.count, forKey: .minorsBehind)
        try container.encode(debt.patches?.newest, forKey: .newestPatch)
        try container.encode(debt.minors?.newest, forKey: .newestMinor)
        switch debt.way {
        case .ladder(let steps):
            try container.encode(steps, forKey: .ladder)
            try container.encodeNil(forKey: .noLadder)
        case .unknown(let reason):
            try container.encodeNil(forKey: .ladder)
            try container.encode(reason, forKey: .noLadder)
        }
        try container.encode(debt.table, forKey: .table)
        try container.encode(debt.tableDay, forKey: .tableDay)
    }
}
