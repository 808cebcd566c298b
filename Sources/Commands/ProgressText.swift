import Host
import Model

/// How far long work is: a bar that is written over on a terminal, a line a quarter elsewhere.
///
/// On standard error, so that what was asked for stays whole.
final class ProgressText {
    /// What the work goes through.
    enum Unit {
        case bytes, entries

        /// Where there is less to do, it is done before anybody wonders.
        fileprivate var least: Int64 { self == .bytes ? 0 : 20_000 }

        fileprivate func words(_ total: Int64) -> String {
            switch self {
            case .bytes: "\((total + 999_999) / 1_000_000) MB"
            case .entries: "\(total) entries"
            }
        }
    }

    private let deed: String
    private let unit: Unit
    private let screen: Screen
    private let isInteractive = Terminal.standardError.isInteractive
    private var shown: Int64
    private var isOpen = false

    /// - Parameter deed: what is done, as in `fetched 45 %`.
    init(_ deed: String, of unit: Unit, on screen: Screen) {
        self.deed = deed
        self.unit = unit
        self.screen = screen
        shown = isInteractive ? -1 : 0
    }

    /// Shows how far it is, where that is news.
    func show(_ done: Int64, of total: Int64) {
        guard total > 0, total >= unit.least else { return }
        let percent = Int64(Double(min(max(done, 0), total)) / Double(total) * 100)
        let part = isInteractive ? percent : percent / 25
        guard part != shown else { return }
        shown = part
        let text = "\(deed) \(percent) % of \(unit.words(total))"
        guard isInteractive else {
            if part > 0 { screen.error(text) }
            return
        }
        let filled = Int(percent / 5)
        let bar =
            "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled) + "] "
        let room = Terminal.standardError.columns ?? 80
        screen.errorPart("\r" + (bar.count + text.count < room ? bar : "") + text)
        isOpen = true
        if percent == 100 { end() }
    }

    /// Ends the bar's line, however far the work came.
    func end() {
        guard isOpen else { return }
        isOpen = false
        screen.errorPart("\n")
    }
}
