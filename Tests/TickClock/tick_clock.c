// Stands in front of the C library's calls of the same names in the program that this is linked into.
#include "tick_clock.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static _Atomic long ahead;

void tick_clock_advance(long seconds) { ahead += seconds; }

// Deadlines are taken from CLOCK_MONOTONIC, which goes on as it is.
int clock_gettime(clockid_t id, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, id, time);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME)) time->tv_sec += ahead;
    return result;
}

// What is old is dropped only by a clock that is synchronised, which that of a build machine need not be.
int adjtimex(struct timex *clock) {
    clock->maxerror = 1000;
    return TIME_OK;
}

// There only where a sanitizer has taken the place of malloc.
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t tick_clock_allocated(void) {
    if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 all = mallinfo2();
    return all.uordblks + all.hblkhd;
}

void tick_clock_lose(size_t bytes) {
    // Written to, so that no compiler leaves it out and it takes up memory.
    char *volatile lost = malloc(bytes);
    if (lost) memset(lost, 1, bytes);
}
