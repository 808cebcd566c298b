import Model

/// Everything that is wrong, the faults first, each with what mends it; empty on a healthy node.
public func diagnose(_ examination: Examination) -> [Finding] {
    let found =
        examination.unitFindings + examination.tickFindings + examination.guardFindings
        + examination.ownDropInFindings + examination.placeFindings + examination.settingFindings
        + examination.updaterFindings + examination.clockFindings + examination.diskFindings
        + examination.policyFindings + examination.nameFindings + examination.sealFindings
        + examination.problemFindings
    var seen: Set<Finding> = []
    let findings = found.filter { seen.insert($0).inserted }
    return findings.filter { $0.severity == .fault } + findings.filter { $0.severity == .warning }
}

extension Examination {
    // MARK: What the ticks rest on

    /// The timer and the watches by which ticks run.
    var unitFindings: [Finding] {
        guard !ownUnits.isEmpty else {
            let isNeeded = isGuarding
            return [
                Finding(
                    "units-missing", isNeeded ? .fault : .warning, about: "holdfast.timer",
                    "Holdfast's units are not installed, so no tick runs by itself", mend: installAgain)
            ]
        }
        guard case .told = guards.units else {
            if case .unknown(let reason) = guards.units, isLive {
                return [
                    Finding(
                        "systemd-silent", about: "systemd", "systemd could not be asked: \(reason)",
                        mend: "systemctl status")
                ]
            }
            return []
        }
        var findings: [Finding] = []
        for unit in ["holdfast.timer", "holdfast.path"] { findings += starterFindings(unit) }
        let isWatching = guards.units.of("holdfast.path")?.activeState == "active"
        if isWatching, let settle = guards.units.of("holdfast-settle.path"), settle.activeState != "active" {
            findings.append(
                Finding(
                    "settle-off", about: "holdfast-settle.path",
                    "the second look after a change on disk is \(settle.activeState), so what is replaced while a tick "
                        + "ends is found by the timer alone",
                    mend: "systemctl reset-failed 'holdfast-settle*'; systemctl restart holdfast.path"))
        }
        for unit in ["holdfast.service", "holdfast-step.service", "holdfast-settle.timer"] {
            guard let told = guards.units.of(unit), told.activeState == "failed" else { continue }
            findings.append(
                Finding(
                    "service-failing", about: unit, "its last run failed (\(told.result))",
                    mend: "journalctl -u \(unit) -n 20"))
        }
        for unit in ownUnits.keys.sorted() where guards.units.of(unit)?.needsReload == true {
            findings.append(
                Finding(
                    "unit-not-loaded", about: unit, "its files changed since systemd read them",
                    mend: "systemctl daemon-reload"))
        }
        return findings
    }

    private func starterFindings(_ unit: String) -> [Finding] {
        let kind = unit == "holdfast.timer" ? "timer" : "watch"
        guard let told = guards.units.of(unit), told.loadState == "loaded" else {
            let state = guards.units.of(unit)?.loadState ?? "not known"
            return [
                Finding(
                    "\(kind)-off", about: unit, "systemd has not loaded it: \(state)",
                    mend: state == "masked"
                        ? "systemctl unmask \(unit) && systemctl enable --now \(unit)"
                        : "systemctl daemon-reload && systemctl enable --now \(unit)")
            ]
        }
        if told.activeState == "failed" {
            return [
                Finding(
                    "\(kind)-failed", about: unit,
                    "it failed (\(told.result)) and starts no tick any longer",
                    mend: "systemctl reset-failed \(unit) && systemctl enable --now \(unit)")
            ]
        }
        if told.activeState != "active" {
            return [
                Finding(
                    "\(kind)-off", about: unit, "it is \(told.activeState), so it starts no tick",
                    mend: "systemctl enable --now \(unit)")
            ]
        }
        if let state = told.fileState, state == "disabled" {
            return [
                Finding(
                    "\(kind)-disabled", about: unit,
                    "it runs, but is not enabled: after a reboot it does not",
                    mend: "systemctl enable \(unit)")
            ]
        }
        return []
    }

