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
    /// Whether only ASCII can be shown.
    private let isPlain: Bool

    init(environment: [String: String]) {
        let isTerminal = Terminal.standardOutput.isInteractive
        // https://no-color.org: any value that is not empty.
        style = Style(
            isColoured: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        )
        let columns = Terminal.standardOutput.columns ?? environment["COLUMNS"].flatMap { Int($0) }
        width = columns.map { min(max($0, 40), 120) }
        // POSIX, 8.2: the first of them that is not empty says it. A script that says nothing gets what it got before.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty }
        isPlain = locale.map { !$0.isUTF8Locale } ?? isTerminal
    }

    /// Writes text for a person to standard output, in what their locale can show.
    func out(_ text: String) { data(isPlain ? text.inASCII : text) }

    /// Writes text for a program to standard output, as it is.
    func data(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }
    }

    /// Writes bytes to standard output.
    func out(_ bytes: UnsafeRawBufferPointer) { write(bytes, to: STDOUT_FILENO) }

    /// Writes a line to standard error, which in a unit is the journal.
    ///
    /// Errors repeat names and reasons of others, such as a rollout's in a fleet's store: none may move the cursor, or
    /// begin a line that seems to be ours.
    func error(_ line: String) {
        let shown = line.printable
        var text = (isPlain ? shown.inASCII : shown) + "\n"
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// Writes a part of a line to standard error.
    func errorPart(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    /// Writes a value as one line of JSON: canonical, but that what a terminal would heed or hide is escaped.
    func json(_ value: some Encodable) throws(Failure) {
        do {
            data(try CanonicalJSON.text(of: value).plainJSON + "\n")
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

extension String {
    /// Whether a locale of this name writes UTF-8.
    fileprivate var isUTF8Locale: Bool {
        let name = lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }

    /// In ASCII: the signs that texts here are written with as people type them, anything else as a question mark.
    fileprivate var inASCII: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "→": text += "->"
            case "…": text += "..."
            case "·": text += "-"
            case "–", "−": text += "-"
            case "≥": text += ">="
            case "≤": text += "<="
            case "×": text += "x"
            default: text.unicodeScalars.append(scalar.isASCII ? scalar : "?")
            }
        }
        return text
    }
}
