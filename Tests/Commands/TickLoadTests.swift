import FoundationEssentials
import ScriptedServer
import Testing

/// Where `make soak` asks for the long form.
private let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil

@Suite(
    "Many ticks in one process", .serialized,
    .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
struct TickLoadTests {
    /// What the last third of a run held at most more than the third before it; what the first third fills are caches.
    struct Growth: CustomStringConvertible {
        let resident: Int
        let descriptors: Int
        let allocated: Int

        init(_ figures: [TickFigures]) throws {
            let third = figures.count / 3
            try #require(third > 0)
            let (before, after) = (figures.dropLast(third).suffix(third), figures.suffix(third))
            func more(_ key: KeyPath<TickFigures, Int>) -> Int {
                (after.map { $0[keyPath: key] }.max() ?? 0) - (before.map { $0[keyPath: key] }.max() ?? 0)
            }
            (resident, descriptors, allocated) = (more(\.resident), more(\.descriptors), more(\.allocated))
        }

        /// Whether that is what a cache, or a longer ledger, may take.
        ///
        /// No descriptor at all; and of memory far less than what a tick that loses 1,024 bytes has lost after the fewest
        /// ticks that are run here. The sanitizer of the long form keeps books of its own in memory, which grow by some
        /// hundred bytes a tick.
        var isFlat: Bool {
            descriptors <= 0 && allocated <= 64 << 10 && resident <= (isSoak ? 16 << 20 : 4 << 20)
        }

        var description: String {
            "\(descriptors) descriptors, \(allocated) bytes allocated, \(resident) bytes in memory"
        }
    }

    /// - Parameter story: everything that a tick has to do, far more often than on any node.
    @Test(
        "hold no more memory and no more descriptors at the end, whatever happens on the node",
        arguments: [(LoadedNode.Story.k3s, 1400), (.microk8s, 700)])
    func flat(story: LoadedNode.Story, ticks: Int) throws {
        let node = try LoadedNode(story)
        let ticks = isSoak ? 100_000 : ticks
        let figures = try node.tick(ticks, seconds: 300, every: isSoak ? 1000 : 20)
        let growth = try Growth(figures)
        if isSoak {
            print("\(ticks) ticks, \(story): \(growth); \(node.answered) requests")
            figures.forEach { print($0.tick, $0.resident, $0.descriptors, $0.allocated, $0.stateBytes) }
        }
        #expect(growth.isFlat, "\(growth)")
        #expect(node.answered > ticks / 10)
    }

    @Test("a tick that loses memory, or a descriptor, is found")
    func lost() throws {
        let growth = try Growth(try LoadedNode(.quiet).tick(360, seconds: 300, every: 10, losing: 1024))
        #expect(growth.descriptors >= 100 && growth.allocated >= 100 << 10 && !growth.isFlat, "\(growth)")
    }
}
