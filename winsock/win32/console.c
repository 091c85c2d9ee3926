/* SPDX-License-Identifier: MIT */
/*
 * SetConsoleCtrlHandler. A routine may do anything there, so it cannot run in
 * a signal's handler: that counts the signal and posts to a thread of ours,
 * which calls the routines. A program without routines has no such thread.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "windows.h"

static const struct {
	int signal;
	DWORD event;
	bool ends; /* whatever the routines say */
} events[] = {
	{SIGINT, CTRL_C_EVENT, false},
	{SIGQUIT, CTRL_BREAK_EVENT, false},
	{SIGHUP, CTRL_CLOSE_EVENT, true},
	{SIGTERM, CTRL_SHUTDOWN_EVENT, true},
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

struct routine {
	struct routine *next;
	PHANDLER_ROUTINE call;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct routine *routines; /* the last one first */
static bool working;
static sem_t posted;
static struct sigaction actions_before[EVENTS];
static _Atomic unsigned int counts[EVENTS];

static void
count(int signal)
{
	int before = errno;

	for (size_t i = 0; i < EVENTS; i++)
		if (events[i].signal == signal)
			atomic_fetch_add(&counts[i], 1);
	sem_post(&posted);
	errno = before;
}

static void
set_action(int signal, void (*handler)(int))
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_RESTART,
	};

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

/* With the first routine, but for what is ignored already, as nohup has it for
 * SIGHUP. */
static void
take_signals(void)
{
	for (size_t i = 0; i < EVENTS; i++) {
		sigaction(events[i].signal, NULL, &actions_before[i]);
		if (actions_before[i].sa_handler != SIG_IGN)
			set_action(events[i].signal, count);
	}
}

/* With the last one, and in a fork's child; but not what the program has taken
 * since. */
static void
give_signals_back(void)
{
	struct sigaction now;

	for (size_t i = 0; i < EVENTS; i++) {
		sigaction(events[i].signal, NULL, &now);
		if (now.sa_handler == count)
			sigaction(events[i].signal, &actions_before[i], NULL);
	}
}

/* The routines as they are now: one of them may change the list. NULL at the
 * end. */
static PHANDLER_ROUTINE *
copy_routines(void)
{
	PHANDLER_ROUTINE *copy;
	size_t n = 0;

	pthread_mutex_lock(&lock);
	for (struct routine *r = routines; r; r = r->next)
		n++;
	copy = calloc(n + 1, sizeof(PHANDLER_ROUTINE));
	if (copy) {
		n = 0;
		for (struct routine *r = routines; r; r = r->next)
			copy[n++] = r->call;
	}
	pthread_mutex_unlock(&lock);
	return copy;
}

static bool
handled(DWORD event)
{
	PHANDLER_ROUTINE *all = copy_routines();
	bool done = false;

	for (size_t i = 0; all && all[i] && !done; i++)
		done = all[i](event);
	free(all);
	return done;
}

/* As if nobody had asked for the signal. */
static void
end_by(int signal)
{
	sigset_t only;

	set_action(signal, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, signal);
	raise(signal);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

static void *
work(void *unused)
{
	(void)unused;
	for (;;) {
		while (sem_wait(&posted) < 0)
			;
		for (size_t i = 0; i < EVENTS; i++) {
			if (atomic_load(&counts[i]) == 0)
				continue;
			atomic_fetch_sub(&counts[i], 1);
			if (!handled(events[i].event) || events[i].ends)
				end_by(events[i].signal);
			break;
		}
	}
	return NULL;
}

/* The thread that would call the routines is not in a fork's child. Windows'
 * children have none of their parent's routines either. */
static void
forget(void)
{
	pthread_mutex_init(&lock, NULL);
	if (routines)
		give_signals_back();
	while (routines) {
		struct routine *first = routines;

		routines = first->next;
		free(first);
	}
	for (size_t i = 0; i < EVENTS; i++)
		atomic_store(&counts[i], 0);
	working = false;
}

static bool
start_worker(void)
{
	static bool told;
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	if (working)
		return true;
	if (!told)
		pthread_atfork(NULL, NULL, forget);
	told = true;
	sem_init(&posted, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	working = pthread_create(&thread, NULL, work, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (working)
		pthread_detach(thread);
	return working;
}

/* Each returns 0 or the error. */

static DWORD
add(PHANDLER_ROUTINE call)
{
	struct routine *routine = malloc(sizeof(*routine));

	if (!routine || !start_worker()) {
		free(routine);
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	*routine = (struct routine){.next = routines, .call = call};
	routines = routine;
	if (!routine->next)
		take_signals();
	return 0;
}

static DWORD
take_away(PHANDLER_ROUTINE call)
{
	struct routine **at = &routines;
	struct routine *found;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	found = *at;
	if (!found)
		return ERROR_INVALID_PARAMETER;
	*at = found->next;
	free(found);
	if (!routines)
		give_signals_back();
	return 0;
}

static DWORD
ignore(bool on)
{
	set_action(SIGINT, on ? SIG_IGN : routines ? count : SIG_DFL);
	return 0;
}

BOOL WINAPI
SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add)
{
	int before = errno;
	DWORD code;

	pthread_mutex_lock(&lock);
	if (!HandlerRoutine)
		code = ignore(Add);
	else if (Add)
		code = add(HandlerRoutine);
	else
		code = take_away(HandlerRoutine);
	pthread_mutex_unlock(&lock);
	errno = before;
	if (code)
		SetLastError(code);
	return code == 0;
}
