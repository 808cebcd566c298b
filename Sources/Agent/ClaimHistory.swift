import Model
import Ports

/// How many claims of one channel are remembered.
let mostClaims = 16
/// How long a claim counts against a later one.
let claimMemory = TimeSpan.days(30)

/// The claims of every plan after one more look.
///
/// Only channels are claims: a version that a person wrote into the plan is their word. Another channel begins anew,
/// and a plan that has gone is forgotten.
func claims(
    after known: [String: [PlanClaim]], _ plans: [UpgradePlan], at now: Instant
) -> [String: [PlanClaim]] {
    var result: [String: [PlanClaim]] = [:]
    for plan in plans where plan.version == nil {
        guard let channel = plan.channel else { continue }
        let claims = claims(
            after: known[plan.path] ?? [], plan.latestVersion, of: channel, at: now)
        if !claims.isEmpty { result[plan.path] = claims }
    }
    return result
}

/// The claims of one channel after one more look.
///
/// - Parameters:
///   - known: its claims so far; those of another channel are forgotten.
///   - text: what it says now; nil where it says nothing.
func claims(
    after known: [PlanClaim], _ text: String?, of channel: String, at now: Instant
) -> [PlanClaim] {
    var claims = known.filter { $0.channel == channel }
    if let text, text != claims.last?.text {
        claims.append(PlanClaim(text: text, channel: channel, at: now))
    }
    // The newest stands, however old it is.
    claims = claims.dropLast().filter { now - $0.at < claimMemory } + claims.suffix(1)
    return Array(claims.suffix(mostClaims))
}

/// Why a channel is not to be relied on, by what it said so far; nil where nothing speaks against it.
///
/// Channels have gone back, have answered an error page, and have jumped over minors (`incidents`); the controller
/// takes whatever it is told, and where the answer is no redirect it takes the last word of the channel's own address.
func distrust(of claims: [PlanClaim]) -> String? {
    guard let claim = claims.last else { return nil }
    guard let current = planVersion(claim.text) else {
        let isName = claim.channel.split(separator: "/").last.map(String.init) == claim.text
        return "it answers \"\(claim.text.cut(to: 64).printable)\", which is no version"
            + (isName ? ": the controller took the last word of the channel's address for one" : "")
    }
    let earlier = claims.dropLast().compactMap { planVersion($0.text) }
    guard let previous = earlier.last else { return nil }
    if earlier.contains(current) {
        return "it went from \(current) to \(previous) and back to \(current)"
    }
    if let highest = earlier.max(), highest > current {
        return "it went back from \(highest) to \(current)"
    }
    let isFar = current.major != previous.major || current.minor - previous.minor > 1
    return isFar ? "it jumped from \(previous) to \(current), over more than one minor" : nil
}

/// The version in a plan, which the controller writes with `-` where it has `+`; nil where it is none.
func planVersion(_ text: String) -> Version? {
    guard let version = Version(text), version.distribution == nil else { return Version(text) }
    for mark in ["-k3s", "-k0s", "-rke2r"] {
        guard let range = text.ranges(of: mark).last else { continue }
        let restored = text[..<range.lowerBound] + "+" + text[text.index(after: range.lowerBound)...]
        if let whole = Version(restored) { return whole }
    }
    return version
}
