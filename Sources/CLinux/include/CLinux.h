#pragma once
#include <stddef.h>
#include <sys/types.h>

// What Linux and glibc offer and Swift cannot import: variadic calls, macros, what hides behind _GNU_SOURCE.

// A descriptor that becomes readable when the process ends; -1 and errno where there is none.
int clinux_pidfd_open(pid_t process);

// An open file that lies in memory alone and is closed when another program is started; -1 and errno where it cannot be.
int clinux_memory_file(void);

// Starts a program in a session of its own, with /dev/null as its input where `input` is -1, and every other
// descriptor closed. 0, or the error that posix_spawn gave.
int clinux_spawn(pid_t *_Nonnull process, const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
                 char *_Nullable const *_Nonnull environment, int input, int output, int errors);

// Waits for a process: its exit code, or minus the signal that ended it. False and errno where it is not a child.
int clinux_wait(pid_t process, int *_Nonnull outcome);

// The kernel's bound on the clock's error in microseconds, or -1 and errno.
long clinux_clock_max_error(void);

// Where `needle` first is, or NULL.
const void *_Nullable clinux_find(const void *_Nonnull bytes, size_t count, const void *_Nonnull needle,
                                  size_t needle_count);

// Gives each of two files of one file system the other's name, at one instant. 0, or -1 and errno.
int clinux_exchange(const char *_Nonnull one, const char *_Nonnull other);

// The columns of a terminal, or 0.
int clinux_terminal_columns(int descriptor);

// Gives an open file the bytes of another by sharing them (reflink); -1 and errno where the file system cannot.
int clinux_clone(int to, int from);

// Whether an open file is immutable: 1 or 0, -1 and errno where its file system has no flags.
int clinux_is_immutable(int file);

// Makes an open file immutable or not; its other flags stay. 0, or -1 and errno.
int clinux_set_immutable(int file, int immutable);

// Whether this process could ever change immutable flags (CAP_LINUX_IMMUTABLE in its bounding set).
int clinux_may_change_flags(void);

// Gives an open file the SELinux label of a path; 0 also where there is none.
int clinux_copy_label(const char *_Nonnull from, int to);
