/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_BENCH_H
#define PORTRES_BENCH_H

#include <sys/types.h>

#define ROUNDS 101
#define BENCH_FREE_PORT 20999
#define BENCH_BLOCK 20100
#define BENCH_CROWD 2000 /* the crowd's ports begin here, one a block */

#define NO_LIMIT 1e9 /* only told */

_Noreturn void die(const char *why);
double now(void);		       /* nanoseconds */
double typical(double values[ROUNDS]); /* of the best tenth */
void print_row(const char *name, double ours, double bare, double limit);

/* The two alternate there, with the same caches. */
void stay_on_one_processor(void);

/* Reserves a block for the socket, or dies. */
void take(int fd, int start, int count);
/* One port in the middle of the ephemeral range. */
void take_ephemeral(int fd);

/* This many one-port blocks, UDP, each on a socket of its own. */
void hold_blocks(int count);

/* A child that has done it, and stays; and the end of one. */
pid_t start_child(void (*act)(void *what), void *what);
void end_process(pid_t pid);

/* Holds blocks in a child process, until end_child(). */
void keep_blocks_in_child(int count);
void end_child(void);

/* An acquire of one port and the close of its socket, mean of `times`. */
double time_one_acquire(int times);

#endif
