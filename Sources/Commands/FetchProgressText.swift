import Host
import Model
import Ports

/// Shows how much of an artifact has come: one line that is written over on a terminal, a line a quarter elsewhere.
final class FetchProgressText {
    private let screen: Screen
    private let isInteractive = Terminal.standardOutput.isInteractive
    private var shown: Int64 = -1

    init(_ screen: Screen) { self.screen = screen }

    func show(_ progress: FetchProgress) {
        guard let total = progress.total, total > 0 else { return }
        let percent = min(100, progress.done * 100 / total)
        let part = isInteractive ? percent : percent / 25
        guard part != shown else { return }
        shown = part
        let text = "fetched \(percent) % of \(megabytes(total)) MB"
        screen.out(isInteractive ? "\r\(text)\(percent == 100 ? "\n" : "")" : "\(text)\n")
    }

    private func megabytes(_ bytes: Int64) -> Int64 { (bytes + 999_999) / 1_000_000 }
}
