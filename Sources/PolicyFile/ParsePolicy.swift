public import Model
import YAML

/// A policy file that was read: the policy and its warnings, or all that is wrong.
public typealias PolicyParse = ParsedFile<LoadedPolicy>

/// Reads a policy file, whole: every key is checked, and every fault reported at once.
///
/// - Parameters:
///   - bytes: what the file holds.
///   - file: how the file is called in messages and sources.
///   - isZone: whether an IANA name is a time zone that this machine knows.
///   - known: the policy's hash where these bytes gave it before; the canonical encoding is then not made.
///   - hash: SHA-256.
public func parsePolicy(
    _ bytes: [UInt8], file: String, isZone: (String) -> Bool, known: Digest? = nil,
    hash: ([UInt8]) -> Digest
) -> PolicyParse {
    let reader = Reader(file: file)
    guard let document = reader.parse(bytes).flatMap({ reader.policy($0, isZone: isZone) }) else {
        return reader.result(nil)
    }
    guard
        let digest = known ?? (try? CanonicalJSON.text(of: document)).map({ text in hash(Array(text.utf8)) })
    else {
        reader.fault(
            at: .init(line: 1, column: 1), "the policy has no canonical form; this is a fault of holdfast")
        return reader.result(nil)
    }
    return reader.result(
        LoadedPolicy(
            document: document, sources: PolicySources(file: file, lines: reader.lines), sha256: digest))
}

/// What `apiVersion` must say.
let apiVersion = "holdfast/v1"

extension Reader {
    func checkVersion(_ fields: Fields) {
        guard let version = fields.require("apiVersion", "`apiVersion: \(apiVersion)`", { text($0) }),
            version != apiVersion, let entry = fields.entries["apiVersion"]
        else { return }
        fault(entry, "\(shown(version)) is not a version that this holdfast reads; write \(apiVersion)")
    }

    fileprivate func policy(_ entry: Entry, isZone: (String) -> Bool) -> PolicyDocument? {
        guard !entry.value.isEmpty else {
            fault(entry, "the file is empty; write at least `apiVersion: \(apiVersion)`")
            return nil
        }
        guard let fields = mapping(entry, Schema.policy, elsewhere: nestedKeys) else { return nil }
        checkVersion(fields)
        var document = PolicyDocument(base: Policy(settings: settings(fields, isZone: isZone)))
        fields.set(&document.stages, "stages", stages)
        fields.set(&document.ledgerKeep, "ledger") { ledger in
            mapping(ledger, Schema.ledger)?.read("keep") { duration($0, in: .days(1)...TimeSpan.longest) }
        }
        fields.set(&document.notify, "notify") { list($0, notification) }
        fields.set(&document.rules, "rules") { rules in list(rules) { rule($0, isZone: isZone) } }
        return document
    }
}

/// Keys of inner mappings that are easily put at the top, and where they belong.
private let nestedKeys: [String: String] = {
    let places = [
        "approval": ["required", "expires", "mayWaive"],
        "pin": ["version", "revision", "digest"],
        "windows": ["days", "start"],
        "stages": ["maxConcurrent", "need", "soak", "nodes", "clusters"],
        "health": ["checks", "interval", "failureLimit", "consecutiveSuccesses"],
        "gates": ["deprecatedAPIs"],
        "enforce": ["hold", "veto", "plans", "seal"],
        "source": ["releases", "poll", "caFile", "proxy"],
        "a rule": ["match"],
    ]
    var hints: [String: String] = [:]
    for (place, keys) in places {
        for key in keys {
            hints[key] = place == "a rule" ? "it belongs to a rule" : "it belongs to `\(place)`"
        }
    }
    return hints
}()

extension Policy {
    /// The settings of a file, defaults filled in.
    fileprivate init(settings: PolicySettings) {
        self.init()
        func set<Value>(_ target: inout Value, _ value: Value?) { if let value { target = value } }
        set(&timezone, settings.timezone)
        set(&unattended, settings.unattended)
        set(&approvable, settings.approvable)
        set(&approval, settings.approval)
        set(&allowedVersions, settings.allowedVersions)
        set(&pin, settings.pin)
        set(&deny, settings.deny)
        set(&origin, settings.origin)
        set(&minimumReleaseAge, settings.minimumReleaseAge)
        set(&waypoints, settings.waypoints)
        windows = settings.windows
        set(&freezes, settings.freezes)
        set(&health, settings.health)
        set(&gates, settings.gates)
        set(&drain, settings.drain)
        set(&backup, settings.backup)
        set(&rollback, settings.rollback)
        set(&enforce, settings.enforce)
        set(&source, settings.source)
        set(&clock, settings.clock)
        set(&overrides, settings.overrides)
    }
}
