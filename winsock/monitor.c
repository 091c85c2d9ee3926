/* SPDX-License-Identifier: MIT */
#include "winsock/monitor.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <time.h>

#include "windows.h"

#define NS 1000000000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A thread in monitor_await(), on its stack. */
struct sleeper {
	struct sleeper *next;
	bool (*there)(void *what);
	void *what;
	bool served;
	pthread_cond_t condition;
};

static struct sleeper *first;
static struct sleeper **last = &first;

void
monitor_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void (*in_child[MONITOR_CHILDREN])(void);

void
monitor_in_child(void (*forget)(void))
{
	int i = 0;

	while (in_child[i] && in_child[i] != forget)
		i++;
	in_child[i] = forget;
}

static void
before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void
after_fork_in_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* The threads that waited are not in this process. */
static void
after_fork_in_child(void)
{
	monitor_condition(&changed);
	first = NULL;
	last = &first;
	for (int i = 0; i < MONITOR_CHILDREN && in_child[i]; i++)
		in_child[i]();
	pthread_mutex_unlock(&lock);
}

/*
 * This may be in a shared object that the program unloads, while a thread of
 * ours is at work and the ends of the program's threads are still told here.
 * (musl unloads nothing.)
 */
static void
stay_loaded(void)
{
#ifdef __GLIBC__
	struct link_map *map;
	Dl_info info;

	if (dladdr1(&lock, &info, (void **)&map, RTLD_DL_LINKMAP) &&
	    map->l_name[0])
		dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

static void
start(void)
{
	monitor_condition(&changed);
	stay_loaded();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* As the thread had it before it came in. Initial-exec as everywhere. */
static __thread int cancelling;

void
monitor_enter(void)
{
	int before;

	pthread_once(&once, start);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	pthread_mutex_lock(&lock);
	cancelling = before;
}

void
monitor_leave(void)
{
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancelling, NULL);
}

void
monitor_go_out(void)
{
	pthread_mutex_unlock(&lock);
}

void
monitor_come_back(void)
{
	pthread_mutex_lock(&lock);
}

void
monitor_wake(void)
{
	struct sleeper **at = &first;

	pthread_cond_broadcast(&changed);
	while (*at) {
		struct sleeper *sleeper = *at;

		if (!sleeper->there(sleeper->what)) {
			at = &sleeper->next;
			continue;
		}
		*at = sleeper->next;
		sleeper->served = true;
		pthread_cond_signal(&sleeper->condition);
	}
	last = at;
}

bool
monitor_wait(uint64_t until)
{
	return monitor_wait_for(&changed, until);
}

bool
monitor_wait_for(pthread_cond_t *condition, uint64_t until)
{
	struct timespec time = {
		.tv_sec = (time_t)(until / NS),
		.tv_nsec = (long)(until % NS),
	};

	if (until == MONITOR_FOR_EVER)
		return pthread_cond_wait(condition, &lock) == 0;
	return pthread_cond_timedwait(condition, &lock, &time) == 0;
}

static void
leave_queue(struct sleeper *sleeper)
{
	struct sleeper **at = &first;

	while (*at != sleeper)
		at = &(*at)->next;
	*at = sleeper->next;
	if (!*at)
		last = at;
}

bool
monitor_await(bool (*there)(void *what), void *what, uint64_t until)
{
	struct sleeper self = {.there = there, .what = what};
	bool time = true;

	if (there(what))
		return true;
	monitor_condition(&self.condition);
	*last = &self;
	last = &self.next;
	while (!self.served && time)
		time = monitor_wait_for(&self.condition, until);
	if (!self.served)
		leave_queue(&self);
	pthread_cond_destroy(&self.condition);
	return self.served;
}

uint64_t
monitor_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

uint64_t
monitor_after(uint32_t ms)
{
	return ms == INFINITE ? MONITOR_FOR_EVER
			      : monitor_clock() + (uint64_t)ms * 1000000;
}
