public import Model

/// The one place where time comes from.
public protocol Clock {
    /// What the clocks say now.
    func read() -> ClockReading
}
