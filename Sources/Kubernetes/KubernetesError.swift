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
        /// It refused, and said why: `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `TooManyRequests`.
        case refused(status: Int, reason: String)
        /// It answered something else than was asked for.
        case answer(status: Int)
    }

    /// Whether the credentials are not good, or not good for this: waiting mends neither.
    public var isForbidden: Bool {
        switch code {
        case .unauthorised, .refused(status: 403, _): true
        default: false
        }
    }

    /// For whoever decides what to do next.
    public var code: Code
    /// What happened, where, and what to do about it.
    public var description: String

    /// Whether what was asked for may have reached the server.
    public var mayHaveArrived: Bool

    /// Makes an error.
    public init(code: Code, description: String, mayHaveArrived: Bool = true) {
        self.code = code
        self.description = description
        self.mayHaveArrived = mayHaveArrived
    }

    /// Whether what was asked for is not there; also where the cluster does not know the kind (no such CRD).
    public var isAbsence: Bool {
        switch code {
        case .refused(status: 404, _), .answer(status: 404): true
        default: false
        }
    }

    /// Whether the object was changed since it was read: to be read again, and tried again.
    public var isConflict: Bool {
        if case .refused(status: 409, reason: let reason) = code { reason != "AlreadyExists" } else { false }
    }

    /// Whether an object of that name is there already.
    public var isAlreadyThere: Bool { code == .refused(status: 409, reason: "AlreadyExists") }
}
