/* SPDX-License-Identifier: MIT */
#include "winsock/thread.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "winsock/monitor.h"

struct thread {
	struct thread *next;
	struct thread **at; /* that points to it */
	unsigned int references;
	uint32_t id;
	uint32_t code;
	bool ended;
	bool suspended;
	struct handle *mutexes;
	struct apc *first;
	struct apc **last;
};

/* Initial-exec as everywhere: no allocation behind the program's back. */
static __thread struct thread *self;
static __thread unsigned int depth;

static struct thread *threads;
static pthread_key_t key;
static bool key_made;
static void (*tell_of_end)(struct thread *thread);

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

static void
end(struct thread *thread)
{
	thread->ended = true;
	drop_queue(thread);
	if (tell_of_end)
		tell_of_end(thread);
}

static struct thread *
next_other(void)
{
	struct thread *at = threads;

	while (at && (at->ended || at == self))
		at = at->next;
	return at;
}

/* Only the thread that forked goes on in the child, and what was queued to it
 * belongs to the parent's requests. */
static void
end_others(void)
{
	struct thread *other;

	while ((other = next_other())) {
		thread_again(other);
		end(other);
		thread_let_go(other);
	}
	if (self) {
		drop_queue(self);
		self->id = (uint32_t)gettid();
	}
}

/* Called by the C library when a thread that has one of these ends. */
static void
ended(void *value)
{
	monitor_enter();
	end(value);
	self = NULL;
	monitor_wake();
	thread_let_go(value);
	monitor_leave();
}

static bool
make_key(void)
{
	if (!key_made && pthread_key_create(&key, ended) != 0)
		return false;
	key_made = true;
	monitor_in_child(end_others);
	return true;
}

struct thread *
thread_make(void)
{
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->last = &thread->first;
	thread->references = 1;
	thread->next = threads;
	thread->at = &threads;
	if (threads)
		threads->at = &thread->next;
	threads = thread;
	return thread;
}

bool
thread_become(struct thread *thread)
{
	if (!make_key() || pthread_setspecific(key, thread) != 0)
		return false;
	thread->id = (uint32_t)gettid();
	self = thread_again(thread);
	return true;
}

struct thread *
thread_self(void)
{
	struct thread *thread;

	if (self)
		return thread_again(self);
	thread = thread_make();
	if (thread && !thread_become(thread)) {
		thread_let_go(thread);
		return NULL;
	}
	return thread;
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
	if (--thread->references > 0)
		return;
	*thread->at = thread->next;
	if (thread->next)
		thread->next->at = thread->at;
	free(thread);
}

void
thread_set_code(struct thread *thread, uint32_t code)
{
	thread->code = code;
}

bool
thread_ended(const struct thread *thread, uint32_t *ret_code)
{
	*ret_code = thread->code;
	return thread->ended;
}

uint32_t
thread_id(const struct thread *thread)
{
	return thread->id;
}

void
thread_suspend(struct thread *thread, bool suspended)
{
	thread->suspended = suspended;
}

uint32_t
thread_suspensions(const struct thread *thread)
{
	return thread->suspended;
}

struct handle **
thread_mutexes(struct thread *thread)
{
	return &thread->mutexes;
}

void
thread_at_end(void (*tell)(struct thread *thread))
{
	tell_of_end = tell;
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
thread_has_queue(const struct thread *thread)
{
	return thread->first;
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
