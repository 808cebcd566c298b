import Model

/// What entries add up to, besides the rows that they leave in tables of their own.
struct Fold: Hashable {
    var state = NodeState()
    /// The newest stretch of coverage that was sealed.
    var coverage: Coverage?

    /// Takes one more entry in.
    mutating func apply(_ event: Event, at: Instant) {
        state.apply(event, at: at)
        if case .coverage(let stretch) = event { coverage = stretch }
        if case .bodiesDropped(let retention) = event { coverage = retention.coverage }
    }
}
