/* SPDX-License-Identifier: MIT */
#include "winsock/thread.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "winsock/monitor.h"

struct thread {
	unsigned int references;
	bool ended;
	struct apc *first;
	struct apc **last;
};

/* Initial-exec as everywhere: no allocation behind the program's back. */
static __thread struct thread *self;
static __thread unsigned int depth;

static pthread_key_t key;
static bool key_made;

static void
drop_queue(struct thread *thread)
{
	while (thread->first) {
		struct apc *apc = thread->first;

		thread->first = apc->next;
		apc->drop(apc);
	}
	thread->last = &thread->first;
}

/* Only the thread that forked goes on in the child, and what was queued to it
 * belongs to the parent's requests. */
static void
forget_queue(void)
{
	if (self)
		drop_queue(self);
}

/* Called by the C library when a thread that has one of these ends. */
static void
end(void *value)
{
	struct thread *thread = value;

	monitor_enter();
	thread->ended = true;
	drop_queue(thread);
	self = NULL;
	thread_let_go(thread);
	monitor_leave();
}

struct thread *
thread_self(void)
{
	struct thread *thread;

	if (self)
		return thread_again(self);
	if (!key_made && pthread_key_create(&key, end) != 0)
		return NULL;
	key_made = true;
	monitor_in_child(forget_queue);
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->last = &thread->first;
	thread->references = 1; /* the thread's own */
	if (pthread_setspecific(key, thread) != 0) {
		free(thread);
		return NULL;
	}
	self = thread;
	return thread_again(thread);
}

struct thread *
thread_again(struct thread *thread)
{
	thread->references++;
	return thread;
}

void
thread_let_go(struct thread *thread)
{
	if (--thread->references == 0)
		free(thread);
}

bool
thread_is_self(const struct thread *thread)
{
	return thread == self;
}

bool
thread_queue(struct thread *thread, struct apc *apc)
{
	if (thread->ended)
		return false;
	apc->next = NULL;
	*thread->last = apc;
	thread->last = &apc->next;
	monitor_wake();
	return true;
}

bool
thread_run_queue(void)
{
	bool any = false;

	while (self && self->first) {
		struct apc *apc = self->first;

		self->first = apc->next;
		if (!self->first)
			self->last = &self->first;
		any = true;
		monitor_leave();
		depth++;
		apc->run(apc);
		depth--;
		monitor_enter();
	}
	return any;
}

bool
thread_in_routine(void)
{
	return depth > 0;
}
