/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events, mutexes, semaphores and threads, together, and for
 * routines to run. An object that is there already counts before a routine
 * that is queued, as in Windows' kernel; and as there, the thread that sets an
 * object gives it to the one that has waited longest.
 */
#include <errno.h>
#include <sched.h>
#include <time.h>

#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/mutex.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"
#include "winsock2.h"

struct wait {
	HANDLE handles[MAXIMUM_WAIT_OBJECTS];
	DWORD count;
	bool all;
	bool alertable;
	struct thread *thread;
	DWORD answer;
	int code; /* why it failed */
};

static bool
is_there(const struct handle *object, const struct thread *thread)
{
	uint32_t code;

	switch (object->kind) {
	case HANDLE_EVENT:
		return object->set;
	case HANDLE_THREAD:
		return thread_ended(object->thread, &code);
	case HANDLE_MUTEX:
		return mutex_is_free(object, thread);
	case HANDLE_SEMAPHORE:
		return object->count > 0;
	default:
		return false;
	}
}

/* Returns whether it was abandoned by its owner. */
static bool
take(struct handle *object, struct thread *thread)
{
	if (object->kind == HANDLE_EVENT && !object->manual)
		object->set = false;
	if (object->kind == HANDLE_SEMAPHORE)
		object->count--;
	return object->kind == HANDLE_MUTEX && mutex_take(object, thread);
}

static bool
take_all(struct wait *wait)
{
	bool abandoned = false;

	for (DWORD i = 0; i < wait->count; i++)
		if (take(handle_find_any(wait->handles[i]), wait->thread))
			abandoned = true;
	return abandoned;
}

/* Takes what is waited for, if it is there. */
static bool
satisfied(struct wait *wait)
{
	DWORD first = wait->count;
	DWORD there = 0;
	bool abandoned;

	for (DWORD i = wait->count; i-- > 0;) {
		const struct handle *object = handle_find_any(wait->handles[i]);

		if (!object) {
			wait->answer = WAIT_FAILED;
			wait->code = ERROR_INVALID_HANDLE;
			return true;
		}
		if (is_there(object, wait->thread)) {
			first = i;
			there++;
		}
	}
	if (there == 0 || (wait->all && there < wait->count))
		return false;
	if (wait->all)
		abandoned = take_all(wait);
	else
		abandoned = take(handle_find_any(wait->handles[first]),
				 wait->thread);
	wait->answer = (abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0) +
		       (wait->all ? 0 : first);
	return true;
}

static bool
over(void *what)
{
	struct wait *wait = what;

	if (wait->count > 0 && satisfied(wait))
		return true;
	if (!wait->alertable || !thread_has_queue(wait->thread))
		return false;
	wait->answer = WAIT_IO_COMPLETION;
	return true;
}

static DWORD
wait_failed(int code)
{
	WSASetLastError(code);
	return WAIT_FAILED;
}

static DWORD
wait_for(struct wait *wait, DWORD ms)
{
	uint64_t until = monitor_after(ms);
	int before = errno;

	monitor_enter();
	wait->thread = thread_self();
	if (!wait->thread) {
		monitor_leave();
		return wait_failed(ERROR_NOT_ENOUGH_MEMORY);
	}
	if (!(ms == 0 ? over(wait) : monitor_await(over, wait, until)))
		wait->answer = WAIT_TIMEOUT;
	if (wait->answer == WAIT_IO_COMPLETION)
		thread_run_queue();
	thread_let_go(wait->thread);
	monitor_leave();
	if (wait->answer == WAIT_FAILED)
		return wait_failed(wait->code);
	if (wait->answer != WAIT_IO_COMPLETION)
		errno = before;
	return wait->answer;
}

/* An object that is there once cannot be taken twice. */
static bool
any_twice(const struct wait *wait)
{
	for (DWORD i = 0; i < wait->count; i++)
		for (DWORD j = 0; j < i; j++)
			if (wait->handles[i] == wait->handles[j])
				return true;
	return false;
}

DWORD WINAPI
WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
			 DWORD dwMilliseconds, BOOL bAlertable)
{
	struct wait wait = {
		.count = nCount,
		.all = bWaitAll,
		.alertable = bAlertable,
	};

	if (nCount == 0 || nCount > MAXIMUM_WAIT_OBJECTS)
		return wait_failed(ERROR_INVALID_PARAMETER);
	if (usermem_read(wait.handles, lpHandles, nCount * sizeof(HANDLE)) < 0)
		return wait_failed(ERROR_NOACCESS);
	if (wait.all && any_twice(&wait))
		return wait_failed(ERROR_INVALID_PARAMETER);
	return wait_for(&wait, dwMilliseconds);
}

DWORD WINAPI
WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
		       DWORD dwMilliseconds)
{
	return WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll,
					dwMilliseconds, FALSE);
}

DWORD WINAPI
WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
{
	struct wait wait = {
		.handles = {hHandle},
		.count = 1,
		.alertable = bAlertable,
	};

	return wait_for(&wait, dwMilliseconds);
}

DWORD WINAPI
WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
	return WaitForSingleObjectEx(hHandle, dwMilliseconds, FALSE);
}

DWORD WSAAPI
WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents,
			 BOOL fWaitAll, DWORD dwTimeout, BOOL fAlertable)
{
	if (!wsa_started())
		return wait_failed(WSANOTINITIALISED);
	return WaitForMultipleObjectsEx(cEvents, lphEvents, fWaitAll, dwTimeout,
					fAlertable);
}

DWORD WINAPI
SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
	struct wait wait = {.alertable = true};

	if (bAlertable)
		return wait_for(&wait, dwMilliseconds) == WAIT_IO_COMPLETION
			       ? WAIT_IO_COMPLETION
			       : 0;
	Sleep(dwMilliseconds);
	return 0;
}

/* Nothing but the time ends it: no signal, and nobody who wakes others. */
void WINAPI
Sleep(DWORD dwMilliseconds)
{
	struct timespec until;
	uint64_t at = monitor_after(dwMilliseconds);
	int before = errno;

	if (dwMilliseconds == 0) {
		sched_yield();
		return;
	}
	/* MONITOR_FOR_EVER is 584 years after the start. */
	until.tv_sec = (time_t)(at / 1000000000u);
	until.tv_nsec = (long)(at % 1000000000u);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
	errno = before;
}
