import Glibc
import Model

/// How long the gate may take, whatever happens: less than the two seconds of the wrapper around it.
enum Deadline {
    /// Nanoseconds since boot when the gate began.
    static let began = monotonic()

    /// Ends the process when it has not decided by then, so that the unit starts (invariant 3).
    static func arm() {
        var limit = itimerval()
        limit.it_value.tv_sec = 1
        limit.it_value.tv_usec = 700_000
        // The default action of SIGALRM is the end, whatever the process hangs in.
        signal(SIGALRM, SIG_DFL)
        // Whoever started us may have blocked it, as many do in their threads.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGALRM)
        sigprocmask(SIG_UNBLOCK, &set, nil)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &limit, nil)
        _ = began
    }

    /// Whether that many milliseconds have gone by.
    static func isPast(milliseconds: Int64) -> Bool { monotonic() - began > milliseconds * 1_000_000 }

    static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The wall clock.
    static func now() -> Instant { Instant(seconds: Int64(time(nil))) }
}
