import CommandLine
import Host
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
    let typed = invocation.arguments["word"] ?? []
    let completions = Interface.program.completions(of: typed)
    for word in completions.words + (completions.asked.map { knownWords($0, typed) } ?? [])
    where word.text.isShellWord {
        screen.data("\(completions.prefix)\(word.text)\t\(word.help.printable)\n")
    }
    if let files = completions.files { screen.data(":\(files.rawValue)\n") }
    return .done
}

extension String {
    /// Whether a shell takes it for a word as it stands: bash puts what is offered on the command line unquoted, and a
    /// node's name may come from whoever writes in the fleet's store.
    fileprivate var isShellWord: Bool {
        utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                || "-._/+:@,=%".utf8.contains($0)
        }
    }
}

/// What the option tables ask for by `Completion.asked`.
enum KnownWords: String {
    case distributions, changes, approvals, decisions, quarantined, versions, units, installations, incidents,
        pages, shells,
        zones, nodes

    /// For an option table.
    var completion: Completion { .asked(rawValue) }
}

/// What is known of a kind here and now, from what is recorded: the node is not looked at, and no store asked.
private func knownWords(_ kind: String, _ typed: [String]) -> [Completions.Word] {
    guard let kind = KnownWords(rawValue: kind) else { return [] }
    switch kind {
    case .distributions: return Distribution.allCases.map { Completions.Word($0.rawValue) }
    case .pages: return Manual.allCases.map { Completions.Word($0.rawValue) }
    case .shells: return Shell.allCases.map { Completions.Word($0.rawValue) }
    case .zones: return zoneNames().map { Completions.Word($0) }
    case .incidents:
        let corpus = try? Corpus(Invocation.empty)
        return ((try? corpus?.names()) ?? []).map { Completions.Word($0) }
            + ["all", "list"].map { Completions.Word($0) }
    default: break
    }
    guard let place = try? Place(Invocation.place(in: typed)), let ledger = try? place.readLedger(),
        let loaded = try? ledger.load()
    else { return [] }
    if kind == .nodes {
        return (loaded.memory.fleet?.members ?? []).map { Completions.Word($0.name, help: $0.id) }
    }
    return words(kind, state: loaded.state, ledger: ledger)
}

/// The zones that tzdata lists: the third field of each line (zone1970.tab).
private func zoneNames() -> [String] {
    let table = (try? readFile("/usr/share/zoneinfo/zone1970.tab", limit: 1 << 20)) ?? []
    let names = String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
        line.hasPrefix("#") ? nil : line.split(separator: "\t").dropFirst(2).first.map(String.init)
    }
    return ["UTC"] + names.sorted()
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
    case .distributions, .incidents, .pages, .shells, .zones, .nodes: return []
    }
}

private func named(_ artifact: Artifact) -> String {
    artifact.version?.description ?? artifact.bytes ?? "an unknown version"
}

extension Invocation {
    /// As it is where nothing was given.
    fileprivate static let empty = Invocation(path: [], flags: [], values: [:], arguments: [:])

    /// With what is typed already of where to look.
    fileprivate static func place(in typed: [String]) -> Invocation {
        var values: [String: String] = [:]
        for (index, word) in typed.dropLast().enumerated() {
            for name in ["root", "state"] {
                if word == "--\(name)" { values[name] = typed[index + 1] }
                if word.hasPrefix("--\(name)=") { values[name] = String(word.dropFirst(name.count + 3)) }
            }
        }
        return Invocation(path: [], flags: [], values: values, arguments: [:])
    }
}
