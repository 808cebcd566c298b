public import Model
import Rules

/// An adopted snap, and what the policy asks for it.
struct GuardedSnap {
    /// As it is now where this look saw it, else as it was last recorded.
    var installation: Installation
    var known: InstallationState
    var adoption: Adoption
    var enforce: Enforcement
    var pin: Pin
    /// Whether this look saw it.
    var isSeen: Bool
}

/// Whether the policy asks for a guard that keeps a snap from being refreshed.
public func isSnapGuarded(_ installation: Installation, policy: LoadedPolicy, node: NodeFacts) -> Bool {
    let enforce = resolve(
        policy, isCurrent: true, node: node, distribution: installation.id.distribution,
        role: installation.role
    ).policy.enforce
    return enforce.hold == .general || enforce.veto
}

extension GuardSituation {
    /// Adopted snaps, in order.
    var guardedSnaps: [GuardedSnap] {
        state.installations.sorted { $0.key < $1.key }.compactMap { _, known in
            let id = known.installation.id
            guard id.distribution == .microk8s, let adoption = known.adoption else { return nil }
            let seen = observation.installations.first { $0.id == id }
            let installation = seen ?? known.installation
            var resolved = Policy()
            if let policy {
                resolved =
                    resolve(
                        policy, isCurrent: true, node: observation.node, distribution: id.distribution,
                        role: installation.role
                    ).policy
            } else {
                // After a lost ledger nobody knows the last policy: until there is one, the veto stays as it was.
                resolved.enforce.veto = known.seededMode == .refuse
            }
            return GuardedSnap(
                installation: installation, known: known, adoption: adoption, enforce: resolved.enforce,
                pin: resolved.pin, isSeen: seen != nil)
        }
    }

    /// What snapd is to be set to; the caller leaves it out while the guards are paused.
    var wantedSnapSettings: [WantedSetting] {
        guardedSnaps.flatMap { snap in
            var wanted: [WantedSetting] = []
            if snap.enforce.hold == .general {
                wanted.append(holdsSnaps ? .hold(of: snap.installation.id.name) : systemHold)
                wanted.append(.retain)
            }
            if let channel = channel(pinnedFor: snap) {
                wanted.append(.channel(channel, of: snap.installation.id.name))
            }
            return wanted
        }
    }

    /// Whether this snapd can hold one snap; while it does not answer, whatever was placed stays wanted.
    private var holdsSnaps: Bool {
        observation.snapd.map(\.holdsSnaps) ?? (records.setting(.systemHold) == nil)
    }

    /// The hold of every snap: sixty days, renewed when half of them are over.
    ///
    /// Before 2.58 snapd silently caps it at 95 days after the last refresh (`facts/snapd.md`).
    private var systemHold: WantedSetting {
        let now = observation.clock.now
        let soon = (now + .days(30)).description
        // A whole day, so that an interrupted intent is planned again as it was.
        let fresh = Instant(seconds: (now + .days(60)).seconds / 86_400 * 86_400).description
        let placed = records.setting(.systemHold)?.value
        return WantedSetting(
            setting: .systemHold, value: placed.flatMap { $0 > soon ? $0 : nil } ?? fresh,
            isEnough: { $0.hasSuffix("Z") && $0 > soon })
    }

    // MARK: Channel pins

    /// The channel that a snap is to follow; nil where none is pinned, or it must not follow it.
    private func channel(pinnedFor snap: GuardedSnap) -> String? {
        guard let channel = snap.pin.channel, objection(to: channel, for: snap) == nil else { return nil }
        return fullChannel(channel)
    }

    /// Why a snap is not made to follow the pinned channel; nil where nothing stands against it.
    ///
    /// Never one below the installed minor: the next refresh would go back over written data.
    private func objection(to channel: String, for snap: GuardedSnap) -> String? {
        guard let installed = snap.installation.installed?.artifact else {
            return "what is installed is not known"
        }
        // What was sideloaded follows no channel.
        guard let followed = installed.channel else { return "it was not installed from a store" }
        if fullChannel(followed) == fullChannel(channel) { return nil }
        guard let track = minor(ofTrack: channel) else { return "its track names no minor" }
        guard let version = installed.version else { return "the installed version is not known" }
        return (version.major, version.minor) <= track
            ? nil : "it is below the installed \(version), and the next refresh would go back"
    }

    // MARK: Refreshes under way

