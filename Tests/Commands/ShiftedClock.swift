import FoundationEssentials
import Host
import Testing

/// A clock for the built program that says of itself that it is right, and that can be days ahead of this machine's.
///
/// What is old is dropped only by a clock that is synchronised, which that of a build machine need not be.
struct ShiftedClock {
    private let library: String

    private static let source = """
        #define _GNU_SOURCE
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/timex.h>
        #include <time.h>
        #include <unistd.h>
        int adjtimex(struct timex *clock) { clock->maxerror = 1000; return 0; }
        int clock_gettime(clockid_t id, struct timespec *time) {
            int result = (int)syscall(SYS_clock_gettime, id, time);
            const char *days = getenv("HOLDFAST_TEST_DAYS");
            if (result == 0 && id == CLOCK_REALTIME && days != NULL) time->tv_sec += atol(days) * 86400;
            return result;
        }
        time_t time(time_t *seconds) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (seconds != NULL) *seconds = now.tv_sec;
            return now.tv_sec;
        }
        """

    /// - Parameter directory: where it is built; it lasts as long as that does.
    init(in directory: String) throws {
        library = directory + "/clock.so"
        let source = directory + "/clock.c"
        try Data(Self.source.utf8).write(to: URL(filePath: source))
        let outcome = try runProcess(
            ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library, source],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], timeout: 60_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
    }

    /// The environment of a program that runs so many days from now.
    func environment(days: Int) -> [String: String] {
        ["LD_PRELOAD": library, "HOLDFAST_TEST_DAYS": "\(days)"]
    }
}

extension SampleNode {
    /// Runs a verb that looks at this node by another clock, so many days from now.
    func holdfast(_ words: String..., by clock: ShiftedClock, days: Int) throws -> Answer {
        try Self.run(
            words + ["--root", root, "--policy", policy, "--state", state],
            environment: clock.environment(days: days))
    }
}
