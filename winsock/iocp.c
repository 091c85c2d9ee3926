/* SPDX-License-Identifier: MIT */
/*
 * Completion ports as programs see them. A request's error is Winsock's number
 * inside and Win32's here.
 */
#include <errno.h>
#include <stdlib.h>

#include "ioapiset.h"
#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/result.h"
#include "winsock/socket.h"
#include "winsock/state.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"

#define LOOK_MS 10 /* for routines, while a thread waits for packets too */

static const struct {
	int winsock;
	DWORD win32;
} errors[] = {
	{WSAECONNRESET, ERROR_NETNAME_DELETED},
	{WSAECONNABORTED, ERROR_CONNECTION_ABORTED},
	{WSAECONNREFUSED, ERROR_CONNECTION_REFUSED},
	{WSAETIMEDOUT, ERROR_SEM_TIMEOUT},
	{WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE},
	{WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE},
	{WSAEMSGSIZE, ERROR_MORE_DATA},
};

/* All others have one number. */
static DWORD
win32_error(int code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].winsock == code)
			return errors[i].win32;
	return (DWORD)code;
}

static BOOL
failed(DWORD code)
{
	SetLastError(code);
	return FALSE;
}

static DWORD
associate(HANDLE file, HANDLE existing, ULONG_PTR key)
{
	int fd = socket_of((SOCKET)file);
	struct port *port = port_find(existing);
	DWORD code;

	if (!port || fd < 0)
		code = ERROR_INVALID_HANDLE;
	else
		code = (DWORD)channel_associate(fd, port, key);
	if (port)
		port_let_go(port);
	return code;
}

