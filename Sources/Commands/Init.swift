import CommandLine
import Host
import Model
import PolicyFile
import Ports

/// `holdfast init`: writes a policy by asking what kind of team this is, and shows what it would do on this node.
func makePolicy(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let isDry = invocation.has("dry-run")
    if !isDry { try place.needsRoot("a policy is written") }
    let earlier = try earlierPolicy(at: place)
    guard isDry || earlier.isFree || invocation.has("replace") else {
        throw Failure(
            code: .failed,
            message:
                "\(place.policyPath.printable): there is a policy already; --replace keeps it beside the new one, "
                + "--dry-run shows the new one alone")
    }
    let look = place.look()
    let outline = try outline(invocation, look, at: place, on: screen)
    let bytes = Array(outline.text.utf8)
    let parsed = place.parse(bytes)
    guard case .valid(let policy, _) = parsed else {
        let fault = if case .invalid(let faults) = parsed { faults.first?.description ?? "" } else { "" }
        throw Failure(
            code: .failed, message: "a policy with these answers would not be valid: \(fault.printable)")
    }
    if isDry {
        screen.data(outline.text)
    } else {
        let kept = try keep(earlier, at: place)
        do throws(HostError) {
            try makeDirectories(String(place.policyPath.reversed().drop { $0 != "/" }.dropFirst().reversed()))
            try writeFileAtomically(place.policyPath, bytes)
        } catch {
            throw Failure(code: .failed, message: "the policy could not be written: \(error)")
        }
        screen.out(
            "Wrote \(place.policyPath.printable)"
                + (kept.map { "; what was there is in \($0.printable)" } ?? "") + ".\n")
    }
    screen.out(preview(look, under: policy, at: place, style: screen.style, width: screen.width))
    if !isDry { screen.out(pastPreview(under: policy, at: place)) }
    screen.out(next(outline, look, isDry: isDry, on: screen))
    return .done
}

/// The policy that is there: none, one that only observes, as a package brings it, or one that somebody wrote.
private struct EarlierPolicy {
    var bytes: [UInt8]?
    /// Whether nothing is lost where it goes.
    var isFree: Bool
}

private func earlierPolicy(at place: Place) throws(Failure) -> EarlierPolicy {
    let bytes: [UInt8]?
    do throws(HostError) {
        bytes = try readFileIfPresent(place.policyPath, limit: 2 << 20)
    } catch {
        throw Failure(code: .failed, message: error.description)
    }
    guard let bytes else { return EarlierPolicy(bytes: nil, isFree: true) }
    guard case .valid(let policy, _) = place.parse(bytes) else {
        return EarlierPolicy(bytes: bytes, isFree: false)
    }
    return EarlierPolicy(bytes: bytes, isFree: policy.document == PolicyDocument())
}

/// Puts what somebody wrote aside, under a name that nothing has.
private func keep(_ earlier: EarlierPolicy, at place: Place) throws(Failure) -> String? {
    guard let bytes = earlier.bytes, !earlier.isFree else { return nil }
    do throws(HostError) {
        for number in 1...999 {
            let path = "\(place.policyPath).old\(number == 1 ? "" : ".\(number)")"
            guard try identityIfPresent(ofFile: path) == nil else { continue }
            try writeFileAtomically(path, bytes)
            return path
        }
    } catch {
        throw Failure(code: .failed, message: "the policy that is there could not be put aside: \(error)")
    }
    throw Failure(
        code: .failed, message: "\(place.policyPath).old.999 is taken: move old policies away first")
}

// MARK: Asking

