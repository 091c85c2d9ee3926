/* SPDX-License-Identifier: MIT */
/*
 * Threads as others see them: a queue of routines that the thread itself works
 * off when it waits alertably, and how it ended.
 */
#ifndef PORTRES_WINSOCK_THREAD_H
#define PORTRES_WINSOCK_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct handle;
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

/* A thread that is going to start, with a reference; NULL without memory. It
 * takes another with it and becomes the calling one; false without memory. */
struct thread *thread_make(void);
bool thread_become(struct thread *thread);

/* Its end will be told with this code, which is 0 otherwise. */
void thread_set_code(struct thread *thread, uint32_t code);
bool thread_ended(const struct thread *thread, uint32_t *ret_code);

/* The kernel's number of it; 0 before it has started. */
uint32_t thread_id(const struct thread *thread);

/* Whether it was made to wait before it runs, once at most. */
void thread_suspend(struct thread *thread, bool suspended);
uint32_t thread_suspensions(const struct thread *thread);

/* The first of the mutexes that it owns, and whom to tell of its end. */
struct handle **thread_mutexes(struct thread *thread);
void thread_at_end(void (*tell)(struct thread *thread));

bool thread_is_self(const struct thread *thread);

/* False when the thread has ended; then nothing was queued. */
bool thread_queue(struct thread *thread, struct apc *apc);

/* Is anything queued? */
bool thread_has_queue(const struct thread *thread);

/* Runs all that is queued to the calling thread, leaving the monitor
 * meanwhile. False when there was nothing. */
bool thread_run_queue(void);

/* Is the calling thread inside a routine? Needs no monitor. */
bool thread_in_routine(void);

#endif