HANDLE WINAPI
CreateIoCompletionPort(HANDLE FileHandle, HANDLE ExistingCompletionPort,
		       ULONG_PTR CompletionKey, DWORD NumberOfConcurrentThreads)
{
	bool has_file = FileHandle != INVALID_HANDLE_VALUE;
	HANDLE made = ExistingCompletionPort;
	int before = errno;
	DWORD code = 0;

	(void)NumberOfConcurrentThreads;
	if (!has_file && made) {
		failed(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	monitor_enter();
	if (!made)
		made = port_open(channel_ready);
	if (!made)
		code = ERROR_NOT_ENOUGH_MEMORY;
	else if (has_file)
		code = associate(FileHandle, made, CompletionKey);
	if (code && made && !ExistingCompletionPort)
		port_close(made);
	monitor_leave();
	errno = before;
	if (code == 0)
		return made;
	failed(code);
	return NULL;
}

/* Inside, with a reference; else outside, and failed. */
static struct port *
enter_with(HANDLE handle)
{
	struct port *port;

	monitor_enter();
	port = port_find(handle);
	if (port)
		return port;
	monitor_leave();
	failed(ERROR_INVALID_HANDLE);
	return NULL;
}

BOOL WINAPI
GetQueuedCompletionStatus(HANDLE CompletionPort,
			  LPDWORD lpNumberOfBytesTransferred,
			  PULONG_PTR lpCompletionKey,
			  LPOVERLAPPED *lpOverlapped, DWORD dwMilliseconds)
{
	uint64_t until = monitor_after(dwMilliseconds);
	int before = errno;
	struct packet *packet;
	struct port *port;
	bool closed;
	int code = 0;

	if (!lpNumberOfBytesTransferred || !lpCompletionKey || !lpOverlapped)
		return failed(ERROR_INVALID_PARAMETER);
	*lpOverlapped = NULL;
	port = enter_with(CompletionPort);
	if (!port)
		return FALSE;
	packet = port_take(port, until, &closed);
	if (packet) {
		*lpNumberOfBytesTransferred = packet->bytes;
		*lpCompletionKey = packet->key;
		*lpOverlapped = packet->overlapped;
		code = packet->code;
		packet->destroy(packet);
	}
	port_let_go(port);
	monitor_leave();
	errno = before;
	if (!packet)
		return failed(closed ? ERROR_ABANDONED_WAIT_0 : WAIT_TIMEOUT);
	return code == 0 ? TRUE : failed(win32_error(code));
}

/* The first within the time, or a routine runs; then all that are there. */
static struct packet *
take_alertably(struct port *port, uint64_t until, bool *ret_closed,
	       bool *ret_ran)
{
	struct packet *packet;

	for (;;) {
		uint64_t look = monitor_after(LOOK_MS);

		*ret_ran = thread_run_queue();
		if (*ret_ran)
			return NULL;
		packet = port_take(port, look < until ? look : until,
				   ret_closed);
		if (packet || *ret_closed || look >= until)
			return packet;
	}
}

static ULONG
take_several(struct port *port, struct packet *packet,
	     LPOVERLAPPED_ENTRY entries, ULONG count)
{
	ULONG n = 0;

	while (packet) {
		entries[n++] = (OVERLAPPED_ENTRY){
			packet->key, packet->overlapped,
			(ULONG_PTR)packet->code, packet->bytes};
		packet->destroy(packet);
		packet = n < count ? port_take_more(port) : NULL;
	}
	return n;
}

BOOL WINAPI
GetQueuedCompletionStatusEx(HANDLE CompletionPort,
			    LPOVERLAPPED_ENTRY lpCompletionPortEntries,
			    ULONG ulCount, PULONG ulNumEntriesRemoved,
			    DWORD dwMilliseconds, BOOL fAlertable)
{
	uint64_t until = monitor_after(dwMilliseconds);
	int before = errno;
	struct packet *packet;
	struct port *port;
	bool closed = false;
	bool ran = false;

	if (!lpCompletionPortEntries || !ulNumEntriesRemoved || ulCount == 0)
		return failed(ERROR_INVALID_PARAMETER);
	*ulNumEntriesRemoved = 0;
	port = enter_with(CompletionPort);
	if (!port)
		return FALSE;
	packet = fAlertable ? take_alertably(port, until, &closed, &ran)
			    : port_take(port, until, &closed);
	if (packet)
		*ulNumEntriesRemoved = take_several(
			port, packet, lpCompletionPortEntries, ulCount);
	port_let_go(port);
	monitor_leave();
	errno = before;
	if (packet)
		return TRUE;
	if (ran)
		return failed(WAIT_IO_COMPLETION);
	return failed(closed ? ERROR_ABANDONED_WAIT_0 : WAIT_TIMEOUT);
}

static void
free_packet(struct packet *packet)
{
	free(packet);
}

BOOL WINAPI
PostQueuedCompletionStatus(HANDLE CompletionPort,
			   DWORD dwNumberOfBytesTransferred,
			   ULONG_PTR dwCompletionKey, LPOVERLAPPED lpOverlapped)
{
	struct packet *packet = malloc(sizeof(*packet));
	struct port *port;

	if (!packet)
		return failed(ERROR_NOT_ENOUGH_MEMORY);
	*packet = (struct packet){
		.key = dwCompletionKey,
		.overlapped = lpOverlapped,
		.bytes = dwNumberOfBytesTransferred,
		.destroy = free_packet,
	};
	port = enter_with(CompletionPort);
	if (!port) {
		free(packet);
		return FALSE;
	}
	port_push(port, packet);
	port_let_go(port);
	monitor_leave();
	return TRUE;
}

BOOL WINAPI
SetFileCompletionNotificationModes(HANDLE FileHandle, UCHAR Flags)
{
	int fd = socket_of((SOCKET)FileHandle);

	if (fd < 0)
		return failed(ERROR_INVALID_HANDLE);
	if (Flags & ~(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
		      FILE_SKIP_SET_EVENT_ON_HANDLE))
		return failed(ERROR_INVALID_PARAMETER);
	/* It is said once and for all. */
	if (Flags & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
		state_change(fd, STATE_SKIP_PACKET, 0);
	if (Flags & FILE_SKIP_SET_EVENT_ON_HANDLE)
		state_change(fd, STATE_SKIP_EVENT, 0);
	return TRUE;
}

BOOL WINAPI
GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped,
		    LPDWORD lpNumberOfBytesTransferred, BOOL bWait)
{
	int before = errno;
	DWORD flags;
	int code = overlapped_result((SOCKET)hFile, lpOverlapped,
				     lpNumberOfBytesTransferred, bWait, &flags);

	errno = before;
	return code == 0 ? TRUE : failed(win32_error(code));
}
