/// What the program answers its caller with (design, "Commands").
enum ExitCode: Int32 {
    case done = 0
    case failed = 1
    /// `--exit-code`: something is held.
    case held = 10
    /// `--exit-code`: something is denied, or was undone.
    case denied = 11
    /// The command line was not understood (`EX_USAGE`).
    case usage = 64
    /// Somebody else is at work; try again (`EX_TEMPFAIL`).
    case busy = 75
    /// The policy, node file or another configuration is not valid (`EX_CONFIG`).
    case badConfiguration = 78
}

/// Why a verb could not do what it was asked to.
struct Failure: Error {
    let code: ExitCode
    /// What happened, where, and what to do about it: one sentence, or a line for each of several things.
    ///
    /// No text from outside makes another line of one.
    let lines: [String]

    init(code: ExitCode, message: String) { self.init(code: code, lines: [message]) }

    init(code: ExitCode, lines: [String]) {
        self.code = code
        self.lines = lines
    }
}
