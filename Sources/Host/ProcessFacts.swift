internal import Glibc
public import Model

/// What /proc tells of a running process and of the executable that it was started from.
public struct ProcessFacts: Hashable, Sendable {
    /// Its process id.
    public var process: Int32
    /// The name that the kernel has for it, at most 15 bytes.
    public var name: String
    /// Nanoseconds since boot, suspension included; a clock tick exact.
    public var startedSinceBoot: Int64
    /// Nanoseconds since the epoch, by what the clock says now: it moves where the clock is set.
    public var started: Int64
    /// The executable's path as it was when it was opened.
    public var executable: String
    /// Whether that path no longer leads to the executable: it was removed, or another file renamed over it.
    public var isDeleted: Bool
    /// The executable's own identity, deleted or not.
    public var identity: FileIdentity

    /// Opens the executable itself, even where its file has been deleted since.
    public var openablePath: String { "/proc/\(process)/exe" }

    /// The grain of the start times, in nanoseconds.
    public static var grain: Int64 { 1_000_000_000 / max(Int64(sysconf(Int32(_SC_CLK_TCK))), 1) }

    /// Looks at a process.
    ///
    /// - Throws: `HostError` where it has ended, is a thread of the kernel, or is somebody else's.
    public init(process: Int32) throws(HostError) {
        self.process = process
        let directory = "/proc/\(process)"
        (name, startedSinceBoot) = try Self.start(of: process)
        // Between the two readings lie microseconds, far below a tick.
        started = Self.clock(CLOCK_REALTIME) - (Self.clock(CLOCK_BOOTTIME) - startedSinceBoot)
        let link = try readLink("\(directory)/exe")
        let mark = " (deleted)"
        isDeleted = link.hasSuffix(mark)
        executable = isDeleted ? String(link.dropLast(mark.count)) : link
        identity = try Host.identity(ofFile: "\(directory)/exe")
    }

    /// A process's name and when it started, in nanoseconds since boot: with its number, what tells it from any other.
    ///
    /// - Throws: `HostError` where it has ended.
    static func start(of process: Int32) throws(HostError) -> (name: String, sinceBoot: Int64) {
        let file = "/proc/\(process)/stat"
        guard let parsed = parse(stat: try readFile(file, limit: 4096)) else {
            throw HostError(description: "\(file): not the line that the kernel writes")
        }
        let (start, overflow) = parsed.startTicks.multipliedReportingOverflow(by: grain)
        guard !overflow else { throw HostError(description: "\(file): a start time out of range") }
        return (parsed.name, start)
    }

    /// Reads the name and the start time out of /proc/PID/stat (proc(5)); nil where it is no such line.
    ///
    /// The name stands in parentheses and may itself hold any of `)`, spaces and line ends.
    static func parse(stat line: [UInt8]) -> (name: String, startTicks: Int64)? {
        guard let open = line.firstIndex(of: UInt8(ascii: "(")),
            let close = line.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        let fields = line[(close + 1)...].split(separator: UInt8(ascii: " "))
        // The state behind the name is field 3, the start time field 22.
        guard fields.count > 19, let ticks = Int64(String(decoding: fields[19], as: UTF8.self)), ticks >= 0
        else {
            return nil
        }
        return (String(decoding: line[(open + 1)..<close], as: UTF8.self), ticks)
    }

    private static func clock(_ id: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(id, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension HostError {
    /// Whether it says that this user may not do that.
    public var isDenial: Bool { code == EACCES || code == EPERM }
}
