/* SPDX-License-Identifier: MIT */
#include "winsock/attempt.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "winsock/event_select.h"
#include "winsock/state.h"

void
attempt_forget(int fd)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int before = errno;
	int err;
	socklen_t size = sizeof(err);

	/* First, so that nobody tells of what happens to the socket now. */
	state_change(fd, 0, STATE_ATTEMPT | STATE_CONNECT_UNTOLD | STATE_RESET);
	connect(fd, &nowhere, sizeof(nowhere));
	/* The error of that attempt would be the next one's. */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	errno = before;
}

int
attempt_prepare(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLOUT};
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	if (!state_flags(fd, STATE_ATTEMPT))
		return 0;
	if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return EISCONN;
	/* The kernel has the word for one that is under way. */
	if (poll(&look, 1, 0) > 0)
		attempt_forget(fd);
	return 0;
}

bool
attempt_failed(int fd)
{
	struct tcp_info info = {0};
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer), room = sizeof(info);

	if (!state_flags(fd, STATE_ATTEMPT) ||
	    getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return false;
	/* A peer that was there has acknowledged our first segment. */
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &room) < 0 ||
	       info.tcpi_bytes_acked == 0;
}

void
attempt_begun(int fd, bool pending)
{
	int before = errno;

	state_change(fd, STATE_CONNECT_UNTOLD | (pending ? STATE_ATTEMPT : 0),
		     pending ? 0 : STATE_ATTEMPT);
	event_select_connecting(fd);
	errno = before;
}
