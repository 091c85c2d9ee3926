/* SPDX-License-Identifier: MIT */
/*
 * Waiting: for events, and for routines to run. An object that is set already
 * counts before a routine that is queued, as in Windows' kernel.
 */
#include <errno.h>

#include "shim/usermem.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "winsock2.h"

struct wait {
	HANDLE handles[MAXIMUM_WAIT_OBJECTS];
	DWORD count;
	bool all;
	bool alertable;
};

/* Takes what is waited for, if it is there. Inside the monitor. */
static bool
satisfied(const struct wait *wait, DWORD *ret_answer)
{
	DWORD first = wait->count;
	DWORD set = 0;

	for (DWORD i = wait->count; i-- > 0;) {
		struct handle *event =
			handle_find(wait->handles[i], HANDLE_EVENT);

		if (!event) {
			*ret_answer = WAIT_FAILED;
			return true;
		}
		if (event->set) {
			first = i;
			set++;
		}
	}
	if (set == 0 || (wait->all && set < wait->count))
		return false;
	for (DWORD i = 0; i < wait->count; i++) {
		struct handle *event =
			handle_find(wait->handles[i], HANDLE_EVENT);

		if (!event->manual && (wait->all || i == first))
			event->set = false;
	}
	*ret_answer = WAIT_OBJECT_0 + (wait->all ? 0 : first);
	return true;
}

static DWORD
wait_for(const struct wait *wait, DWORD ms)
{
	uint64_t until = monitor_after(ms);
	DWORD answer = WAIT_TIMEOUT;
	int before = errno;
	bool time = true;

	monitor_enter();
	for (;;) {
		if (wait->count > 0 && satisfied(wait, &answer))
			break;
		if (wait->alertable && thread_run_queue()) {
			answer = WAIT_IO_COMPLETION;
			break;
		}
		if (!time)
			break;
		time = ms != 0 && monitor_wait(until);
	}
	monitor_leave();
	if (answer == WAIT_FAILED)
		WSASetLastError(ERROR_INVALID_HANDLE);
	else if (answer != WAIT_IO_COMPLETION)
		errno = before;
	return answer;
}

static DWORD
wait_failed(int code)
{
	WSASetLastError(code);
	return WAIT_FAILED;
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
	const struct wait wait = {.alertable = bAlertable};

	return wait_for(&wait, dwMilliseconds) == WAIT_IO_COMPLETION
		       ? WAIT_IO_COMPLETION
		       : 0;
}

void WINAPI
Sleep(DWORD dwMilliseconds)
{
	SleepEx(dwMilliseconds, FALSE);
}
