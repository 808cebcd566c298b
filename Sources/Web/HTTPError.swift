/// Why a request has no answer.
///
/// Its text names the server and what to do; never a header's value, a body, a key or a token (invariant 13).
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is, for whoever decides what to do next.
    public enum Code: String, Hashable, Sendable {
        /// libcurl, which speaks TCP and TLS here, is not on this machine or too old.
        case noLibrary = "no-library"
        /// There is no such socket.
        case absent
        /// Nobody listens there.
        case refused
        /// This process may not use the socket.
        case denied
        /// The name does not resolve, or no route leads there.
        case unreachable
        /// There was no whole answer in time.
        case timeout
        /// The answer is larger than the caller takes.
        case tooLarge = "too-large"
        /// The server could not prove who it is, or would not take our certificate.
        case tls
        /// The connection ended before the answer did.
        case interrupted
        /// What came is not HTTP as it should be.
        case protocolViolation = "protocol"
        /// What was to be sent cannot be sent: a line break in a header, a relative path.
        case invalidRequest = "invalid-request"
        /// Whoever takes the answer in wanted no more of it, and knows why.
        case stopped
        case other

        /// Whether nothing can have been sent where it is met.
        var isBeforeSending: Bool {
            switch self {
            case .noLibrary, .absent, .refused, .denied, .unreachable, .invalidRequest: true
            case .timeout, .tooLarge, .tls, .interrupted, .protocolViolation, .stopped, .other: false
            }
        }
    }

    /// For whoever decides what to do next.
    public var code: Code
    /// What happened, where, and what to do about it.
    public var description: String
    /// Whether the request, or a part of it, may have reached the server: then nobody can tell whether it was done.
    public var mayHaveArrived: Bool
    /// The status of an answer that had begun; nil where none had.
    public var status: Int?

    /// Makes an error.
    ///
    /// - Parameter mayHaveArrived: nil for what the code alone says.
    public init(code: Code, description: String, mayHaveArrived: Bool? = nil) {
        self.code = code
        self.description = description
        self.mayHaveArrived = mayHaveArrived ?? !code.isBeforeSending
    }
}
