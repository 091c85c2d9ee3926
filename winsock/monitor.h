/* SPDX-License-Identifier: MIT */
/*
 * One lock for all that Winsock keeps between calls: handles, queues of
 * routines, pending requests.
 *
 * Never held while a routine of the program runs or the pool is waited for.
 */
#ifndef PORTRES_WINSOCK_MONITOR_H
#define PORTRES_WINSOCK_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MONITOR_FOR_EVER UINT64_MAX

/* Inside, no thread is cancelled: it would leave the lock behind. */
void monitor_enter(void);
void monitor_leave(void);

/* For a system call in between, whose end must not be missed: one does not come
 * to a thread that is cancelled. */
void monitor_go_out(void);
void monitor_come_back(void);

/* Something that others may wait for has changed. */
void monitor_wake(void);

/*
 * Leaves, waits to be woken, enters again. False once the time, as of
 * monitor_clock(), has come. It may return true for no reason.
 */
bool monitor_wait(uint64_t until);

/* The same with a condition of the caller's own, which is made by the second,
 * again in the child of a fork. */
bool monitor_wait_for(pthread_cond_t *condition, uint64_t until);
void monitor_condition(pthread_cond_t *condition);
/*
 * Leaves, waits until `there(what)` is true, enters again. False when the time
 * has come before. Others ask for us, in the order of arrival and inside, each
 * time that something changes, and never again after the first true: what
 * `there` takes then is the caller's, though a change may follow at once. It
 * must not wake.
 */
bool monitor_await(bool (*there)(void *what), void *what, uint64_t until);

/* Nanoseconds of a clock that nobody sets, and that clock in `ms`. */
uint64_t monitor_clock(void);
uint64_t monitor_after(uint32_t ms);

/* Inside, as often as one likes: has it called in the child of a fork, inside.
 * There is room for MONITOR_CHILDREN of them. */
#define MONITOR_CHILDREN 12
void monitor_in_child(void (*forget)(void));

#endif
