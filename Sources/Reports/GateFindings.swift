public import Model

/// Everything that keeps the gate of one adopted installation from doing what the policy wants of it.
///
/// Empty where it is in force and proven to be. What systemd did not tell is not among them: `unproven` has that.
public func gateFindings(
    of installation: Installation, reference: Artifact?, records: GuardRecords, facts: GuardFacts
) -> [Finding] {
    var findings: [Finding] = []
    if !facts.gateIsExecutable {
        findings.append(
            Finding(
                "gate-missing", about: facts.gateProgram,
                "the gate is not there or cannot be executed, so every start goes through unguarded",
                mend: installAgain))
    }
    for unit in installation.units.map(\.name) {
        if let finding = dropInFinding(of: unit, records, facts) { findings.append(finding) }
    }
    findings += guardFileFindings(of: installation, facts)
    findings += bytesFindings(of: installation, reference: reference, records, facts)
    return findings
}

/// Whether systemd has read the drop-in that we placed before a unit.
private func dropInFinding(of unit: String, _ records: GuardRecords, _ facts: GuardFacts) -> Finding? {
    guard let path = records.dropIns.keys.first(where: { $0.contains("/\(unit).d/") }) else {
        return Finding(
            "drop-in-missing", about: unit, "no gate was placed before \(unit)", mend: "holdfast check")
    }
    switch facts.dropIns[path] {
    case .gone:
        return Finding(
            "drop-in-gone", about: path, "somebody took the gate's drop-in away", mend: "holdfast check")
    case .changed(let how):
        return Finding(
            "drop-in-changed", about: path, "the gate's drop-in is not what was placed: \(how)",
            mend: "move it away and run: holdfast check")
    case .asPlaced, nil: break
    }
    return loadFinding(of: unit, dropIn: path, facts)
}

/// Whether systemd has read a drop-in of a unit.
func loadFinding(of unit: String, dropIn path: String, _ facts: GuardFacts) -> Finding? {
    guard let told = facts.units.of(unit) else { return nil }
    guard told.loadState == "loaded" else {
        return Finding(
            "unit-not-loaded", about: unit, "systemd has not loaded the unit: it calls it \(told.loadState)",
            mend: "systemctl status \(unit)")
    }
    guard told.dropIns.contains(path) else {
        return Finding(
            "drop-in-not-loaded", about: path,
            "it lies on disk, and systemd has not read it, so it does nothing",
            mend: "systemctl daemon-reload")
    }
    guard !told.needsReload else {
        return Finding(
            "drop-in-not-loaded", about: path,
            "files of \(unit) changed since systemd read them, so it goes by the old ones",
            mend: "systemctl daemon-reload")
    }
    return nil
}

private func guardFileFindings(of installation: Installation, _ facts: GuardFacts) -> [Finding] {
    switch facts.guardFile {
    case .missing:
        return [
            Finding(
                "guard-file-missing", about: "guard",
                "the gate's guard file is not there, so every start goes through", mend: "holdfast check")
        ]
    case .unusable(let reason):
        return [
            Finding(
                "guard-file-unusable", about: "guard",
                "the gate's guard file cannot be used, so every start goes through: \(reason)",
                mend: "holdfast check")
        ]
    case .read(_, let modes):
        return installation.units.map(\.name).filter { modes[$0] == nil }.map { unit in
            Finding(
                "guard-file-without", about: unit, "the gate's guard file does not name \(unit)",
                mend: "holdfast check")
        }
    }
}

/// Whether the bytes are there that would be put back.
private func bytesFindings(
    of installation: Installation, reference: Artifact?, _ records: GuardRecords, _ facts: GuardFacts
) -> [Finding] {
    var findings: [Finding] = []
    let spares = records.spares.values.filter { $0.installation == installation.id }.map(\.path).sorted()
    if spares.isEmpty {
        findings.append(
            Finding(
                "spare-missing", about: installation.id.name,
                "no spare was staged, so putting the approved artifact back takes a copy, for which a start may not wait",
                mend: "holdfast check"))
    }
    for path in spares {
        switch facts.spares[path] {
        case .gone:
            findings.append(
                Finding(
                    "spare-missing", about: path,
                    "the spare is gone, so putting the approved artifact back takes a copy, for which a start may not wait",
                    mend: "holdfast check"))
        case .changed(let how):
            findings.append(
                Finding(
                    "spare-changed", about: path, "the spare is not the file that was staged: \(how)",
                    mend: "holdfast check"))
        case .asPlaced, nil: break
        }
    }
    for (path, digest) in records.vault.sorted(by: { $0.key < $1.key }) where digest == reference?.sha256 {
        switch facts.vault[path] {
        case .gone:
            findings.append(
                Finding(
                    "vault-missing", about: path, "the vault no longer has the approved artifact",
                    mend: "holdfast check"))
        case .changed(let how):
            findings.append(
                Finding(
                    "vault-changed", about: path,
                    "the vault's copy of the approved artifact is damaged: \(how)",
                    mend: "rm \(path) && holdfast check"))
        case .asPlaced, nil: break
        }
    }
    return findings
}
