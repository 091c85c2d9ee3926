/* SPDX-License-Identifier: MIT */
/*
 * ioctlsocket and WSAPoll.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "shim/shim.h"
#include "shim/usermem.h"
#include "winsock/error.h"
#include "winsock/ioctl.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock2.h"

#define LINUX_SIOCATMARK 0x8905
#define WINDOWS_SIOCATMARK 0x40047307

static int
at_mark(int fd, void *argument, size_t size)
{
	u_long number;
	int at = 0;

	if (real_ioctl(fd, LINUX_SIOCATMARK, &at) < 0)
		return wsa_code(errno);
	number = at != 0;
	return usermem_write(argument, &number, size) < 0 ? WSAEFAULT : 0;
}

static int
control(SOCKET s, DWORD code, void *argument, size_t size)
{
	const struct ioctl_buffers buffers = {
		.in = argument,
		.in_size = size,
		.out = argument,
		.out_size = size,
	};
	struct ioctl_result result;
	struct ioctl ioctl = {.code = code};
	int r;

	if (!wsa_started())
		return WSANOTINITIALISED;
	ioctl.fd = socket_of(s);
	if (ioctl.fd < 0)
		return wsa_code(-ioctl.fd);
	if (code == LINUX_SIOCATMARK || code == WINDOWS_SIOCATMARK)
		return at_mark(ioctl.fd, argument, size);
	if (!ioctl_is_simple(code))
		return WSAEOPNOTSUPP;
	r = ioctl_decode(&buffers, &ioctl);
	return r ? r : ioctl_perform(&ioctl, POOL_WAIT, &result);
}

static int
answer(int code, int before)
{
	errno = before;
	if (code == 0)
		return 0;
	WSASetLastError(code);
	return SOCKET_ERROR;
}

int
WSAAPI(ioctlsocket)(SOCKET s, long cmd, u_long *argp)
{
	int before = errno;

	return answer(control(s, (DWORD)cmd, argp, sizeof(*argp)), before);
}

int
portres_ioctlsocket32(SOCKET s, long cmd, ULONG *argp)
{
	int before = errno;

	return answer(control(s, (DWORD)cmd, argp, sizeof(*argp)), before);
}

int WSAAPI
WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout)
{
	int before = errno;
	int n;

	if (!wsa_started())
		return answer(WSANOTINITIALISED, before);
	if (fds == 0)
		return answer(WSAEINVAL, before);
	if (!fdArray)
		return answer(WSAEFAULT, before);
	n = (int)wsa_plain(poll(fdArray, fds, timeout));
	if (n >= 0)
		errno = before;
	return n;
}
