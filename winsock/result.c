/* SPDX-License-Identifier: MIT */
/*
 * How an overlapped request ended, and ending it early.
 */
#include "winsock/result.h"

#include <errno.h>

#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/overlapped.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

#define LOOK_MS 10

static int
read_status(LPWSAOVERLAPPED overlapped, bool wait, int *ret_status,
	    DWORD *ret_bytes)
{
	ULONG_PTR status;
	ULONG_PTR bytes;
	int r;

	monitor_enter();
	for (;;) {
		r = user_observe(&overlapped->Internal, &status);
		if (r < 0 || status != STATUS_PENDING || !wait)
			break;
		/* It may be another copy's of this archive, which wakes
		 * nobody here. */
		completion_wait(monitor_after(LOOK_MS));
	}
	monitor_leave();
	if (r < 0)
		return WSAEFAULT;
	if (status == STATUS_PENDING)
		return WSA_IO_INCOMPLETE;
	if (usermem_read(&bytes, &overlapped->InternalHigh, sizeof(bytes)) < 0)
		return WSAEFAULT;
	*ret_status = (int)status;
	*ret_bytes = (DWORD)bytes;
	return 0;
}

int
overlapped_result(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD ret_bytes,
		  bool wait, LPDWORD ret_flags)
{
	const DWORD flags = 0;
	DWORD bytes;
	int status;
	int fd;
	int code;

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (!overlapped || !ret_bytes || !ret_flags)
		return WSA_INVALID_PARAMETER;
	fd = socket_of(s);
	if (fd < 0)
		return wsa_code(-fd);
	code = read_status(overlapped, wait, &status, &bytes);
	if (code)
		return code;
	if (usermem_write(ret_bytes, &bytes, sizeof(bytes)) < 0 ||
	    usermem_write(ret_flags, &flags, sizeof(flags)) < 0)
		return WSAEFAULT;
	return status;
}

BOOL WSAAPI
WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
		       LPDWORD lpcbTransfer, BOOL fWait, LPDWORD lpdwFlags)
{
	int before = errno;
	int code = overlapped_result(s, lpOverlapped, lpcbTransfer, fWait,
				     lpdwFlags);

	return wsa_end(code, before) == 0;
}

static BOOL
cancel(HANDLE file, LPOVERLAPPED overlapped, bool own, bool need_one)
{
	int before = errno;
	int fd = socket_of((SOCKET)file);
	unsigned int count = 0;
	int code = 0;

	if (fd >= 0)
		count = overlapped_cancel(fd, overlapped, own) +
			channel_cancel(fd, overlapped, own);
	if (fd < 0)
		code = ERROR_INVALID_HANDLE;
	else if (count == 0 && need_one)
		code = ERROR_NOT_FOUND;
	return wsa_end(code, before) == 0;
}

/* Those of the calling thread; it is no error that there are none. */
BOOL WINAPI
CancelIo(HANDLE hFile)
{
	return cancel(hFile, NULL, true, false);
}

BOOL WINAPI
CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
{
	return cancel(hFile, lpOverlapped, false, true);
}
