/* SPDX-License-Identifier: MIT */
/*
 * Events: WSACreateEvent and its kin, and the names that Windows itself has
 * for the same objects.
 */
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/startup.h"
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
