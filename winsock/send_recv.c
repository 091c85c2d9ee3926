/* SPDX-License-Identifier: MIT */
/* send(), sendto(), recv(), recvfrom(). */
#include <errno.h>

#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/transfer.h"
#include "winsock2.h"

ssize_t
portres_send(int fd, const void *buffer, size_t n, int flags)
{
	struct iovec piece = {(void *)buffer, n};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (wsa_missing())
		return -1;
	return transfer_call(fd, WRITING, &message, flags);
}

ssize_t
portres_sendto(int fd, const void *buffer, size_t n, int flags,
	       const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;
	struct iovec piece = {(void *)buffer, n};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	long r;

	if (wsa_missing())
		return -1;
	/* A stream needs no address, and looks at none. */
	if (address && socket_type(fd) != SOCK_STREAM) {
		if (address_is_short(address, size))
			return wsa_fail(EFAULT);
		message.msg_name = (void *)linux_address(address, size, &room);
		message.msg_namelen = size;
	}
	r = transfer_call(fd, WRITING, &message, flags);
	/* Here it is an argument that is missing. */
	if (r < 0 && !address && WSAGetLastError() == WSAENOTCONN &&
	    socket_type(fd) == SOCK_DGRAM)
		return wsa_fail(EDESTADDRREQ);
	return r;
}

ssize_t
portres_recv(int fd, void *buffer, size_t n, int flags)
{
	struct iovec piece = {buffer, n};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (wsa_missing())
		return -1;
	return transfer_call(fd, READING, &message, flags);
}

/* A stream has no address to tell, and leaves what the program has there. */
ssize_t
portres_recvfrom(int fd, void *buffer, size_t n, int flags,
		 struct sockaddr *address, socklen_t *size)
{
	struct iovec piece = {buffer, n};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	long r;

	if (wsa_missing())
		return -1;
	if (!address_fits(fd, address, size))
		return wsa_fail(socket_type(fd) < 0 ? ENOTSOCK : EFAULT);
	if (address) {
		message.msg_name = address;
		message.msg_namelen = *size;
	}
	r = transfer_call(fd, READING, &message, flags);
	if (address && message.msg_namelen && (r >= 0 || errno == EMSGSIZE))
		*size = message.msg_namelen;
	return r;
}
