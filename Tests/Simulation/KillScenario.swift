import Agent
import Gate
import Model
import Ports
import Testing

/// Something that Holdfast does to a node, the chain of states that it passes through, and where that ends.
struct KillScenario: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The node, as it is before.
    var node: @Sendable () throws -> World
    /// What is done, by one process; asked of a node on which it was done already, it does nothing.
    var run: @Sendable (World) throws -> Void
    /// Every state from the first new entry to the last, each once, also after kills.
    var chain: [String]
    /// What may lie in the binary's place, or be the installed revision, at any instant.
    var may: [Artifact]
    /// What runs in the end; nil where its unit is down and stays so.
    var runs: Artifact?
    /// Whether a person asks for it again who was cut off; else the timer and the step come to the end by themselves.
    var isAskedAgain = false
    /// Whether the unit may be started at any instant of it; one that is down by a person's or the gate's word is not.
    var isStartable = true

    /// What the timer starts: the tick, and the step where one is due or open.
    static let timer: @Sendable (World) throws -> Void = { world in
        world.tick()
        world.step()
    }

    static func ask(_ request: GuardRequest) -> @Sendable (World) throws -> Void {
        { $0.tick(request: request) }
    }
}

extension World {
    /// The states that the ledger tells of from an entry on, in order.
    func states(from first: Int) -> [String] {
        var intents: [String: Effect] = [:]
        return committed.enumerated().compactMap { index, entry -> String? in
            if case .intended(let intent) = entry.event { intents[intent.id] = intent.effect }
            guard index >= first else { return nil }
            switch entry.event {
            case .adopted: return "adopted"
            case .released: return "released"
            case .paused: return "paused"
            case .resumed: return "resumed"
            case .guardBroken: return "guard-broken"
            case .gateActed(let act): return "gate: \(act.kind.rawValue)"
            case .stepBegan(let step): return "step: \(step.phase.rawValue)"
            case .stepMoved(let move): return "step: \(move.phase.rawValue)"
            case .stepEnded(let end): return "step: \(end.outcome.word)"
            case .quarantined: return "quarantined"
            case .approvalSpent: return "spent"
            case .effected(let end):
                guard let effect = intents[end.intent] else { return "an effect without an intent" }
                switch end.outcome {
                case .done, .reads: return effect.word
                case .takenBack: return "\(effect.word), taken back"
                // What was begun and has left nothing is as if it had not been begun.
                case .undone: return nil
                case .failed(let text): return "\(effect.word) failed: \(text)"
                case .unknown(let text): return "\(effect.word) unknown: \(text)"
                }
            default: return nil
            }
        }
    }

    /// How the node stands, without what tells how often something was begun: no two nodes that differ in it are alike.
    var standing: [String] {
        var lines = guards.listing.compactMap { path, text -> String? in
            // When it was made is in its name, and which start it was in the gate's list.
            if path.contains("/backups/") { return "a backup" }
            if path.contains("/starts/") { return nil }
            let lines = text.split(separator: "\n").filter { line in
                !["ledger", "end", "identity", "seed", "start", "ran"]
                    .contains(String(line.prefix { $0 != " " }))
            }
            return path + ": " + lines.joined(separator: "; ")
        }
        lines += guards.loaded.map { "systemd knows \($0)" }
        for installation in installations {
            lines += [
                "on disk: \(installation.installed?.artifact.summary ?? "nothing")",
                "runs: \(installation.running?.startedFrom?.summary ?? "nothing")",
                "offered: \(installation.offers.map(\.artifact.summary).sorted())",
            ]
        }
        for (id, known) in state.installations {
            lines += [
                "\(id) is meant to run \(known.reference?.summary ?? "nothing")",
                "\(id) ran \(known.lastGood?.summary ?? "nothing") well before",
                "\(id) is \(known.adoption == nil ? "released" : "adopted")",
            ]
        }
        lines += state.approvals.map { "approval \($0.id) spent: \($0.spentBy)" }
        lines += state.quarantine.map { "quarantined: \($0.bytes ?? "")" }
        lines += ["step: \(state.step?.phase.rawValue ?? "none")", "pause: \(state.pause != nil)"]
        lines += (state.guards?.intents ?? []).map { "open: \($0.effect.summary)" }
        lines += (state.guards?.troubles ?? []).map { "trouble: \($0.problem.text)" }
        lines += ["spool: \(guards.spooled.keys.sorted())", "snapd was asked for: \(guards.snapd.asked)"]
        lines += ["snapd gave up: \(guards.aborted)", "snapd started: \(guards.started)"]
        return lines.sorted()
    }

    /// Whether the state is what its entries add up to, each follows its intent, and none was taken back (invariant 8).
    var ledgerFault: String? {
        var folded = NodeState()
        var open: Set<String> = []
        for entry in committed {
            folded.apply(entry.event, at: entry.at)
            switch entry.event {
            case .intended(let intent):
                guard open.insert(intent.id).inserted else { return "\(intent.id) was intended twice" }
            case .effected(let end):
                guard open.contains(end.intent) else { return "\(end.summary) was done without an intent" }
                switch end.outcome {
                case .failed, .unknown: break
                default: open.remove(end.intent)
                }
            default: break
            }
        }
        return folded == state ? nil : "the state is not what the entries add up to"
    }
}

extension StepEnd.Outcome {
    fileprivate var word: String {
        switch self {
        case .done: "done"
        case .abandoned: "abandoned"
        case .putBack: "put-back"
        case .needsPerson: "needs-person"
        }
    }
}

extension Effect {
    fileprivate var word: String {
        switch self {
        case .storeInVault: "vault"
        case .removeFromVault: "vault away"
        case .stageSpare: "spare"
        case .removeSpare: "spare away"
        case .placeDropIn: "drop-in"
        case .removeDropIn: "drop-in away"
        case .reloadUnits: "reload"
        case .restartWatch: "watch"
        case .writeLastRan: "last ran"
        case .removeLastRan: "last ran away"
        case .removePending: "pending away"
        case .set(let setting, _): "set \(setting.kind.rawValue)"
        case .restore(let placed): "unset \(placed.setting.kind.rawValue)"
        case .replace: "replace"
        case .restart: "restart"
        case .start: "start"
        case .abortRefresh: "abort"
        case .startServices: "start services"
        case .refreshSnap: "refresh"
        case .backUp: "backup"
        case .removeBackup: "backup away"
        }
    }
}

/// What of one standing another has not, and the other way round; nil where both are alike.
func difference(_ one: [String], _ other: [String]) -> String? {
    guard one != other else { return nil }
    let (own, others) = (one.filter { !other.contains($0) }, other.filter { !one.contains($0) })
    return "it has \(own), and not \(others)"
}
