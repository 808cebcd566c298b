import FoundationEssentials
import Host
import Ledger
import Model
import Ports
import Testing

@Suite("How far long work is")
struct ProgressTests {
    /// A ledger that takes long enough to be told of.
    private static func node() throws -> SampleNode {
        let node = try SampleNode()
        let reading = ClockReading(
            now: Instant(seconds: 1_700_000_000), monotonic: 1, bootID: "b", synchronised: true)
        let ledger = try Ledger.open(stateDirectory: node.state, reading: reading)
        var state = NodeState()
        let events = (0..<20_000).map { Event.paused(Pause(until: reading.now, reason: "\($0)")) }
        for event in events { state.apply(event, at: reading.now) }
        try ledger.append(events, reading: reading, state: state)
        return node
    }

    @Test("is a line a quarter where nobody reads along, apart from what was asked for")
    func piped() throws {
        let node = try Self.node()
        let answer = try SampleNode.run(["verify", "--state", node.state, "--output", "json"])
        #expect(answer.code == 0 && answer.output.hasPrefix("{"), "\(answer)")
        let lines = answer.errors.split(separator: "\n")
        let percents = lines.compactMap { Int($0.split(separator: " ")[1]) }
        #expect(percents.count == 4 && percents.map { $0 / 25 } == [1, 2, 3, 4], "\(lines)")
        #expect(lines.last == "checked 100 % of 20001 entries")
        let merged = try SampleNode.run(["merge", node.state]).errors
        #expect(merged.contains("\(node.state)/ledger.db: checked 100 % of 20001 entries\n"), "\(merged)")
        // No decision is in it, so nothing is made again; what is asked of another process has no progress to show.
        let replayed = try SampleNode.run(["replay", "--all", "--state", node.state]).errors
        #expect(replayed == "made again 100 % of 20001 entries\n")
    }

    @Test("is a bar on a terminal, which comes to its end")
    func typed() throws {
        let node = try Self.node()
        for (columns, bar) in [(80, "[####################] "), (40, "")] {
            let outcome = try runProcess(
                [
                    "/bin/sh", "-c",
                    #"script -qec "stty cols $2; $0 verify --state $1 >/dev/null" /dev/null"#,
                    SampleNode.program, node.state, "\(columns)",
                ], environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"], timeout: 60_000
            )
            let output = String(decoding: outcome.output, as: UTF8.self)
            let states = output.split { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
            #expect(states.count > 10, "\(output)")
            #expect(states.last ?? "" == bar + "checked 100 % of 20001 entries", "\(output)")
            #expect(output.hasSuffix("\r\n") && states.allSatisfy { $0.count < columns }, "\(output)")
        }
    }

    @Test("is not told where the work is short")
    func short() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        #expect(try SampleNode.run(["verify", "--state", node.state]).errors.isEmpty)
    }
}