    /// Three intervals of the timer.
    private static let oldest = TimeSpan.minutes(16)

    /// Whether ticks run, and what they leave.
    var tickFindings: [Finding] {
        var findings: [Finding] = []
        if let ledgerTrouble {
            findings.append(
                Finding(
                    "ledger", about: "\(stateDirectory)/ledger.db", ledgerTrouble,
                    mend: ledgerIsReplaced ? "holdfast check" : "holdfast verify"))
        }
        if isLive, ledgerTrouble == nil {
            if let lastTick {
                let age = observation.clock.now - lastTick
                if age > Self.oldest {
                    findings.append(
                        Finding(
                            "tick-old", about: "holdfast.service",
                            "the last tick ran at \(lastTick), \(age.seconds / 60) minutes ago",
                            mend: "systemctl enable --now holdfast.timer; journalctl -u holdfast -n 20"))
                }
            } else {
                findings.append(
                    Finding(
                        "tick-never", about: "holdfast.service", "no tick has ever run here",
                        mend: "systemctl enable --now holdfast.timer holdfast.path"))
            }
        }
        if ledgerUnchecked {
            findings.append(
                Finding(
                    "ledger-unchecked", .warning, about: "\(stateDirectory)/ledger.db",
                    "the ledger is long, so its chain was not walked", mend: "holdfast verify"))
        }
        return findings
    }

    // MARK: Guards

    /// The gates, and what they go by.
    var guardFindings: [Finding] {
        var findings: [Finding] = []
        for installation in guarded {
            let known = state.installations[installation.id.description]
            findings += gateFindings(
                of: installation, reference: known?.reference, records: records, facts: guards)
            if let objection = guards.objections[installation.id.description],
                enforcement[installation.id.description]?.gate == .restore
            {
                findings.append(
                    Finding(
                        "no-proof", .warning, about: installation.id.name,
                        "another minor would not be put back over the data that is there: \(objection)",
                        mend: "holdfast release && holdfast adopt, once what runs is what is meant to run"))
            }
        }
        if case .read(let sequence, _) = guards.guardFile, let head = guards.ledgerSequence, sequence < head,
            !records.isEmpty
        {
            findings.append(
                Finding(
                    "guard-file-behind", about: "\(stateDirectory)/guard",
                    "the gate goes by entry \(sequence) of the ledger, and the newest is \(head)",
                    mend: "holdfast check"))
        }
        for trouble in records.troubles {
            findings.append(
                Finding(
                    trouble.problem.code, about: trouble.problem.about ?? "guards", trouble.problem.text,
                    mend: "holdfast check"))
        }
        // A damaged copy of what is not the approved artifact is no gate's business, but last good may be asked for.
        for (path, file) in guards.vault.sorted(by: { $0.key < $1.key }) {
            guard case .changed(let how) = file else { continue }
            findings.append(
                Finding(
                    "vault-changed", about: path,
                    "the vault's copy of the approved artifact is damaged: \(how)",
                    mend: "rm \(path) && holdfast check"))
        }
        return findings
    }

    /// Installations before which a gate is meant to stand now.
    private var guarded: [Installation] {
        guard isGuarding else { return [] }
        return state.installations.values.filter { known in
            guard known.adoption != nil, known.installation.id.distribution != .microk8s else { return false }
            switch enforcement[known.installation.id.description]?.gate {
            case .restore, .refuse, .warn: return true
            case .off, nil: return false
            }
        }.map { known in
            observation.installations.first { $0.id == known.installation.id } ?? known.installation
        }.sorted { $0.id < $1.id }
    }

