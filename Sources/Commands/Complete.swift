import CommandLine
import Ledger
import Model
import PolicyFile
import Ports

/// `holdfast completions SHELL`: prints the script by which a shell completes.
func completions(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    guard let shell = Shell(rawValue: invocation.value("shell") ?? "") else {
        throw Failure(
            code: .usage, message: "the shells are \(Shell.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    screen.data(shell.script(for: Interface.program.name))
    return .done
}

/// `holdfast complete -- WORDS`: what may stand at the end of what is typed, for the shells' scripts.
///
/// It says nothing where it does not know: a person who presses a key wants no error.
func complete(_ invocation: Invocation, on screen: Screen) -> ExitCode {
    let completions = Interface.program.completions(of: invocation.arguments["word"] ?? [])
    for word in completions.words + (completions.asked.map(knownWords) ?? []) {
        screen.data("\(completions.prefix)\(word.text.printable)\t\(word.help.printable)\n")
    }
    if let files = completions.files { screen.data(":\(files.rawValue)\n") }
    return .done
}

/// What the option tables ask for by `Completion.asked`.
enum KnownWords: String {
    case distributions, changes, approvals, decisions, quarantined, versions, units, installations, incidents,
        pages, shells

    /// For an option table.
    var completion: Completion { .asked(rawValue) }
}

/// What is known of a kind here and now, from what is recorded: the node is not looked at, and no store asked.
private func knownWords(_ kind: String) -> [Completions.Word] {
    guard let kind = KnownWords(rawValue: kind) else { return [] }
    switch kind {
    case .distributions: return Distribution.allCases.map { Completions.Word($0.rawValue) }
    case .pages: return Manual.allCases.map { Completions.Word($0.rawValue) }
    case .shells: return Shell.allCases.map { Completions.Word($0.rawValue) }
    case .incidents:
        let corpus = try? Corpus(Invocation.empty)
        return ((try? corpus?.names()) ?? []).map { Completions.Word($0) }
            + ["all", "list"].map { Completions.Word($0) }
    default: break
    }
    guard let place = try? Place(Invocation.empty), let ledger = try? place.readLedger(),
        let state = try? ledger.load().state
    else { return [] }
    return words(kind, state: state, ledger: ledger)
}

private func words(_ kind: KnownWords, state: NodeState, ledger: Ledger) -> [Completions.Word] {
    let installations = state.installations.values.map(\.installation)
    let changes = state.installations.values.flatMap(\.changes)
    switch kind {
    case .changes:
        return changes.map {
            Completions.Word($0.change.id, help: "\($0.verdict.rawValue) \(named($0.change.to))")
        }
    case .decisions:
        return changes.map {
            Completions.Word($0.decisionID, help: "\($0.verdict.rawValue) \(named($0.change.to))")
        }
    case .approvals:
        return state.approvals.map {
            Completions.Word($0.id, help: "approval of \($0.version?.description ?? "bytes")")
        }
            + state.denials.map { Completions.Word($0.id, help: "denial of \(named($0.target))") }
    case .quarantined:
        return state.quarantine.compactMap { entry in
            entry.bytes.map { Completions.Word($0, help: named(entry.artifact)) }
        }
    case .versions:
        let imported = Set(installations.map(\.id.distribution)).flatMap {
            (try? ledger.cataloguedVersions(of: $0)) ?? []
        }
        let offered = changes.compactMap(\.change.to.version)
        return Set(imported + offered).sorted().map { Completions.Word($0.description) }
    case .units: return installations.flatMap(\.units).map { Completions.Word($0.name) }
    case .installations: return installations.map { Completions.Word($0.id.name) }
    case .distributions, .incidents, .pages, .shells: return []
    }
}

private func named(_ artifact: Artifact) -> String {
    artifact.version?.description ?? artifact.bytes ?? "an unknown version"
}

extension Invocation {
    /// As it is where nothing was given.
    fileprivate static let empty = Invocation(path: [], flags: [], values: [:], arguments: [:])
}
