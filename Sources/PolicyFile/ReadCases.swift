import Model
import YAML

/// Reads a file of cases (its schema: Policies/README.md), whole: every fault is reported at once.
///
/// - Parameters:
///   - bytes: what the file holds.
///   - file: how the file is called in messages.
public func parsePolicyCases(_ bytes: [UInt8], file: String) -> ParsedFile<PolicyCases> {
    let reader = Reader(file: file)
    guard let entry = reader.parse(bytes) else { return reader.result(nil) }
    return reader.result(reader.cases(entry))
}

/// The keys of a case that `defaults` can hold too.
let sharedKeys = ["node", "installation", "change", "now", "clock", "fleet", "approvals"]

extension Reader {
    fileprivate func cases(_ entry: Entry) -> PolicyCases? {
        guard !entry.value.isEmpty else {
            fault(entry, "the file is empty; write `apiVersion: \(apiVersion)` and `cases`")
            return nil
        }
        guard let fields = mapping(entry, keys: ["apiVersion", "policy", "defaults", "cases"]) else {
            return nil
        }
        checkVersion(fields)
        let defaults = fields.read("defaults") { mapping($0, keys: sharedKeys) }
        let table = fields.require("cases", "a list of cases") { cases(in: $0, defaults: defaults) }
        return table.map { PolicyCases(policy: fields.read("policy") { text($0) }, cases: $0) }
    }

    /// A list of cases, each with a name of its own.
    func cases(in entry: Entry, defaults: Fields?) -> [PolicyCase]? {
        var names: Set<String> = []
        return list(entry) { element in
            let one = policyCase(element, defaults: defaults)
            if let one, !names.insert(one.name).inserted {
                fault(element, "a second case is named \(shown(one.name)); give each a name of its own")
            }
            return one
        }
    }

    private func policyCase(_ entry: Entry, defaults: Fields?) -> PolicyCase? {
        guard let own = mapping(entry, keys: ["name"] + sharedKeys + ["expect"]) else { return nil }
        // A key of the case stands for the default's as a whole; nothing is merged inside it.
        let entries = (defaults?.entries ?? [:]).merging(own.entries) { $1 }
        let fields = Fields(owner: entry, entries: entries, reader: self)
        let name = fields.require("name", "what the case shows: a patch at night goes through") { text($0) }
        let node =
            fields.entries["node"].map(caseNode)
            ?? NodeFacts(name: "node", cluster: "default", labels: [:], architecture: .amd64)
        let site = fields.require("installation", "{distribution: k3s, role: server}", caseInstallation)
        let now = fields.require("now", "the time of the decision: 2026-11-24T02:30:00Z", instant)
        let synchronised =
            fields.entries["clock"].map {
                word($0, [("synchronised", Bool?.some(true)), ("unsynchronised", false), ("unknown", nil)])
            } ?? true
        let expected = fields.require("expect", "{verdict: allow}", expectation)
        guard let node, let site else { return nil }
        guard
            let change = fields.require(
                "change", "{from: v1.31.4+k3s1, to: v1.31.5+k3s1}", { caseChange($0, site) })
        else { return nil }
        let fleet = fields.entries["fleet"].map { caseFleet($0, change, site, node) } ?? .alone
        let approvals =
            fields.entries["approvals"].map { list in
                self.list(list) { caseApproval($0, change, node, now: now ?? Instant(seconds: 0)) }
            } ?? []
        guard let name, let now, let expected, let fleet, let approvals, let synchronised else { return nil }
        let subject = Subject(
            node: node, installation: site.installation(with: change, architecture: node.architecture),
            change: change, clockSynchronised: synchronised, zone: nil)
        return PolicyCase(
            name: name, line: entry.position.line, subject: subject, fleet: fleet, approvals: approvals,
            now: now,
            expected: expected)
    }

    private func expectation(_ entry: Entry) -> PolicyCase.Expectation? {
        guard let fields = mapping(entry, keys: ["verdict", "rule", "by", "notBefore"]) else { return nil }
        let verdict: Verdict? = fields.require("verdict", "allow, hold or deny") { token($0) }
        let notMet = fields.read("rule") { rules in distinctList(rules) { token($0) as RuleName? } }
        let by = fields.read("by") { token($0) as RuleName? }
        let notBefore = fields.read("notBefore", instant)
        let others = ["rule", "by", "notBefore"].compactMap { fields.entries[$0] }
        if let verdict, verdict == .allow, let rule = others.first {
            fault(rule, "what is allowed has every rule met and waits for nothing; take it out")
        }
        return verdict.map {
            PolicyCase.Expectation(verdict: $0, notMet: notMet, by: by, notBefore: notBefore)
        }
    }

