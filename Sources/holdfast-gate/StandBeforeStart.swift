import Gate
import Glibc

/// Called by the drop-in of a unit before it starts: `holdfast-gate [--root DIR] [--state DIR] UNIT`.
///
/// `--root` looks at another root, for tests: paths are put below it as they are, links are not confined to it.
/// Status 77 refuses the start; every other end lets it go on.
func standBeforeStart() -> Never {
    Deadline.arm()
    // A journal that has gone must not end the gate before it has decided.
    signal(SIGPIPE, SIG_IGN)

    var root = ""
    var state = "/var/lib/holdfast"
    var units: [String] = []
    var isUsable = true
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
        switch word {
        case "--root", "--state":
            guard let value = words.popFirst(), value.hasPrefix("/") else {
                isUsable = false
                break
            }
            if word == "--root" { root = value == "/" ? "" : value } else { state = value }
        default: units.append(word)
        }
    }
    let unit = units.first ?? ""
    let invocation = getenv("INVOCATION_ID").map { String(cString: $0) }
    let report = Report(
        root: root, places: GatePlaces(state: state), unit: unit,
        // systemd's are 32 hexadecimal digits; anything else would not be found again.
        invocationID: invocation.flatMap { text in
            text.utf8.count == 32
                && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
                ? text : nil
        },
        now: Deadline.now())
    guard isUsable, units.count == 1, GatePlaces.isUnitName(unit) else {
        report.say("usage: holdfast-gate [--root DIR] [--state DIR] UNIT; the unit starts")
        report.markMissed(nil)
        exit(64)
    }
    exit(Gatekeeper(report: report).run().rawValue)
}
