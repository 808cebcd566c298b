internal import CLinux
internal import Glibc

/// How a program ended and what it wrote.
public struct ProcessOutcome: Hashable, Sendable {
    /// The ways in which a program ends.
    public enum End: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// It took too long and was killed, with all that it had started.
        case timedOut
    }

    /// How it ended.
    public var end: End
    /// What it wrote to standard output, up to the limit.
    public var output: [UInt8]
    /// What it wrote to standard error, up to the limit.
    public var errors: [UInt8]
    /// Whether more was written than is kept.
    public var isCut: Bool

    /// Whether it exited with 0.
    public var succeeded: Bool { end == .exited(0) }
}

/// Runs a program to its end.
///
/// It runs in a session of its own, and with no more of this process than is given here. What it leaves running
/// in the background is not waited for; what it started is killed with it where time runs out.
///
/// - Parameters:
///   - arguments: the first is the program's absolute path.
///   - environment: all of it.
///   - input: what it can read, from a file in memory; nil for nothing.
///   - timeout: in milliseconds.
///   - outputLimit: in bytes, for each of the two outputs; what is written beyond is read and dropped.
/// - Throws: `HostError` where the program cannot be started.
public func runProcess(
    _ arguments: [String], environment: [String: String] = [:], input: [UInt8]? = nil, timeout: Int,
    outputLimit: Int = 1 << 20
) throws(HostError) -> ProcessOutcome {
    guard let path = arguments.first, path.hasPrefix("/") else {
        throw HostError(
            code: EINVAL, description: "\(arguments.first ?? ""): not an absolute path of a program")
    }
    let start = monotonicMilliseconds()
    var output = try Capture(limit: outputLimit)
    var errors = try Capture(limit: outputLimit)
    let source = try Source(input)
    let process = try spawn(arguments, environment, source.number, output.writeEnd, errors.writeEnd)
    output.closeWriteEnd()
    errors.closeWriteEnd()
    let ended = clinux_pidfd_open(process)
    guard ended >= 0 else {
        let error = HostError.failed("waited for", path)
        _ = kill(-process, SIGKILL)
        var outcome: Int32 = 0
        _ = clinux_wait(process, &outcome)
        throw error
    }
    let watch = Descriptor(owning: ended)

    var hasTimedOut = false
    while true {
        let left = timeout - (monotonicMilliseconds() - start)
        if left <= 0, !hasTimedOut {
            hasTimedOut = true
            _ = kill(-process, SIGKILL)
        }
        var waits = [
            pollfd(fd: watch.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors.readEnd, events: Int16(POLLIN), revents: 0),
        ]
        // Once killed it ends as soon as the kernel lets it; there is nothing else to be done.
        let patience = hasTimedOut ? -1 : Int32(clamping: left)
        if poll(&waits, nfds_t(waits.count), patience) < 0, errno != EINTR {
            _ = kill(-process, SIGKILL)
            break
        }
        // The order matters: whoever has ended writes no more, so that what is read then is all.
        let hasEnded = waits[0].revents != 0
        output.drain()
        errors.drain()
        if hasEnded { break }
    }
    var outcome: Int32 = 0
    guard clinux_wait(process, &outcome) != 0 else { throw HostError.failed("waited for", path) }
    return ProcessOutcome(
        end: hasTimedOut ? .timedOut : outcome < 0 ? .signalled(-outcome) : .exited(outcome),
        output: output.bytes, errors: errors.bytes, isCut: output.isCut || errors.isCut)
}

private func spawn(
    _ arguments: [String], _ environment: [String: String], _ input: Int32, _ output: Int32, _ errors: Int32
) throws(HostError) -> pid_t {
    var argumentPointers = arguments.map { strdup($0) }
    var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") }
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
    argumentPointers.append(nil)
    environmentPointers.append(nil)
    var process: pid_t = 0
    let error = clinux_spawn(
        &process, arguments[0], argumentPointers, environmentPointers, input, output, errors)
    guard error == 0 else { throw HostError.failed("started", arguments[0], code: error) }
    return process
}

private func monotonicMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
}

/// What a program reads: unlike a pipe, a file takes all of it at once, whether it is ever read or not.
private struct Source: ~Copyable {
    /// -1 for nothing.
    let number: Int32

    init(_ bytes: [UInt8]?) throws(HostError) {
        guard let bytes else {
            number = -1
            return
        }
        let file = clinux_memory_file()
        guard file >= 0 else { throw HostError.failed("made", "a file in memory") }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = HostError.failed("written", "a file in memory")
                close(file)
                throw error
            }
            done += count
        }
        number = file
    }

    deinit { if number >= 0 { close(number) } }
}

/// A pipe that a program writes to, and what was read from it.
private struct Capture: ~Copyable {
    private(set) var bytes: [UInt8] = []
    private(set) var isCut = false
    private let read: Descriptor
    /// -1 once it is closed here.
    private(set) var writeEnd: Int32
    private let limit: Int
    private var isOpen = true

    init(limit: Int) throws(HostError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostError.failed("made", "a pipe") }
        read = Descriptor(owning: ends[0])
        writeEnd = ends[1]
        self.limit = limit
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    }

    deinit { if writeEnd >= 0 { close(writeEnd) } }

    /// What to wait for; -1, which poll ignores, once everybody has closed the other end.
    var readEnd: Int32 { isOpen ? read.number : -1 }

    mutating func closeWriteEnd() {
        close(writeEnd)
        writeEnd = -1
    }

    /// Takes what is there, but no more than the largest pipe holds: a program that never stops must run out of time.
    mutating func drain() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<16 where isOpen {
            let count = Glibc.read(read.number, &buffer, buffer.count)
            if count == 0 { isOpen = false }
            guard count > 0 else { return }
            let kept = min(count, limit - bytes.count)
            bytes += buffer[..<kept]
            if kept < count { isCut = true }
        }
    }
}
