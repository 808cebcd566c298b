public import Ports
import Synchronization
import Threads

/// Where a store can be opened as often as a test wants; each is used by one thread.
public struct FleetPlace: Sendable {
    /// Opens a store that sees what the others see.
    public var open: @Sendable () throws -> any FleetStore

    /// Names a place, in which nothing has been written yet.
    public init(open: @escaping @Sendable () throws -> any FleetStore) { self.open = open }
}

/// Runs a closure on so many threads at once, and returns what each has made, in order of their numbers.
func inParallel<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) -> Result
) -> [Result] {
    let results = Results<Result>()
    runAtOnce((0..<count).map { number in { results.put(body(number), at: number) } })
    return results.inOrder
}

private final class Results<Value: Sendable>: Sendable {
    private let values = Mutex<[Int: Value]>([:])

    func put(_ value: Value, at number: Int) { values.withLock { $0[number] = value } }

    var inOrder: [Value] { values.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }
}
