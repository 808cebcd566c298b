public import Model

/// Judges a hold by what was observed when it was placed and since (`facts/snapd.md`, finding 1).
///
/// A refresh that waited for running commands before a hold was placed ignores that hold, and snapd goes on telling of
/// it afterwards. So a hold is proven only where none waited then, or where snapd has looked for refreshes since.
///
/// - Parameters:
///   - known: what is remembered of the installation.
///   - seen: the installation as this look found it.
///   - snapd: what snapd says of itself; nil where it does not answer.
///   - placed: what is ours of settings.
///   - readings: what settings were found to be.
public func holdState(
    of known: InstallationState, seen: Installation, snapd: SnapdFacts?, placed: [PlacedSetting],
    readings: [Setting: SettingReading], now: Instant
) -> HoldState {
    guard let snapd else {
        return .notProven("snapd does not answer, so nobody knows", proof: "a tick that snapd answers")
    }
    guard let until = seen.hold?.until, until > now else {
        return .notHeld("snapd holds nothing: a refresh comes by itself as soon as the store offers one")
    }
    let snap = Setting(.snapHold, seen.id.name)
    let system = Setting(.systemHold, "system")
    let isOurs = placed.contains { one in
        guard [snap, system].contains(one.setting), case .value(let value)? = readings[one.setting] else {
            return false
        }
        return one.isOurs(value)
    }
    let name = seen.id.name
    guard isOurs, let placement = known.hold else {
        return .notProven(
            "somebody else holds \(name) until \(until), and snapd does not tell how far that hold reaches",
            proof: "a hold of our own: 'holdfast adopt' under a policy with enforce.hold: general")
    }
    let what =
        snapd.holdsSnaps
        ? "our general hold of \(name), placed at \(placement.at)"
        : "our hold of every snap until \(until), placed at \(placement.at); 'snap refresh' goes through it"
    if let last = snapd.lastRefresh, last > placement.at {
        return .held("\(what); snapd looked for refreshes at \(last) and left it alone")
    }
    let next = snapd.nextRefresh.map { ", expected at \($0)" } ?? ""
    let proof = "snapd's next scheduled look for refreshes\(next)"
    if placement.wasInhibited || seen.hold?.inhibitProceed != nil {
        return .notProven(
            "a refresh waited for running commands when the hold was placed, and such a one goes on when they end",
            proof: proof)
    }
    guard snapd.tellsInhibition else {
        return .notProven(
            "snapd \(snapd.version ?? "of an unknown version") does not tell of refreshes that wait for running "
                + "commands, and such a one ignores a later hold", proof: proof)
    }
    return .held("\(what); no refresh waited then")
}
