public import Model

/// Where a node tells people what happened.
public protocol Journal {
    /// Writes one entry; whoever cannot be told is no reason to stop.
    func write(_ entry: JournalEntry)
}