    /// Refreshes that are given up while that still costs nothing: their target is not allowed.
    var refreshesToAbort: [AbortedRefresh] {
        if isPaused { return [] }
        return guardedSnaps.flatMap { snap -> [AbortedRefresh] in
            guard snap.isSeen, snap.enforce.hold == .general || snap.enforce.veto else { return [] }
            return (observation.snapd?.refreshes ?? []).compactMap { refresh in
                guard refresh.isFree, refresh.snap == snap.installation.id.name,
                    let revision = refresh.revision, !mayRun(revision, snap.known)
                else { return nil }
                return AbortedRefresh(change: refresh.change, snap: refresh.snap, revision: revision)
            }
        }
    }

    private func mayRun(_ revision: String, _ known: InstallationState) -> Bool {
        if [known.reference?.revision, known.lastGood?.revision].contains(revision) { return true }
        if known.changes.contains(where: { $0.change.to.revision == revision && $0.verdict == .allow }) {
            return true
        }
        // A person may have approved what no look has seen on offer yet.
        return state.approvals(inForceOn: observation.node.name, at: observation.clock.now).contains {
            $0.distribution == known.installation.id.distribution && $0.revision == revision
        }
    }

    /// Services that a refresh has left stopped, under our veto or not.
    var servicesToStart: [String]? {
        guard let stopped = observation.snapd?.leftStopped, !stopped.isEmpty, !guardedSnaps.isEmpty else {
            return nil
        }
        return stopped
    }

    /// Takes in what was done, where no look would show it before the next tick.
    mutating func note(done effect: Effect) {
        switch effect {
        case .abortRefresh, .startServices: performed.insert(effect)
        default: break
        }
    }

    // MARK: Problems

    /// What a person should know of the guards of snaps.
    var snapProblems: [Problem] {
        guardedSnaps.filter(\.isSeen).flatMap { snap -> [Problem] in
            let name = snap.installation.id.name
            var problems: [Problem] = []
            if let channel = snap.pin.channel, let objection = objection(to: channel, for: snap) {
                problems.append(
                    Problem(
                        code: "channel-pin",
                        text: "\(name) is not made to follow \(channel), which the policy pins: \(objection)",
                        about: name))
            }
            // That snapd does not answer is told as such.
            guard snap.enforce.hold == .general, !isPaused, let snapd = observation.snapd else {
                return problems
            }
            if !snapd.holdsSnaps {
                problems.append(
                    Problem(
                        code: "hold-global",
                        text:
                            "snapd \(snapd.version ?? "") cannot hold \(name) alone, so every snap of this node is "
                            + "held for sixty days at a time, and a bare 'snap refresh' goes through it; update snapd "
                            + "to 2.58 or newer ('snap install snapd')",
                        about: name))
            }
            // Before it is placed there is nothing to prove.
            guard
                records.setting(.init(.snapHold, name))?.seen != nil
                    || records.setting(.systemHold)?.seen != nil,
                case .notProven(let why, let proof) = holdState(
                    of: snap.known, seen: snap.installation, snapd: snapd,
                    placed: records.settings, readings: readings, now: observation.clock.now)
            else { return problems }
            problems.append(
                Problem(
                    code: "hold-unproven",
                    text: "the hold of \(name) is not proven: \(why); what will prove it: \(proof)",
                    about: name))
            return problems
        }
    }
}

extension Setting {
    static let systemHold = Setting(.systemHold, "system")
    static let snapRetain = Setting(.snapRetain, "system")
}

extension WantedSetting {
    /// snapd's own hold of one snap; whatever else is there may be of a lesser level, which snapd never tells.
    fileprivate static func hold(of snap: String) -> WantedSetting {
        WantedSetting(setting: Setting(.snapHold, snap), value: "forever")
    }

    /// Three revisions: the one that runs, the one before, and one that is being staged.
    ///
    /// More are as good.
    fileprivate static let retain = WantedSetting(
        setting: .snapRetain, value: "3", isEnough: { Int($0).map { $0 >= 3 } ?? false })

    fileprivate static func channel(_ channel: String, of snap: String) -> WantedSetting {
        WantedSetting(
            setting: Setting(.snapChannel, snap), value: channel, isEnough: { fullChannel($0) == channel })
    }
}

/// Track and risk of a channel: snapd makes `1.32/stable` of `1.32`.
private func fullChannel(_ channel: String) -> String {
    channel.contains("/") ? channel : "\(channel)/stable"
}

/// The minor that a track is named after: `1.33`, `1.33-strict`; nil for one such as `latest`.
private func minor(ofTrack channel: String) -> (Int, Int)? {
    let track = channel.prefix { $0 != "/" }.prefix { $0 != "-" }.split(
        separator: ".", omittingEmptySubsequences: false)
    guard track.count == 2, let major = Int(track[0]), let minor = Int(track[1]) else { return nil }
    return (major, minor)
}
