/// How many nodes are up at once.
///
/// Each holds six or more inotify instances, and the kernel gives all of root's programs 128 of them by default: beyond
/// that a path unit fails, and with it what waits for it.
actor NodeSlots {
    static let shared = NodeSlots(free: 14)

    private var free: Int
    private var waiting: [(count: Int, go: CheckedContinuation<Void, Never>)] = []

    init(free: Int) { self.free = free }

    /// Waits for as many as are asked for, all at once, first come first served.
    func take(_ count: Int) async {
        if waiting.isEmpty, free >= count {
            free -= count
        } else {
            await withCheckedContinuation { waiting.append((count, $0)) }
        }
    }

    func give(_ count: Int) {
        free += count
        while let first = waiting.first, first.count <= free {
            waiting.removeFirst()
            free -= first.count
            first.go.resume()
        }
    }
}
