import FoundationEssentials
@preconcurrency import Glibc
import Host
import Model

/// Where the program writes to, and what that can show.
///
/// The only code that prints.
struct Screen {
    let style: Style
    /// Columns to fold at; nil where nobody said, as in a file or a pipe.
    let width: Int?

    init(environment: [String: String]) {
        let isTerminal = Terminal.standardOutput.isInteractive
        // https://no-color.org: any value that is not empty.
        style = Style(
            isColoured: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        )
        let columns = Terminal.standardOutput.columns ?? environment["COLUMNS"].flatMap { Int($0) }
        width = columns.map { min(max($0, 40), 120) }
    }

    /// Writes to standard output.
    func out(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }
    }

    /// Writes bytes to standard output.
    func out(_ bytes: UnsafeRawBufferPointer) { write(bytes, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    func error(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// Writes a value as one line of canonical JSON.
    func json(_ value: some Encodable) throws(Failure) {
        do {
            out(try CanonicalJSON.text(of: value) + "\n")
        } catch {
            throw Failure(code: .failed, message: "the answer has no JSON form: \(error)")
        }
    }

    // A reader that has gone (`holdfast history | head`) is no error of ours.
    private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var rest = bytes[...]
        while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            let count = Glibc.write(descriptor, base, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}
