/* SPDX-License-Identifier: MIT */
/* File locks that are in the way, and the kernel's list of all. */
#ifndef PORTRES_BENCH_LOCKS_H
#define PORTRES_BENCH_LOCKS_H

/* This many locks in all from now on, of files in the directory. */
void lock_files(const char *directory, int count);

/* One reading of the list. */
void read_locks(void);

#endif
