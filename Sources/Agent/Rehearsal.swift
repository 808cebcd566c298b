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
        let intent = Intent(id: "rehearsed", effect: effect, before: presence.fingerprint(of: effect))
        situation.state.apply(.intended(intent), at: situation.observation.clock.now)
        let end = EffectEnd(of: intent, outcome: .done(presence.expect(effect)))
        situation.state.apply(.effected(end), at: situation.observation.clock.now)
    }
    return effects
}

extension GuardPresence {
    fileprivate func fingerprint(of effect: Effect) -> Fingerprint {
        if case .placeDropIn(let path, _) = effect, contents[path] != nil { return .content(.none) }
        return .missing
    }

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
        case .reloadUnits: break
        }
        return nil
    }
}
