/* SPDX-License-Identifier: MIT */
/*
 * WSAIoctl and WSPIoctl: one call, two ways to report its error. ioctlsocket,
 * which has the small codes, and WSAPoll.
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
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "winsock/error.h"
#include "winsock/ioctl.h"
#include "winsock/monitor.h"
#include "winsock/overlapped.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/thread.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"
#include "ws2spi.h"

#define LINUX_SIOCATMARK 0x8905
#define WINDOWS_SIOCATMARK 0x40047307
#define FEW_POLLED 64

static int
perform_now(const struct request *request, LPDWORD ret_bytes)
{
	struct ioctl_result result;
	int code = ioctl_perform(request, 0, &result);

	if (code)
		return code;
	if (usermem_write(ret_bytes, &result.bytes, sizeof(DWORD)) == 0)
		return 0;
	ioctl_undo(request, &result);
	return WSAEFAULT;
}

/* Returns 0 or the error's code. */
static int
call(SOCKET s, DWORD code, const struct ioctl_buffers *buffers,
     LPDWORD ret_bytes, struct overlapped_party *party)
{
	struct request request = {.code = code};
	const DWORD none = 0;
	int r;

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (usermem_write(ret_bytes, &none, sizeof(none)) < 0)
		return WSAEFAULT;
	request.fd = socket_of(s);
	if (request.fd < 0)
		return wsa_code(-request.fd);
	if (!ioctl_known(code))
		return WSAEOPNOTSUPP;
	if (party->overlapped && !socket_overlapped(request.fd))
		party->overlapped = NULL;
	if (party->overlapped) {
		r = overlapped_check(party);
		if (r)
			return r;
	} else if (ioctl_blocks(code) && thread_in_routine()) {
		return WSAEINPROGRESS;
	}
	r = ioctl_decode(buffers, &request);
	if (r)
		return r;
	if (party->overlapped)
		return overlapped_perform(&request, party, ret_bytes);
	return perform_now(&request, ret_bytes);
}

int WSAAPI
WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	const struct ioctl_buffers buffers = {lpvInBuffer, cbInBuffer,
					      lpvOutBuffer, cbOutBuffer};
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};
	int before = errno;
	int code =
		call(s, dwIoControlCode, &buffers, lpcbBytesReturned, &party);

	return wsa_end(code, before);
}

/* The error goes to lpErrno only: the caller's last error is not ours. */
int WSPAPI
WSPIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
	 LPWSATHREADID lpThreadId, LPINT lpErrno)
{
	const struct ioctl_buffers buffers = {lpvInBuffer, cbInBuffer,
					      lpvOutBuffer, cbOutBuffer};
	struct overlapped_party party = {lpOverlapped, lpCompletionRoutine,
					 NULL, NULL, false};
	WSATHREADID thread;
	int before = errno;
	int code;

	if (lpThreadId &&
	    usermem_read(&thread, lpThreadId, sizeof(thread)) == 0)
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

/* The kernel says yes at the mark alone, Windows also where there is none. */
static int
at_mark(int fd, void *argument, size_t size)
{
	struct pollfd urgent = {.fd = fd, .events = POLLPRI};
	u_long number;
	int at = 0;

	if (ioctl(fd, LINUX_SIOCATMARK, &at) < 0)
		return wsa_code(errno);
	number = at || poll(&urgent, 1, 0) == 0;
	return usermem_write(argument, &number, size) < 0 ? WSAEFAULT : 0;
}

static int
control(SOCKET s, DWORD code, void *argument, size_t size)
{
	const struct ioctl_buffers buffers = {argument, size, argument, size};
	struct ioctl_result result;
	struct request request = {.code = code};
	int r;

	if (!wsa_started())
		return WSANOTINITIALISED;
	request.fd = socket_of(s);
	if (request.fd < 0)
		return wsa_code(-request.fd);
	if (code == LINUX_SIOCATMARK || code == WINDOWS_SIOCATMARK)
		return at_mark(request.fd, argument, size);
	if (!ioctl_is_simple(code))
		return WSAEOPNOTSUPP;
	r = ioctl_decode(&buffers, &request);
	return r ? r : ioctl_perform(&request, 0, &result);
}

int
WSAAPI(ioctlsocket)(SOCKET s, long cmd, u_long *argp)
{
	int before = errno;

	return wsa_end(control(s, (DWORD)cmd, argp, sizeof(*argp)), before);
}

int
portres_ioctlsocket32(SOCKET s, long cmd, ULONG *argp)
{
	int before = errno;

	return wsa_end(control(s, (DWORD)cmd, argp, sizeof(*argp)), before);
}

/* A copy of the program's array has room for one more. */
static int
poll_copy(LPWSAPOLLFD array, ULONG n, uint64_t until)
{
	struct pollfd few[FEW_POLLED + 1];
	struct pollfd *polled = few;
	int found;

	if (n > FEW_POLLED)
		polled = calloc((size_t)n + 1, sizeof(*polled));
	if (!polled)
		return wsa_fail(ENOBUFS);
	if (usermem_read(polled, array, n * sizeof(*polled)) < 0)
		found = wsa_fail(EFAULT);
	else
		found = (int)wsa_plain(
			waiting_poll(polled, (unsigned int)n, false, until));
	/* The rest of the array may change meanwhile. */
	for (ULONG i = 0; found >= 0 && i < n; i++)
		if (usermem_write(&array[i].revents, &polled[i].revents,
				  sizeof(array[i].revents)) < 0)
			found = wsa_fail(EFAULT);
	if (polled != few)
		free(polled);
	return found;
}

int WSAAPI
WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout)
{
	int before = errno;
	int n;

	if (!wsa_started())
		return wsa_end(WSANOTINITIALISED, before);
	if (fds == 0)
		return wsa_end(WSAEINVAL, before);
	if (!fdArray)
		return wsa_end(WSAEFAULT, before);
	n = poll_copy(fdArray, fds,
		      monitor_after(timeout < 0 ? INFINITE : (DWORD)timeout));
	if (n >= 0)
		errno = before;
	return n;
}
