public import Model

/// A stored decision, made again from what it was made from (invariant 5).
public struct Replayed: Hashable, Sendable {
    /// What making it again showed.
    public enum Outcome: String, Hashable, Sendable, Encodable {
        /// The same engine gave the same bytes.
        case sameBytes = "same-bytes"
        /// Another engine gave the same verdict and the same result of every rule.
        case sameResults = "same-results"
        /// It came out otherwise; each difference is named.
        case different
    }

    /// One thing that came out otherwise.
    public struct Difference: Hashable, Sendable, Encodable {
        /// `verdict`, `earliest`, `decision`, `bytes`, or a rule's name.
        public var what: String
        /// As it is stored.
        public var stored: String
        /// As it comes out now.
        public var made: String
    }

    /// What making it again showed.
    public var outcome: Outcome
    /// The version of the rules that made the stored one; nil where it does not say.
    public var storedRules: String?
    /// The record as it comes out now, in its canonical encoding.
    public var made: String
    /// What came out otherwise, the verdict first; empty where nothing did.
    public var differences: [Difference]

    /// Whether the engine that made the stored one is this one, which then must give the same bytes.
    public var isSameEngine: Bool { storedRules == rulesVersion }
}

/// Makes a stored decision again, by the function that made it, from nothing but what is stored with it.
///
/// - Parameters:
///   - text: the stored record's bytes, of which `stored` was read.
///   - label: makes a short label of a text, the same in every process.
/// - Throws: `EncodingError` where what comes out has no canonical form.
public func replay(
    _ stored: DecisionRecord, text: [UInt8], label: (String) -> String
) throws -> Replayed {
    var made = decide(
        policy: stored.policy, subject: stored.subject, fleet: stored.fleet, approvals: stored.approvals,
        denials: stored.denials, now: stored.now, zoneData: stored.dataVersions[zoneDataKey] ?? "none",
        label: label)
    // Data of other names was read by another engine, and is stored with it.
    made.dataVersions.merge(stored.dataVersions) { ours, _ in ours }
    let bytes = try CanonicalJSON.text(of: made)
    let isSameEngine = stored.dataVersions[rulesKey] == rulesVersion
    var differences = resultDifferences(stored, made)
    if isSameEngine {
        differences += wordDifferences(stored, made)
        if differences.isEmpty, !bytes.utf8.elementsEqual(text) {
            differences = [bytesDifference(text, Array(bytes.utf8))]
        }
    }
    return Replayed(
        outcome: !differences.isEmpty ? .different : isSameEngine ? .sameBytes : .sameResults,
        storedRules: stored.dataVersions[rulesKey], made: bytes, differences: differences)
}

/// Verdict and rule results: what a later engine has to give as well.
private func resultDifferences(_ stored: DecisionRecord, _ made: DecisionRecord) -> [Replayed.Difference] {
    var differences: [Replayed.Difference] = []
    if stored.decision.verdict != made.decision.verdict {
        differences.append(
            Replayed.Difference(
                what: "verdict", stored: stored.decision.verdict.rawValue,
                made: made.decision.verdict.rawValue))
    }
    for rule in RuleName.allCases {
        let was = stored.decision.reasons.filter { $0.rule == rule }
        let now = made.decision.reasons.filter { $0.rule == rule }
        if was.map(\.outcome) != now.map(\.outcome) {
            differences.append(
                Replayed.Difference(what: rule.rawValue, stored: sentence(was), made: sentence(now)))
        }
    }
    return differences
}

/// What the same engine has to give as well: the words, the times, the label.
private func wordDifferences(_ stored: DecisionRecord, _ made: DecisionRecord) -> [Replayed.Difference] {
    var differences: [Replayed.Difference] = []
    for rule in RuleName.allCases {
        let was = stored.decision.reasons.filter { $0.rule == rule }
        let now = made.decision.reasons.filter { $0.rule == rule }
        if was.map(\.outcome) == now.map(\.outcome), was != now {
            differences.append(
                Replayed.Difference(what: rule.rawValue, stored: words(was), made: words(now)))
        }
    }
    if stored.decision.earliest != made.decision.earliest {
        func text(_ instant: Instant?) -> String { instant.map(\.description) ?? "not known" }
        differences.append(
            Replayed.Difference(
                what: "earliest", stored: text(stored.decision.earliest), made: text(made.decision.earliest)))
    }
    if stored.id != made.id {
        differences.append(Replayed.Difference(what: "decision", stored: stored.id, made: made.id))
    }
    return differences
}

/// Where two encodings of equal values part: a key that this engine does not read, or another order.
private func bytesDifference(_ stored: [UInt8], _ made: [UInt8]) -> Replayed.Difference {
    let same = zip(stored, made).prefix { $0 == $1 }.count
    func around(_ bytes: [UInt8]) -> String {
        String(decoding: bytes[max(0, same - 24)..<min(bytes.count, same + 24)], as: UTF8.self)
    }
    return Replayed.Difference(
        what: "bytes", stored: "byte \(same): …\(around(stored))…", made: "…\(around(made))…")
}

extension Reason {
    /// What a rule came to, without the words for it.
    fileprivate var outcome: [String] { [result.rawValue, consequence.rawValue] }
}

private func sentence(_ reasons: [Reason]) -> String {
    guard !reasons.isEmpty else { return "not asked" }
    return reasons.map { "\($0.result.rawValue) (\($0.text))" }.joined(separator: "; ")
}

private func words(_ reasons: [Reason]) -> String {
    reasons.map { reason in
        ([reason.text, "from \(reason.source)"]
            + [reason.notBefore.map { "not before \($0)" }, reason.lever]
            .compactMap { $0 }).joined(separator: ", ")
    }.joined(separator: "; ")
}
