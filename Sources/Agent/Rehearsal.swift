import Gate
import Model
import Ports

/// Every effect that would be performed, in order, where nothing went wrong; nothing is touched.
func rehearse(_ situation: GuardSituation, _ presence: GuardPresence) -> [Effect] {
    var situation = situation
    var presence = presence
    var effects: [Effect] = []
    // More than any node needs.
    while effects.count < 200, let effect = planGuards(situation, presence).effects.first {
        effects.append(effect)
        let intent = Intent(
            id: "rehearsed", effect: effect, before: situation.fingerprint(of: effect, presence))
        situation.state.apply(.intended(intent), at: situation.observation.clock.now)
        let end = EffectEnd(of: intent, outcome: situation.expect(effect, &presence))
        situation.state.apply(.effected(end), at: situation.observation.clock.now)
    }
    return effects
}

extension GuardSituation {
    fileprivate func fingerprint(of effect: Effect, _ presence: GuardPresence) -> Fingerprint {
        switch effect {
        case .placeDropIn(let path, _) where presence.contents[path] != nil: return .content(.none)
        case .set(let setting, _):
            guard case .value(let value) = readings[setting] else { return .setting(nil) }
            return .setting(value)
        default: return .missing
        }
    }

    fileprivate mutating func expect(_ effect: Effect, _ presence: inout GuardPresence) -> EffectEnd.Outcome {
        switch effect {
        case .set(let setting, let value):
            take(setting, value)
            presence.settings[setting] = nil
            return .reads(value)
        case .restore(let placed):
            take(placed.setting, placed.before)
            presence.settings[placed.setting] = nil
            return .reads(placed.before)
        case .abortRefresh, .startServices:
            performed.insert(effect)
            return .done(nil)
        default: return .done(presence.expect(effect))
        }
    }

    /// Takes in what a setting now reads.
    mutating func take(_ setting: Setting, _ value: String?) { readings[setting] = .value(value) }
}

extension GuardPresence {

    /// Takes in what an effect leaves; the identity of a file that is told by it.
    fileprivate mutating func expect(_ effect: Effect) -> FileIdentity? {
        let identity = FileIdentity(device: 0, inode: 0, size: 0, modified: 0, changed: 0)
        switch effect {
        case .storeInVault(let copy), .stageSpare(let copy):
            identities[copy.to] = identity
            return identity
        case .removeFromVault(let path, _): identities[path] = nil
        case .removeSpare(let spare): identities[spare.path] = nil
        case .placeDropIn(let path, let text): contents[path] = .bytes(Array(text.utf8))
        case .removeDropIn(let dropIn): contents[dropIn.path] = nil
        case .writeLastRan(let record):
            contents[record.path] = .bytes(Array(record.text.utf8))
            for mark in record.marks { contents[mark] = nil }
        case .removeLastRan(let path): contents[path] = nil
        case .replace(let replacement):
            identities[replacement.binary] = identity
            if case .spare(let spare) = replacement.source { identities[spare.path] = nil }
            return identity
        case .start(let owed): units[owed.unit] = nil
        case .removePending(let file):
            for binary in pending.keys { pending[binary]?.files.removeAll { $0 == file } }
        case .reloadUnits, .restartWatch, .set, .restore, .restart, .abortRefresh, .startServices,
            .refreshSnap, .backUp, .removeBackup:
            break
        }
        return nil
    }
}
