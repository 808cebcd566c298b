import CommandLine
public import Host

/// Runs the program.
///
/// - Parameters:
///   - words: the command line after the program's name.
///   - environment: of which `NO_COLOR`, `COLUMNS`, `TERM` and the locale's variables are read.
/// - Returns: the exit code.
public func run(
    _ words: [String],
    environment: [String: String] = Machine.environment(of: [
        "NO_COLOR", "COLUMNS", "TERM", "LC_ALL", "LC_CTYPE", "LANG",
    ])
) -> Int32 {
    let screen = Screen(environment: environment)
    switch Interface.program.parse(words) {
    case .version:
        screen.out("holdfast \(programVersion)\n")
        return ExitCode.done.rawValue
    case .help(let path):
        screen.out(Interface.program.help(path: path, width: screen.width ?? 80))
        return ExitCode.done.rawValue
    case .failure(let error):
        screen.error("Error: \(error.message)")
        for line in Interface.program.usageLine(path: error.path, width: screen.width).split(separator: "\n")
        {
            screen.error(String(line))
        }
        screen.error("  See '\(error.path.joined(separator: " ")) --help' for more information.")
        return ExitCode.usage.rawValue
    case .run(let invocation):
        do throws(Failure) {
            return try perform(invocation, on: screen).rawValue
        } catch {
            for (index, line) in error.lines.enumerated() {
                screen.error((index == 0 ? "Error: " : "") + line)
            }
            return error.code.rawValue
        }
    }
}

/// The version of the program, which `--version` prints.
public let programVersion = "0.1.0"

private func perform(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    switch invocation.path.dropFirst().joined(separator: " ") {
    case "init": try makePolicy(invocation, on: screen)
    case "check": try check(invocation, on: screen)
    case "status": try status(invocation, on: screen)
    case "explain": try explain(invocation, on: screen)
    case "approve": try approve(invocation, on: screen)
    case "deny": try deny(invocation, on: screen)
    case "revoke": try revoke(invocation, on: screen)
    case "adopt": try adopt(invocation, on: screen)
    case "release": try release(invocation, on: screen)
    case "pause": try pause(invocation, on: screen)
    case "resume": try resume(invocation, on: screen)
    case "step": try step(invocation, on: screen)
    case "upgrade": try upgrade(invocation, on: screen)
    case "rollback": try rollback(invocation, on: screen)
    case "rollout status": try rolloutStatus(invocation, on: screen)
    case "rollout pause": try rolloutPause(invocation, on: screen)
    case "rollout resume": try rolloutResume(invocation, on: screen)
    case "rollout abort": try rolloutAbort(invocation, on: screen)
    case "rollout evict": try rolloutEvict(invocation, on: screen)
    case "quarantine list": try quarantineList(invocation, on: screen)
    case "quarantine clear": try quarantineClear(invocation, on: screen)
    case "fleet join": try fleetJoin(invocation, on: screen)
    case "fleet forget": try fleetForget(invocation, on: screen)
    case "history": try history(invocation, on: screen)
    case "merge": try merge(invocation, on: screen)
    case "verify": try verify(invocation, on: screen)
    case "simulate": try simulate(invocation, on: screen)
    case "replay": try replay(invocation, on: screen)
    case "policy lint": try policyLint(invocation, on: screen)
    case "policy show": try policyShow(invocation, on: screen)
    case "policy test": try policyTest(invocation, on: screen)
    case "doctor": try doctor(invocation, on: screen)
    case "catalog import": try catalogImport(invocation, on: screen)
    case "catalog list": try catalogList(invocation, on: screen)
    case "manual": try manual(invocation, on: screen)
    case "completions": try completions(invocation, on: screen)
    case "complete": complete(invocation, on: screen)
    default:
        throw Failure(code: .usage, message: "\(invocation.path.joined(separator: " ")) is not a command")
    }
}
