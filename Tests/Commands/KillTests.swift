import FoundationEssentials
import Testing

@Suite(
    "Kill at every system call, on a node root",
    .enabled(
        if: FileManager.default.fileExists(atPath: "/usr/bin/strace"),
        "SKIPPED: strace is not installed; Packaging/scripts/bootstrap --for-tests brings it"))
struct KillTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// How many instants of each are taken, spread over all of them; every one where this is a soak.
    private static let most = environment["HOLDFAST_SOAK"] == nil ? 10 : Int.max
    /// `HOLDFAST_SEED` moves the spread.
    private static let seed = environment["HOLDFAST_SEED"].flatMap { Int($0) } ?? 0

    @Test(
        "invariants 3, 7, 8 and 10: killed before any call that changes something, the unit starts, the next tick ends where an undisturbed run ends, and nothing is left over",
        arguments: KilledVerb.all)
    func killed(_ verb: KilledVerb) throws {
        let node = try KillNode()
        try verb.prepare(node)
        let instants = try node.instants(of: verb)
        try node.goOn(verb)
        // Once more from the start, since only then everything has been there once.
        try verb.prepare(node)
        _ = try node.instants(of: verb)
        try node.goOn(verb)
        let whole = try node.standing()
        let stride = max(1, instants.count / Self.most)
        var (tried, kills) = (0, 0)
        for index in Swift.stride(from: Self.seed % stride, to: instants.count, by: stride) {
            let instant = instants[index]
            try verb.prepare(node)
            // Another run may take a call less.
            tried += 1
            if try node.kill(verb, at: instant) { kills += 1 }
            try node.goOn(verb)
            let standing = try node.standing()
            let unlike = Set(standing.keys).symmetricDifference(whole.keys)
                .union(whole.keys.filter { standing[$0] != whole[$0] })
            #expect(unlike.isEmpty, "killed before \(instant.call) \(instant.number) of \(instants.count)")
            try node.verify()
        }
        #expect(tried > 4 && kills > tried / 2, "\(kills) of \(tried)")
        print("killed before \(kills) of \(instants.count) calls: \(verb.testDescription)")
    }

    @Test("invariant 10: a verb that was killed is taken back by its opposite, and nothing is left over")
    func opposite() throws {
        let node = try KillNode()
        let adopt = try #require(KilledVerb.all.first)
        try node.does("release")
        let before = try node.standing()
        let instants = try node.instants(of: adopt)
        let stride = max(1, instants.count / Self.most)
        var (tried, kills) = (0, 0)
        for index in Swift.stride(from: Self.seed % stride, to: instants.count, by: stride) {
            try node.does("release")
            tried += 1
            if try node.kill(adopt, at: instants[index]) { kills += 1 }
            try node.does("release")
            let unlike = Set(try node.standing().keys).symmetricDifference(before.keys)
            #expect(unlike.isEmpty, "killed before \(instants[index].call) \(instants[index].number)")
            try node.verify()
        }
        #expect(kills > tried / 2, "\(kills) of \(tried)")
    }
}
