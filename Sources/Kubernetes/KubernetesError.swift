public import Web

/// Why the API server gave no usable answer; never with a token, a key or a certificate in it (invariant 13).
public struct KubernetesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: Hashable, Sendable {
        /// The kubeconfig cannot be used.
        case kubeconfig
        /// The server was not reached, or gave no whole answer.
        case transport(HTTPError.Code)
        /// It does not know us (401), or we may not (403).
        case unauthorised
        /// It answered something else than was asked for.
        case answer(status: Int)
    }

    /// For whoever decides what to do next.
    public var code: Code
    /// What happened, where, and what to do about it.
    public var description: String

    /// Makes an error.
    public init(code: Code, description: String) {
        self.code = code
        self.description = description
    }
}
