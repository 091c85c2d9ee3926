/* SPDX-License-Identifier: MIT */
/*
 * The side of service providers: routines sent to threads by name, and the
 * functions that report their error through a pointer.
 */
#include <errno.h>
#include <stdlib.h>

#include "winsock/cleanup.h"
#include "winsock/error.h"
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/ported.h"
#include "winsock/result.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"
#include "winsock/wsasocket.h"
#include "ws2spi.h"

/* A failed function's answer. */
static int
tell(LPINT lpErrno, int code)
{
	usermem_write(lpErrno, &code, sizeof(code));
	return SOCKET_ERROR;
}

/* As wsa_end(), with the error where these functions have it. */
static int
end(LPINT lpErrno, int code, int before)
{
	errno = before;
	return code ? tell(lpErrno, code) : 0;
}

struct user_apc {
	struct apc apc;
	LPWSAUSERAPC routine;
	DWORD_PTR context;
};

static void
drop(struct apc *apc)
{
	free(apc);
}

static void
run(struct apc *apc)
{
	struct user_apc user = *(struct user_apc *)apc;

	free(apc);
	user.routine(user.context);
}

int WSPAPI
WPUOpenCurrentThread(LPWSATHREADID lpThreadId, LPINT lpErrno)
{
	WSATHREADID id = {0};
	struct handle *handle;
	struct thread *thread;

	monitor_enter();
	thread = thread_self();
	if (thread)
		id.ThreadHandle = handle_open(HANDLE_THREAD, &handle);
	if (id.ThreadHandle)
		handle->thread = thread;
	else if (thread)
		thread_let_go(thread);
	monitor_leave();
	if (!id.ThreadHandle)
		return tell(lpErrno, WSA_NOT_ENOUGH_MEMORY);
	if (usermem_write(lpThreadId, &id, sizeof(id)) == 0)
		return 0;
	WPUCloseThread(&id, NULL);
	return tell(lpErrno, WSAEFAULT);
}

int WSPAPI
WPUCloseThread(LPWSATHREADID lpThreadId, LPINT lpErrno)
{
	struct handle *handle;
	WSATHREADID id;

	if (usermem_read(&id, lpThreadId, sizeof(id)) < 0)
		return tell(lpErrno, WSAEFAULT);
	monitor_enter();
	handle = handle_find(id.ThreadHandle, HANDLE_THREAD);
	if (handle) {
		thread_let_go(handle->thread);
		handle_close(handle);
	}
	monitor_leave();
	return handle ? 0 : tell(lpErrno, WSAEFAULT);
}

int WSPAPI
WPUQueueApc(LPWSATHREADID lpThreadId, LPWSAUSERAPC lpfnUserApc,
	    DWORD_PTR dwContext, LPINT lpErrno)
{
	struct handle *handle;
	struct user_apc *user;
	WSATHREADID id;
	bool queued;

	if (!lpfnUserApc || usermem_read(&id, lpThreadId, sizeof(id)) < 0)
		return tell(lpErrno, WSAEFAULT);
	user = malloc(sizeof(*user));
	if (!user)
		return tell(lpErrno, WSA_NOT_ENOUGH_MEMORY);
	*user = (struct user_apc){
		.apc = {.run = run, .drop = drop},
		.routine = lpfnUserApc,
		.context = dwContext,
	};
	monitor_enter();
	handle = handle_find(id.ThreadHandle, HANDLE_THREAD);
	queued = handle && thread_queue(handle->thread, &user->apc);
	monitor_leave();
	if (queued)
		return 0;
	free(user);
	return tell(lpErrno, WSAEFAULT);
}

static SOCKET WSPAPI
wsp_socket(int af, int type, int protocol, LPWSAPROTOCOL_INFOW lpProtocolInfo,
	   GROUP g, DWORD dwFlags, LPINT lpErrno)
{
	int before = errno;
	SOCKET s = WSASocketW(af, type, protocol, lpProtocolInfo, g, dwFlags);

	end(lpErrno, s == INVALID_SOCKET ? WSAGetLastError() : 0, before);
	return s;
}

static int WSPAPI
wsp_bind(SOCKET s, const struct sockaddr *name, int namelen, LPINT lpErrno)
{
	int before = errno;
	int fd = socket_of(s);
	int r = fd < 0 ? wsa_fail(-fd)
		       : portres_bind(fd, name, (socklen_t)namelen);

	return end(lpErrno, r < 0 ? WSAGetLastError() : 0, before);
}

static int WSPAPI
wsp_close_socket(SOCKET s, LPINT lpErrno)
{
	int before = errno;

	return end(lpErrno, socket_close(s), before);
}

static BOOL WSPAPI
wsp_get_overlapped_result(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
			  LPDWORD lpcbTransfer, BOOL fWait, LPDWORD lpdwFlags,
			  LPINT lpErrno)
{
	int before = errno;
	int code = overlapped_result(s, lpOverlapped, lpcbTransfer, fWait,
				     lpdwFlags);

	return end(lpErrno, code, before) == 0;
}

static int WSPAPI
wsp_cleanup(LPINT lpErrno)
{
	return cleanup() ? 0 : tell(lpErrno, WSANOTINITIALISED);
}

/* One provider is all there is: neither the protocol nor the upcalls that the
 * caller offers change what it does. */
int WSPAPI
WSPStartup(WORD wVersionRequested, LPWSPDATA lpWSPData,
	   LPWSAPROTOCOL_INFOW lpProtocolInfo, WSPUPCALLTABLE UpcallTable,
	   LPWSPPROC_TABLE lpProcTable)
{
	const WSPPROC_TABLE table = {
		.lpWSPBind = wsp_bind,
		.lpWSPCleanup = wsp_cleanup,
		.lpWSPCloseSocket = wsp_close_socket,
		.lpWSPGetOverlappedResult = wsp_get_overlapped_result,
		.lpWSPIoctl = WSPIoctl,
		.lpWSPSocket = wsp_socket,
	};
	const WSPDATA data = {
		.wVersion = WINSOCK_VERSION,
		.wHighVersion = WINSOCK_VERSION,
		.szDescription = L"portres",
	};

	(void)lpProtocolInfo;
	(void)UpcallTable;
	if (wVersionRequested != WINSOCK_VERSION)
		return WSAVERNOTSUPPORTED;
	if (usermem_write(lpWSPData, &data, sizeof(data)) < 0 ||
	    usermem_write(lpProcTable, &table, sizeof(table)) < 0)
		return WSAEFAULT;
	wsa_start();
	return 0;
}
