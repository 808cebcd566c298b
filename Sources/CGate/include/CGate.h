#pragma once

// What the gate needs of Linux and Swift's Glibc does not offer. Apart from CLinux, since the gate stays without Host.

// Swaps what two names of one file system stand for; 0, or -1 and errno where the file system cannot.
int cgate_exchange(const char *_Nonnull one, const char *_Nonnull other);

// Gives a file the SELinux label of another; nothing where there are no labels. 0, or -1 and errno.
int cgate_copy_label(const char *_Nonnull from, int to);
