/* SPDX-License-Identifier: MIT */
#include "winsock/cookie.h"

#include <errno.h>
#include <sys/socket.h>

uint64_t
socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	int before = errno;

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	errno = before;
	return cookie;
}