    /// What we told our own units of this node.
    var ownDropInFindings: [Finding] {
        records.dropIns.keys.sorted().compactMap { path in
            guard let start = path.range(ofUnit: "/etc/systemd/system/"), start.hasPrefix("holdfast") else {
                return nil
            }
            switch guards.dropIns[path] {
            case .gone:
                return Finding(
                    "drop-in-gone", about: path,
                    "somebody took away what tells Holdfast's own unit of this node's places",
                    mend: "holdfast check")
            case .changed(let how):
                return Finding(
                    "drop-in-changed", about: path, "it is not what was placed: \(how)",
                    mend: "move it away and run: holdfast check")
            case .asPlaced, nil:
                return loadFinding(of: start, dropIn: path, guards)
            }
        }
    }

    /// Whether our units reach where the binaries are.
    var placeFindings: [Finding] {
        var findings: [Finding] = []
        for installation in guarded {
            guard let binary = installation.installed?.path else { continue }
            let directory = binary.directory
            for unit in ["holdfast.service", "holdfast-step.service"] {
                guard let files = ownUnits[unit],
                    !files.writable.contains(where: { directory.lies(below: $0) })
                else { continue }
                findings.append(
                    Finding(
                        "not-writable", about: unit,
                        "\(binary) lies where the unit may not write (ReadWritePaths), so its spare cannot be staged",
                        mend: "holdfast check, as root"))
            }
            if let files = ownUnits["holdfast.path"],
                !files.watched.contains(where: { $0 == binary || $0 == directory })
            {
                findings.append(
                    Finding(
                        "not-watched", .warning, about: "holdfast.path",
                        "\(binary) is not watched, so a replacement is found by the timer alone",
                        mend: "holdfast check, as root"))
            }
        }
        return findings
    }

    /// Settings that we placed and that somebody has changed.
    var settingFindings: [Finding] {
        guard isGuarding else { return [] }
        return records.settings.compactMap { placed in
            guard case .value(let value) = observation.settings[placed.setting] ?? .unknown,
                !placed.isOurs(value)
            else { return nil }
            return Finding(
                placed.setting.kind == .snapHold ? "hold-gone" : "setting-changed",
                about: placed.setting.subject,
                "\(placed.setting.summary) is no longer what we set: \(value.map { "it is \($0)" } ?? "it is gone")",
                mend: "holdfast check")
        }
    }

    /// What no guard rests on; a problem that is not among these is a fault.
    private static let mild: Set<String> = [
        "autopilot-active", "autopilot-window", "cluster-node", "events-untold", "plan-distrusted",
        "policy-absent", "seal-refused", "snapd-old", "snapd-store", "snapd-time", "unit-unrecognised",
    ]

    /// What the look itself complained of.
    var problemFindings: [Finding] {
        let told = Set(records.troubles.map(\.problem))
        return observation.problems.filter { !told.contains($0) }.map { problem in
            Finding(
                problem.code, Self.mild.contains(problem.code) ? .warning : .fault,
                about: problem.about ?? observation.node.name, problem.text,
                // What else mends one is in its text.
                mend: problem.code == "policy-absent" ? "holdfast init" : "")
        }
    }
}

extension String {
    /// What comes after a prefix up to `.d/`: the unit of a drop-in; nil where the prefix is another.
    fileprivate func range(ofUnit prefix: String) -> String? {
        guard hasPrefix(prefix) else { return nil }
        let rest = dropFirst(prefix.count)
        guard let end = rest.firstIndex(of: "/") else { return nil }
        let directory = rest[..<end]
        return directory.hasSuffix(".d") ? String(directory.dropLast(2)) : nil
    }

    var directory: String {
        guard let slash = lastIndex(of: "/"), slash != startIndex else { return "/" }
        return String(self[..<slash])
    }

    /// Whether a directory is another, or lies in it.
    func lies(below other: String) -> Bool {
        self == other || other == "/" || hasPrefix(other.hasSuffix("/") ? other : other + "/")
    }
}
