/* SPDX-License-Identifier: MIT */
/* Programs that are started, one after the other. */
#ifndef PORTRES_BENCH_STARTS_H
#define PORTRES_BENCH_STARTS_H

/* Nanoseconds of one start and its end; `library` NULL: without one. */
double time_starts(const char *library, const char *pool, const char *path,
		   char *const argv[]);

/* The main() of a program that is started for its first bind. */
int bind_once(void);

#endif
