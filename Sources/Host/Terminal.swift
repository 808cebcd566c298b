internal import CLinux
internal import Glibc

/// Where output goes, as far as its form depends on that.
public enum Terminal: Int32, Sendable {
    case standardInput = 0
    case standardOutput = 1
    case standardError = 2

    /// Whether a person reads along.
    public var isInteractive: Bool { isatty(rawValue) == 1 }

    /// Its width in columns; nil where it is no terminal or does not know.
    public var columns: Int? {
        let columns = Int(clinux_terminal_columns(rawValue))
        return columns > 0 ? columns : nil
    }
}
