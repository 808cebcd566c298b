#pragma once
#include <stddef.h>

/// Has every look at the time of day, and at the time since boot, find it so many seconds later than before; and has the
/// kernel's clock say that it is right.
void tick_clock_advance(long seconds);

/// Bytes that are allocated and not freed.
size_t tick_clock_allocated(void);

/// Loses an allocation of so many bytes.
void tick_clock_lose(size_t bytes);
