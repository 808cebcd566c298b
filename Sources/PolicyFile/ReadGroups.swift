import Model
import YAML

// Which installations something is for: matches, stages, rules, notifications.
extension Reader {
    func match(_ entry: Entry) -> Match? {
        guard let fields = mapping(entry, Schema.match) else { return nil }
        var match = Match()
        fields.set(&match.distribution, "distribution") { distinctList($0) { token($0) as Distribution? } }
        fields.set(&match.role, "role") { distinctList($0) { token($0) as Role? } }
        fields.set(&match.node, "node") { distinctList($0, glob) }
        fields.set(&match.cluster, "cluster") { distinctList($0, glob) }
        fields.set(&match.labels, "labels", labels)
        fields.set(&match.arch, "arch") { distinctList($0) { token($0) as Architecture? } }
        let roles = match.distribution.flatMap(\.roles)
        if !roles.isEmpty, !match.role.isEmpty, !match.role.contains(where: roles.contains),
            let role = fields.entries["role"]
        {
            let names = alternatives(match.distribution.map(\.displayName))
            warn(
                role, "no node of \(names) has such a role; they have \(alternatives(roles.map(\.rawValue)))")
        }
        return match
    }

    func stages(_ entry: Entry) -> [Stage]? {
        var names: Set<String> = []
        var catchAll: String?
        return list(entry) { element in
            guard let stage = stage(element) else { return nil }
            guard names.insert(stage.name).inserted else {
                fault(element, "a second stage is named \(shown(stage.name)); give each a name of its own")
                return nil
            }
            if let catchAll {
                warn(
                    element,
                    "stage \(shown(stage.name)) matches no node, because \(shown(catchAll)) before it matches all"
                )
            } else if stage.nodes.contains("*"), stage.clusters.contains("*"), stage.labels.isEmpty {
                catchAll = stage.name
            }
            return stage
        }
    }

    private func stage(_ entry: Entry) -> Stage? {
        guard let fields = mapping(entry, Schema.stage) else { return nil }
        let name = fields.require("name", "what the stage is called: canary") { text($0, limit: 63) }
        var stage = Stage(name: name ?? "")
        fields.set(&stage.nodes, "nodes") { distinctList($0, glob) }
        fields.set(&stage.labels, "labels", labels)
        fields.set(&stage.clusters, "clusters") { distinctList($0, glob) }
        fields.set(&stage.maxConcurrent, "maxConcurrent") { integer($0, in: 1...10_000) }
        fields.set(&stage.need, "need") { need in
            if need.value.scalar?.text == "all" { return .all }
            if let text = need.value.scalar?.text, text.utf8.first.map({ !(45...57).contains($0) }) == true {
                fault(
                    need,
                    "\(shown(text)) is not all or a number of nodes"
                        + didYouMean(suggestion(for: text, among: ["all"])))
                return nil
            }
            return integer(need, in: 1...10_000).map { .count($0) }
        }
        fields.set(&stage.soak, "soak") { duration($0, in: .zero...TimeSpan.days(90)) }
        fields.set(&stage.deadline, "deadline") { duration($0, in: .minutes(1)...TimeSpan.days(366)) }
        if stage.soak >= stage.deadline, let soak = fields.entries["soak"] {
            warn(
                soak,
                "a soak of \(stage.soak.policyText) cannot end within the stage's deadline of \(stage.deadline.policyText), so each rollout will pause there; write a longer `deadline`"
            )
        }
        return name == nil ? nil : stage
    }

    func rule(_ entry: Entry, isZone: (String) -> Bool) -> PolicyRule? {
        var elsewhere: [String: String] = [:]
        for key in ["apiVersion", "stages", "ledger", "notify", "rules"] {
            elsewhere[key] = "it is set for the whole file: move it to the top"
        }
        guard let fields = mapping(entry, Schema.rule, elsewhere: elsewhere) else { return nil }
        let match = fields.entries["match"].map(self.match) ?? Match()
        let settings = settings(fields, isZone: isZone)
        if fields.entries.keys.allSatisfy({ $0 == "match" }) {
            warn(entry, "sets nothing; add a key, or take the rule out")
        }
        if match == Match() {
            warn(entry, "matches every installation; set the keys at the top instead, or write a `match`")
        }
        return match.map { PolicyRule(match: $0, settings: settings) }
    }

    func notification(_ entry: Entry) -> Notification? {
        guard let fields = mapping(entry, Schema.notification) else { return nil }
        let on = fields.require("on", "of what to tell: [held, denied]") { list in
            distinctList(list) { token($0) as Notification.Occasion? }
        }
        guard let one = onlyOne(fields, of: ["webhook", "command"]) else { return nil }
        let target =
            one == "webhook"
            ? fields.read(one) { url($0) }.map(Notification.Target.webhook)
            : fields.read(one, command).map(Notification.Target.command)
        guard let target, let on else { return nil }
        return Notification(target: target, on: on)
    }
}