    private func caseNode(_ entry: Entry) -> NodeFacts? {
        guard let fields = mapping(entry, keys: ["name", "cluster", "labels", "arch"]) else { return nil }
        var node = NodeFacts(name: "node", cluster: "default", labels: [:], architecture: .amd64)
        fields.set(&node.name, "name", plainName)
        fields.set(&node.cluster, "cluster", plainName)
        fields.set(&node.labels, "labels", labels)
        fields.set(&node.architecture, "arch") { (token($0) as Architecture?).map { .some($0) } }
        return node
    }

    private func caseInstallation(_ entry: Entry) -> CaseSite? {
        guard let fields = mapping(entry, keys: ["distribution", "role", "dataStore"]) else { return nil }
        let distribution: Distribution? = fields.require("distribution", "k3s, microk8s or k0s") { token($0) }
        guard let distribution else { return nil }
        let role: Role? = fields.require("role", alternatives(distribution.roles.map(\.rawValue))) { entry in
            guard let role: Role = token(entry) else { return nil }
            guard distribution.roles.contains(role) else {
                let roles = alternatives(distribution.roles.map(\.rawValue))
                fault(entry, "\(distribution.displayName) has no role \(role.rawValue); write \(roles)")
                return nil
            }
            return role
        }
        guard let role else { return nil }
        let usual: DataStore = role.isControlPlane ? (distribution == .microk8s ? .dqlite : .unknown) : .none
        let words: [DataStore] = [.sqlite, .etcd, .dqlite, .external, .none, .unknown]
        let store = fields.entries["dataStore"].map { word($0, words.map { ($0.rawValue, $0) }) } ?? usual
        return store.map { CaseSite(distribution: distribution, role: role, dataStore: $0) }
    }

    private func caseChange(_ entry: Entry, _ site: CaseSite) -> Change? {
        let keys = ["from", "to", "trigger", "phase", "origin", "published", "firstSeen"]
        guard let fields = mapping(entry, keys: keys) else { return nil }
        let from = fields.require("from", "what the node is meant to run: v1.31.4+k3s1") {
            artifact($0, site)
        }
        let to = fields.require("to", "what it would run: v1.31.5+k3s1") { artifact($0, site) }
        let isSnap = site.distribution == .microk8s
        let trigger: Trigger? =
            fields.entries["trigger"].map { token($0) } ?? (isSnap ? .autoRefresh : .fileReplaced)
        let phase: Phase? = fields.entries["phase"].map { token($0) } ?? (isSnap ? .offered : .onDisk)
        let origin: Origin? = fields.entries["origin"].map { token($0) } ?? .verified
        let published = fields.read("published", instant)
        // Whoever gives one date means that it is known since then.
        let firstSeen =
            fields.entries["firstSeen"].map { entry in
                entry.value.scalar?.text == "unknown" ? .some(nil) : instant(entry).map { .some($0) }
            } ?? .some(published)
        guard let from, let to, let trigger, let phase, let origin, let firstSeen else { return nil }
        return Change(
            id: "case", installation: site.id, trigger: trigger, phase: phase, from: from, to: to,
            origin: origin, published: published, firstSeen: firstSeen)
    }

    /// A version, or a mapping of all that an artifact is known by; bytes that are not given follow from the version.
    private func artifact(_ entry: Entry, _ site: CaseSite) -> Artifact? {
        guard entry.value.mapping != nil else {
            return caseVersion(entry).map { site.artifact(version: $0) }
        }
        guard let fields = mapping(entry, keys: ["version", "sha256", "revision", "channel"]) else {
            return nil
        }
        let version = fields.require("version", "a version, or unknown", caseVersion)
        guard let version else { return nil }
        var artifact = site.artifact(version: version)
        func isUnknown(_ entry: Entry) -> Bool { entry.value.scalar?.text == "unknown" }
        fields.set(&artifact.sha256, "sha256") { isUnknown($0) ? .some(nil) : digest($0).map { .some($0) } }
        fields.set(&artifact.revision, "revision") {
            isUnknown($0) ? .some(nil) : revision($0).map { .some($0) }
        }
        artifact.channel = fields.read("channel", channel)
        return artifact
    }

    /// A version; the inner nil is for one that could not be read.
    private func caseVersion(_ entry: Entry) -> Version?? {
        entry.value.scalar?.text == "unknown" ? .some(nil) : version(entry).map { .some($0) }
    }

