/// The newest of many values, and how many older ones were let go.
public struct Bounded<Element: Hashable & Sendable>: Hashable, Sendable {
    /// The newest ones, oldest first.
    public private(set) var items: [Element] = []
    /// How many older ones are not among them.
    public private(set) var dropped = 0
    /// How many are kept.
    let most: Int

    /// Makes an empty one.
    init(_ most: Int) { self.most = most }

    /// Adds a newest one.
    mutating func append(_ element: Element) {
        items.append(element)
        // Twice as many for a while, so that one that is added costs the same on the average.
        guard items.count >= 2 * most else { return }
        trim()
    }

    /// Lets those go that are too many.
    mutating func trim() {
        let excess = items.count - most
        guard excess > 0 else { return }
        items.removeFirst(excess)
        dropped += excess
    }

    /// Changes the newest one that fits.
    mutating func change(last isWanted: (Element) -> Bool, _ body: (inout Element) -> Void) {
        guard let index = items.lastIndex(where: isWanted) else { return }
        body(&items[index])
    }

    /// Keeps those that fit.
    mutating func keep(where isWanted: (Element) -> Bool) { items.removeAll { !isWanted($0) } }
}