private func outline(
    _ invocation: Invocation, _ look: Observation, at place: Place, on screen: Screen
) throws(Failure) -> PolicyOutline {
    let asks = Terminal.standardInput.isInteractive && Terminal.standardOutput.isInteractive
    let distributions = Set(look.installations.map(\.id.distribution))
    let channel = channel(look.installations)
    func zoneTrouble(_ zone: String) -> String? {
        place.zones.zone(named: zone) == nil
            ? "\(zone.printable) is no time zone that is known here, such as Europe/Berlin" : nil
    }
    func canaryTrouble(_ name: String) -> String? {
        let outline = PolicyOutline(
            team: .smallTeam, timezone: "UTC", canary: name, keepsOut: true, distributions: distributions,
            channel: channel)
        if case .valid = place.parse(Array(outline.text.utf8)) { return nil }
        return "\(name.printable) cannot be the name of a node"
    }
    // Before anything is asked, or all answers would be lost.
    for (option, trouble) in [("timezone", zoneTrouble), ("canary", canaryTrouble)] {
        guard let given = invocation.value(option), let trouble = trouble(given) else { continue }
        throw Failure(code: .usage, message: "--\(option): \(trouble)")
    }
    let team = try team(invocation, asks: asks, on: screen)
    func answer(
        _ option: String, _ question: String, _ usual: String, isAsked: Bool, _ trouble: (String) -> String?
    ) -> String {
        if let given = invocation.value(option) { return given }
        guard asks, isAsked, invocation.value("team") == nil else { return usual }
        while true {
            screen.out("\(question) [\(usual.printable)] ")
            guard let line = readLine()?.trimmed, !line.isEmpty else { return usual }
            guard let trouble = trouble(line) else { return line }
            screen.out("\(trouble).\n")
        }
    }
    let zone = answer(
        "timezone", "In which time zone?", place.zoneOfMachine ?? "UTC", isAsked: team.hasWindow, zoneTrouble)
    let canary = answer(
        "canary", "Which node goes first?", look.node.name, isAsked: team.hasCanary, canaryTrouble)
    var keepsOut = !invocation.has("observe")
    if asks, keepsOut, invocation.value("team") == nil {
        screen.out("Keep out what the policy does not allow, rather than only tell? [yes] ")
        keepsOut = !(readLine() ?? "").trimmed.lowercased().hasPrefix("n")
    }
    return PolicyOutline(
        team: team, timezone: zone, canary: canary, keepsOut: keepsOut, distributions: distributions,
        channel: channel)
}

private func team(
    _ invocation: Invocation, asks: Bool, on screen: Screen
) throws(Failure) -> PolicyOutline.Team {
    if let given = invocation.value("team"), let team = PolicyOutline.Team(rawValue: given) { return team }
    let teams = PolicyOutline.Team.allCases
    guard asks else {
        throw Failure(
            code: .usage,
            lines: ["say with --team what this node is part of:"]
                + teams.map { "  \($0.rawValue): \($0.meaning)" })
    }
    screen.out("What is this node part of?\n")
    screen.out(
        aligned(
            teams.enumerated().map { [("\($0 + 1)", .strong), ($1.rawValue, nil), ($1.meaning, .faint)] },
            indent: 2,
            style: screen.style, width: screen.width))
    while true {
        screen.out("Its number or name: ")
        guard let line = readLine() else { throw Failure(code: .usage, message: "nothing was answered") }
        let word = line.trimmed
        if let number = Int(word), teams.indices.contains(number - 1) { return teams[number - 1] }
        if let team = PolicyOutline.Team(rawValue: word) { return team }
        screen.out(
            "\(word.printable) is none of them: answer with a number from 1 to \(teams.count), or a name.\n")
    }
}

/// The K3s or k0s minor that is followed: that of the only one that is here.
private func channel(_ installations: [Installation]) -> String? {
    guard installations.count == 1, let one = installations.first, one.id.distribution == .k3s,
        let version = one.installed?.artifact.version
    else { return nil }
    return "v\(version.major).\(version.minor)"
}

extension Place {
    /// The zone that the machine itself goes by.
    fileprivate var zoneOfMachine: String? {
        // …/zoneinfo/Europe/Berlin
        guard let target = try? readLink(root.prefix + "/etc/localtime") else { return nil }
        let parts = target.split(separator: "/")
        guard let folder = parts.firstIndex(of: "zoneinfo") else { return nil }
        let name = parts[(folder + 1)...].joined(separator: "/")
        return zones.zone(named: name) == nil ? nil : name
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

private func next(
    _ outline: PolicyOutline, _ look: Observation, isDry: Bool, on screen: Screen
) -> String {
    var steps: [(String, String)]
    if isDry {
        steps = [("the same without --dry-run", "writes it")]
    } else if look.installations.isEmpty {
        steps = [("holdfast check", "once K3s, MicroK8s or k0s is installed; the timer does it too")]
    } else {
        steps =
            outline.keepsOut
            ? [
                ("holdfast adopt --dry-run", "what its guards would be"),
                ("holdfast adopt", "confirms what is installed, and guards it"),
            ] : [("holdfast status", "what it says of this node from now on")]
        if outline.team.hasCanary {
            steps.append(
                ("holdfast fleet join", "what the others need: this same file, and a store where all meet"))
        }
    }
    return "\nNext\n" + nextSteps(steps, screen.style, screen.width)
}