    private func caseFleet(_ entry: Entry, _ change: Change, _ site: CaseSite, _ node: NodeFacts)
        -> FleetSummary?
    {
        guard let fields = mapping(entry, keys: ["answered", "members", "stages", "quarantined"]) else {
            return nil
        }
        let answered = fields.entries["answered"].map(flag) ?? true
        let members =
            fields.entries["members"].map { list in
                self.list(list) { caseMember($0, site, node) }
            } ?? []
        let stages = fields.entries["stages"].map { list in self.list(list) { caseStage($0, change) } } ?? []
        let quarantined = fields.read("quarantined", self.reason)
        guard let answered, var members, let stages else { return nil }
        if !members.contains(where: { $0.name == node.name && $0.cluster == node.cluster }) {
            members.append(
                FleetSummary.Member(
                    name: node.name, cluster: node.cluster, role: site.role, running: change.from.version,
                    healthy: true, votes: site.role.isControlPlane ? true : nil))
        }
        let bytes = change.to.sha256?.hex ?? change.to.revision.map { "revision:\($0)" }
        let quarantine = quarantined.flatMap { reason in
            bytes.map { FleetSummary.Quarantined(bytes: $0, reason: reason) }
        }
        return FleetSummary(
            answered: answered, seesOthers: true, members: members, stages: stages,
            quarantine: quarantine.map { [$0] } ?? [])
    }

    private func caseMember(_ entry: Entry, _ site: CaseSite, _ node: NodeFacts) -> FleetSummary.Member? {
        let keys = ["name", "cluster", "role", "running", "healthy", "votes"]
        guard let fields = mapping(entry, keys: keys) else { return nil }
        let known: [(name: String, value: Bool?)] = [("true", true), ("false", false), ("unknown", nil)]
        let name = fields.require("name", "the node's name", plainName)
        let cluster = fields.entries["cluster"].map(plainName) ?? node.cluster
        let role: Role? = fields.entries["role"].map { token($0) } ?? site.role
        let running = fields.require("running", "the version that it runs, or unknown", caseVersion)
        let healthy = fields.entries["healthy"].map { word($0, known) } ?? true
        guard let name, let cluster, let role, let running, let healthy else { return nil }
        let usualVote: Bool? = role.isControlPlane ? true : nil
        guard let votes = fields.entries["votes"].map({ word($0, known) }) ?? usualVote else { return nil }
        return FleetSummary.Member(
            name: name, cluster: cluster, role: role, running: running, healthy: healthy, votes: votes)
    }

    private func caseStage(_ entry: Entry, _ change: Change) -> FleetSummary.StageProgress? {
        guard let fields = mapping(entry, keys: ["stage", "met", "soakLeft"]) else { return nil }
        let stage = fields.require("stage", "the stage's name") { text($0) }
        let isMet = fields.require("met", "true or false", flag)
        let soakLeft = fields.entries["soakLeft"].map { duration($0, in: .zero...TimeSpan.longest) } ?? .zero
        guard let stage, let isMet, let soakLeft else { return nil }
        return FleetSummary.StageProgress(stage: stage, change: change.id, met: isMet, soakLeft: soakLeft)
    }

    private func caseApproval(_ entry: Entry, _ change: Change, _ node: NodeFacts, now: Instant) -> Approval?
    {
        let keys = ["to", "from", "stage", "node", "approved", "expires", "waive", "reason", "by", "spent"]
        guard let fields = mapping(entry, keys: keys) else { return nil }
        let site = CaseSite(distribution: change.installation.distribution, role: .node, dataStore: .unknown)
        let target = fields.entries["to"].map { artifact($0, site) } ?? change.to
        let from = fields.entries["from"].map { list in distinctList(list, version) } ?? []
        let approved = fields.entries["approved"].map(instant) ?? now
        let waives =
            fields.entries["waive"].map { list in distinctList(list) { token($0) as RuleName? } } ?? []
        let isSpent = fields.entries["spent"].map(flag) ?? false
        let scope: Approval.Scope? =
            fields.entries["stage"].map { text($0).map(Approval.Scope.stage) }
            ?? fields.entries["node"].map { plainName($0).map(Approval.Scope.node) } ?? .node(node.name)
        guard let target, let from, let approved, let waives, let isSpent, let scope else { return nil }
        let expires = fields.entries["expires"].map(instant) ?? approved + .days(7)
        guard let expires else { return nil }
        var digests: [String: Digest] = [:]
        if let architecture = node.architecture, target.revision == nil {
            digests[architecture.rawValue] = target.sha256
        }
        return Approval(
            id: entry.path, distribution: site.distribution, version: target.version, digests: digests,
            revision: target.revision, from: from, scope: scope, approvedAt: approved, expires: expires,
            waives: waives, reason: fields.read("reason", self.reason) ?? "a case",
            claimedBy: fields.read("by") { text($0) } ?? "somebody", spentBy: isSpent ? [node.name] : [])
    }
}
