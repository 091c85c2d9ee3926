/* SPDX-License-Identifier: MIT */
/*
 * Events: WSACreateEvent and its kin, and the names that Windows itself has
 * for the same objects; and waiting, for them and for routines to run. An
 * object that is set already counts before a routine that is queued, as in
 * Windows' kernel.
 */
#include <errno.h>

#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/port.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"
#include "winsock2.h"

static HANDLE
create(bool manual, bool set)
{
	struct handle *event;
	HANDLE handle;

	monitor_enter();
	handle = handle_open(HANDLE_EVENT, &event);
	if (handle) {
		event->manual = manual;
		event->set = set;
	}
	monitor_leave();
	if (!handle)
		WSASetLastError(WSA_NOT_ENOUGH_MEMORY);
	return handle;
}

enum action { SET, RESET, CLOSE };

static BOOL
act(HANDLE handle, enum action action)
{
	struct handle *event;

	monitor_enter();
	event = handle_find(handle, HANDLE_EVENT);
	if (event && action == SET)
		handle_signal(handle);
	if (event && action == RESET)
		event->set = false;
	if (event && action == CLOSE)
		handle_close(event);
	monitor_leave();
	if (event)
		return TRUE;
	WSASetLastError(WSA_INVALID_HANDLE);
	return FALSE;
}

static BOOL
act_started(HANDLE handle, enum action action)
{
	if (wsa_started())
		return act(handle, action);
	WSASetLastError(WSANOTINITIALISED);
	return FALSE;
}

WSAEVENT WSAAPI
WSACreateEvent(void)
{
	if (wsa_started())
		return create(true, false);
	WSASetLastError(WSANOTINITIALISED);
	return WSA_INVALID_EVENT;
}

BOOL WSAAPI
WSASetEvent(WSAEVENT hEvent)
{
	return act_started(hEvent, SET);
}

BOOL WSAAPI
WSAResetEvent(WSAEVENT hEvent)
{
	return act_started(hEvent, RESET);
}

BOOL WSAAPI
WSACloseEvent(WSAEVENT hEvent)
{
	return act_started(hEvent, CLOSE);
}

/* A name would join other processes' events, which we do not have. */
HANDLE WINAPI
CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
	     BOOL bInitialState, LPCWSTR lpName)
{
	(void)lpEventAttributes;
	if (!lpName)
		return create(bManualReset, bInitialState);
	WSASetLastError(ERROR_NOT_SUPPORTED);
	return NULL;
}

HANDLE WINAPI
CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
	     BOOL bInitialState, LPCSTR lpName)
{
	return CreateEventW(lpEventAttributes, bManualReset, bInitialState,
			    lpName ? L"" : NULL);
}

BOOL WINAPI
SetEvent(HANDLE hEvent)
{
	return act(hEvent, SET);
}

BOOL WINAPI
ResetEvent(HANDLE hEvent)
{
	return act(hEvent, RESET);
}

BOOL WINAPI
CloseHandle(HANDLE hObject)
{
	bool port;

	monitor_enter();
	port = port_close(hObject);
	monitor_leave();
	return port || act(hObject, CLOSE);
}

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
