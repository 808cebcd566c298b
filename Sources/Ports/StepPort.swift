public import Model

/// The node, as far as a step asks it while it carries out a change.
public protocol StepPort {
    /// What the bytes at a path of the node are, read whole and never executed (invariant 11).
    ///
    /// - Throws: `EffectFailure` where they cannot be read, or have no digest that stands still.
    func identify(_ path: String, distribution: Distribution) throws(EffectFailure) -> Artifact

    /// Asks one check of a node, of those that an observation does not answer.
    ///
    /// - Parameter patience: how long it may take.
    func ask(
        _ check: HealthPolicy.Check, of installation: Installation, patience: TimeSpan
    ) -> HealthAnswer

    /// Waits.
    func wait(_ span: TimeSpan)
}

/// What a check answers.
public enum HealthAnswer: Hashable, Sendable {
    case well
    /// It is still starting: only the deadline counts, until it was well once.
    case notYet(String)
    case failed(String)
    /// Nobody can tell, which is never taken for well.
    case unknown(String)

    /// Why it is not well; nil where it is.
    public var text: String? {
        switch self {
        case .well: nil
        case .notYet(let text), .failed(let text), .unknown(let text): text
        }
    }
}
