#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

// glibc has this since 2.36 only; the release is to run with 2.35.
int clinux_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int clinux_memory_file(void) { return memfd_create("holdfast", MFD_CLOEXEC); }

int clinux_spawn(pid_t *process, const char *path, char *const *arguments, char *const *environment, int input,
                 int output, int errors) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = input < 0 ? posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
                          : posix_spawn_file_actions_adddup2(&files, input, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (!error) error = posix_spawn_file_actions_adddup2(&files, errors, 2);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    if (!error) error = posix_spawn(process, path, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

int clinux_wait(pid_t process, int *outcome) {
    int status;
    pid_t got;
    do got = waitpid(process, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got != process) return 0;
    *outcome = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return 1;
}

long clinux_clock_max_error(void) {
    struct timex clock = {0};
    return adjtimex(&clock) < 0 ? -1 : clock.maxerror;
}

const void *clinux_find(const void *bytes, size_t count, const void *needle, size_t needle_count) {
    return memmem(bytes, count, needle, needle_count);
}

int clinux_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int clinux_terminal_columns(int descriptor) {
    struct winsize size = {0};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int clinux_clone(int to, int from) { return ioctl(to, FICLONE, from); }

int clinux_copy_label(const char *from, int to) {
    char label[4096];
    ssize_t count = getxattr(from, "security.selinux", label, sizeof label);
    if (count < 0) return errno == ENODATA || errno == ENOTSUP || errno == ENOENT ? 0 : -1;
    return fsetxattr(to, "security.selinux", label, (size_t)count, 0);
}

int clinux_is_immutable(int file) {
    int flags = 0;
    if (ioctl(file, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    return flags & FS_IMMUTABLE_FL ? 1 : 0;
}

int clinux_set_immutable(int file, int immutable) {
    int flags = 0;
    if (ioctl(file, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    int wanted = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return wanted == flags ? 0 : ioctl(file, FS_IOC_SETFLAGS, &wanted);
}

int clinux_may_change_flags(void) { return prctl(PR_CAPBSET_READ, CAP_LINUX_IMMUTABLE) == 1; }
