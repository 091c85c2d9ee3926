/* SPDX-License-Identifier: MIT */
/*
 * Threads as those see them who send routines to them: a queue that the
 * thread itself works off when it waits alertably.
 */
#ifndef PORTRES_WINSOCK_THREAD_H
#define PORTRES_WINSOCK_THREAD_H

#include <stdbool.h>

struct thread;

/* Belongs to whoever queues it, until `run`, which runs outside the monitor
 * and frees it, or `drop`, inside, when the thread ended before. */
struct apc {
	struct apc *next;
	void (*run)(struct apc *apc);
	void (*drop)(struct apc *apc);
};

/*
 * These are called inside the monitor.
 */

/* The calling thread, with a reference; NULL without memory. */
struct thread *thread_self(void);
/* With one reference more. */
struct thread *thread_again(struct thread *thread);
void thread_let_go(struct thread *thread);
bool thread_is_self(const struct thread *thread);

/* False when the thread has ended; then nothing was queued. */
bool thread_queue(struct thread *thread, struct apc *apc);

/* Runs all that is queued to the calling thread, leaving the monitor
 * meanwhile. False when there was nothing. */
bool thread_run_queue(void);

/* Is the calling thread inside a routine? Needs no monitor. */
bool thread_in_routine(void);

#endif
