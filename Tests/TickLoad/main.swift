// Ticks many times in one process, by a clock that is moved on, and prints what the process holds and what lies in the
// state directory. Tests/Commands/TickLoadTests.swift runs it. It is no part of the product.
//
// usage: tick-load DIRECTORY STORY TICKS SECONDS EVERY [LOSE]
// SECONDS: from tick to tick; EVERY: ticks from line to line; LOSE: bytes that each tick is to lose, to see it found.

@preconcurrency import Glibc
import TickClock

/// Leaves standard output to the verbs, which say what nobody reads, and gives back where lines go.
func takeOutput() throws -> Int32 {
    let lines = dup(STDOUT_FILENO)
    let nowhere = open("/dev/null", O_WRONLY)
    guard lines >= 0, nowhere >= 0, dup2(nowhere, STDOUT_FILENO) >= 0 else {
        throw Trouble("standard output cannot be taken: \(errno)")
    }
    close(nowhere)
    return lines
}

func line(after tick: Int, of node: Node) throws -> String {
    let figures = try Figures()
    let sizes = try Figures.sizes(in: node.state).map { "\($0.name)=\($0.bytes)/\($0.files)" }
    return "tick=\(tick) resident=\(figures.resident) descriptors=\(figures.descriptors) "
        + "allocated=\(figures.allocated) \(sizes.joined(separator: " "))\n"
}

do {
    let words = Array(Swift.CommandLine.arguments.dropFirst())
    let numbers = words.dropFirst(2).compactMap(Int.init)
    guard words.count == numbers.count + 2, (3...4).contains(numbers.count), let story = Story.all[words[1]],
        numbers.allSatisfy({ $0 > 0 })
    else { throw Trouble("usage: tick-load DIRECTORY STORY TICKS SECONDS EVERY [LOSE]") }
    let (ticks, seconds, every) = (numbers[0], numbers[1], numbers[2])
    let lines = try takeOutput()
    let node = try Node(words[0])
    try story.beginning(node)
    var day = 0
    for tick in 1...ticks {
        do {
            try node.check()
            for move in story.moves where tick % move.every == move.at % move.every { try move.act(node) }
            while day < tick * seconds / 86400 {
                day += 1
                for move in story.daily where day % move.every == move.at % move.every { try move.act(node) }
            }
            if tick % every == 0 {
                let text = try line(after: tick, of: node)
                guard write(lines, text, text.utf8.count) == text.utf8.count else {
                    throw Trouble("nobody reads")
                }
            }
        } catch { throw Trouble("tick \(tick): \(error)") }
        if numbers.count == 4 {
            tick_clock_lose(numbers[3])
            _ = open("/dev/null", O_RDONLY)
        }
        tick_clock_advance(seconds)
    }
    // Whoever looks for leaks finds none of its own.
    close(lines)
} catch {
    fputs("tick-load: \(error)\n", stderr)
    exit(1)
}
