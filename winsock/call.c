/* SPDX-License-Identifier: MIT */
/*
 * WSAIoctl and WSPIoctl: one call, two ways to report its error.
 *
 * A call with several things wrong with it gets the first error of this order
 * (docs/winsock.md has it for users):
 *
 *   1. no WSAStartup                           WSANOTINITIALISED
 *   2. lpcbBytesReturned NULL or not writable  WSAEFAULT
 *      It holds 0 from here on, until the operation succeeds.
 *   3. not a socket                            WSAENOTSOCK
 *   4. unknown code                            WSAEOPNOTSUPP
 *   5. overlapped, for a socket that is:
 *      the structure not writable              WSAEFAULT
 *      its event not an event                  WSA_INVALID_HANDLE
 *   6. would wait, in a completion routine     WSAEINPROGRESS
 *   7. buffers: acquire: a length too small    WSAEINVAL
 *               the others: the same           WSAEFAULT
 *               input not readable             WSAEFAULT
 *               output not writable            WSAEFAULT
 *   8. overlapped: the thread not a thread     WSAEFAULT
 *   9. what the operation itself says
 */
#include <errno.h>

#include "shim/usermem.h"
#include "winsock/error.h"
#include "winsock/ioctl.h"
#include "winsock/overlapped.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "ws2spi.h"

static int
perform_now(const struct ioctl *ioctl, LPDWORD ret_bytes)
{
	struct ioctl_result result;
	int code = ioctl_perform(ioctl, POOL_WAIT, &result);

	if (code)
		return code;
	if (usermem_write(ret_bytes, &result.bytes, sizeof(DWORD)) == 0)
		return 0;
	ioctl_undo(ioctl, &result);
	return WSAEFAULT;
}

/* Returns 0 or the error's code. */
static int
call(SOCKET s, DWORD code, const struct ioctl_buffers *buffers,
     LPDWORD ret_bytes, struct overlapped_party *party)
{
	struct ioctl ioctl = {.code = code};
	const DWORD none = 0;
	int r;

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (usermem_write(ret_bytes, &none, sizeof(none)) < 0)
		return WSAEFAULT;
	ioctl.fd = socket_of(s);
	if (ioctl.fd < 0)
		return wsa_code(-ioctl.fd);
	if (!ioctl_known(code))
		return WSAEOPNOTSUPP;
	if (party->overlapped && !socket_overlapped(ioctl.fd))
		party->overlapped = NULL;
	if (party->overlapped) {
		r = overlapped_check(party);
		if (r)
			return r;
	} else if (ioctl_blocks(code) && thread_in_routine()) {
		return WSAEINPROGRESS;
	}
	r = ioctl_decode(buffers, &ioctl);
	if (r)
		return r;
	if (party->overlapped)
		return overlapped_perform(&ioctl, party, ret_bytes);
	return perform_now(&ioctl, ret_bytes);
}

int WSAAPI
WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	const struct ioctl_buffers buffers = {
		.in = lpvInBuffer,
		.in_size = cbInBuffer,
		.out = lpvOutBuffer,
		.out_size = cbOutBuffer,
	};
	struct overlapped_party party = {
		.overlapped = lpOverlapped,
		.routine = lpCompletionRoutine,
	};
	int before = errno;
	int code =
		call(s, dwIoControlCode, &buffers, lpcbBytesReturned, &party);

	errno = before;
	if (code == 0)
		return 0;
	WSASetLastError(code);
	return SOCKET_ERROR;
}

/* The error goes to lpErrno only: the caller's last error is not ours. */
int WSPAPI
WSPIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
	 LPWSATHREADID lpThreadId, LPINT lpErrno)
{
	const struct ioctl_buffers buffers = {
		.in = lpvInBuffer,
		.in_size = cbInBuffer,
		.out = lpvOutBuffer,
		.out_size = cbOutBuffer,
	};
	struct overlapped_party party = {
		.overlapped = lpOverlapped,
		.routine = lpCompletionRoutine,
	};
	WSATHREADID thread;
	int before = errno;
	int code;

	if (lpThreadId && usermem_read(&thread, lpThreadId, sizeof(thread)) == 0)
		party.thread = thread.ThreadHandle;
	else if (lpThreadId)
		party.thread = INVALID_HANDLE_VALUE;
	code = call(s, dwIoControlCode, &buffers, lpcbBytesReturned, &party);
	errno = before;
	if (code == 0)
		return 0;
	usermem_write(lpErrno, &code, sizeof(code));
	return SOCKET_ERROR;
}
