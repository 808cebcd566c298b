internal import CLinux
internal import Glibc
public import Model
public import Ports

/// The kernel's clocks.
public struct SystemClock: Clock, Sendable {
    /// No process outlives a boot.
    private static let bootID: String = {
        let id = try? readFile("/proc/sys/kernel/random/boot_id", limit: 64)
        return String(decoding: id ?? [], as: UTF8.self).filter { !$0.isWhitespace }
    }()

    /// Makes a clock.
    public init() {}

    /// What the kernel says now; the boot id is empty where /proc cannot be read.
    public func read() -> ClockReading {
        ClockReading(
            now: Instant(seconds: Int64(time(CLOCK_REALTIME).tv_sec)),
            monotonic: nanoseconds(time(CLOCK_BOOTTIME)),
            bootID: Self.bootID,
            synchronised: isSynchronised(maxError: clinux_clock_max_error()))
    }

    private func time(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }

    private func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// timedated's NTPSynchronized: the kernel's error bound is under 16 s (`ntp_synced` in systemd's time-util).
///
/// STA_UNSYNC is not asked, since it is also set to keep the kernel from the hardware clock.
///
/// - Parameter maxError: in microseconds; negative where the kernel would not tell.
func isSynchronised(maxError: Int) -> Bool? {
    maxError < 0 ? nil : maxError < 16_000_000
}
