/* SPDX-License-Identifier: MIT */
#include "winsock/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "winsock/address.h"
#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"
#include "winsock2.h"

static bool
blocks(int fd, int flags)
{
	int err = errno;
	int status = fcntl(fd, F_GETFL);

	errno = err;
	return !(flags & MSG_DONTWAIT) && status >= 0 && !(status & O_NONBLOCK);
}

/* The peer of a datagram has no socket there. */
static bool
unreachable(int fd)
{
	return errno == ECONNREFUSED && socket_type(fd) == SOCK_DGRAM;
}

/*
 * EPIPE is the kernel's word for three things: shut down by the program, never
 * connected, and reset by the peer, which an earlier call was told.
 */
static int
why_broken(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};

	if (state_flags(fd, STATE_SEND_SHUT))
		return WSAESHUTDOWN;
	if (poll(&look, 1, 0) == 1 && look.revents & POLLRDHUP)
		return WSAECONNRESET;
	return WSAENOTCONN;
}

/* The kernel tells of a reset once, and then of an end: who reads must not take
 * the stream for a whole one because somebody else has heard of it. */
static long
broken(int fd, int code)
{
	if (code == WSAECONNRESET)
		state_change(fd, STATE_RESET, 0);
	return wsa_refuse(code);
}

/* A time limit on a socket that blocks is EAGAIN here. */
static long
timed(int fd, int flags, long r)
{
	if (r < 0 && errno == EAGAIN && blocks(fd, flags))
		wsa_beside(WSAETIMEDOUT, EAGAIN);
	return r;
}

long
message_send(int fd, const struct msghdr *message, int flags)
{
	const struct sockaddr *to = message->msg_name;
	long r;

	if (to && address_is_any(to))
		return wsa_refuse(WSAEADDRNOTAVAIL);
	/* Windows has no SIGPIPE to kill the program with. */
	do
		r = wsa_answer(sendmsg(fd, message, flags | MSG_NOSIGNAL));
	while (r < 0 && unreachable(fd) && state_flags(fd, STATE_NO_RESETS));
	if (r >= 0)
		return r;
	if (to && errno == EINVAL && address_lacks_port(to))
		return wsa_refuse(WSAEADDRNOTAVAIL);
	if (errno == EAGAIN)
		event_select_again(fd, FD_WRITE);
	if (unreachable(fd))
		return wsa_fail(ECONNRESET);
	if (errno == EPIPE)
		return broken(fd, why_broken(fd));
	if (errno == ECONNRESET)
		return broken(fd, WSAECONNRESET);
	if (errno == EDESTADDRREQ && socket_type(fd) == SOCK_DGRAM)
		return wsa_refuse(state_flags(fd, STATE_SEND_SHUT)
					  ? WSAESHUTDOWN
					  : WSAENOTCONN);
	return timed(fd, flags, r);
}

/*
 * A receive on a datagram socket without a port would wait for ever. That it
 * has none is remembered of sockets that were made without one, so that this
 * costs the others nothing, and these once.
 */
static bool
never_bound(int fd)
{
	if (!socket_bound(fd))
		return true;
	state_change(fd, 0, STATE_UNBOUND);
	return false;
}

long
message_receive(int fd, struct msghdr *message, int flags)
{
	uint32_t state = state_flags(fd, STATE_RECEIVE_SHUT | STATE_UNBOUND);
	long r;

	if (state & STATE_RECEIVE_SHUT)
		return wsa_refuse(WSAESHUTDOWN);
	if (state & STATE_UNBOUND && never_bound(fd))
		return wsa_fail(EINVAL);
	if (flags & MSG_OOB && socket_type(fd) == SOCK_DGRAM)
		return wsa_fail(EOPNOTSUPP);
	do
		r = wsa_plain(recvmsg(fd, message, flags));
	while (r < 0 && unreachable(fd) && state_flags(fd, STATE_NO_RESETS));
	event_select_again(fd, flags & MSG_OOB ? FD_OOB : FD_READ);
	if (r < 0 && unreachable(fd))
		return wsa_fail(ECONNRESET);
	if ((r < 0 && errno == ECONNRESET) ||
	    (r == 0 && state_flags(fd, STATE_RESET)))
		return broken(fd, WSAECONNRESET);
	if (r < 0)
		return timed(fd, flags, r);
	if (message->msg_name)
		windows_address(message->msg_name, message->msg_namelen);
	if (message->msg_flags & MSG_TRUNC && !(flags & MSG_TRUNC))
		return wsa_fail(EMSGSIZE);
	return r;
}

/* A call of the program, unless it is made as a request. */
struct call {
	struct waiting waiting;
	bool good; /* it may be made */
};

static bool
is_quick(int fd, int flags)
{
	return flags & MSG_DONTWAIT || !blocks(fd, flags);
}

/* Urgent data is in no line. */
static bool
has_line(int fd, enum direction direction, int flags)
{
	return channel_has_line(fd, direction) &&
	       (direction == WRITING || !(flags & MSG_OOB));
}

bool
message_stands_in_line(int fd, enum direction direction, int flags)
{
	return has_line(fd, direction, flags) && !is_quick(fd, flags);
}

static void
begin(struct call *call, int fd, enum direction direction, int flags)
{
	bool sends = direction == WRITING;

	call->good = waiting_begin(&call->waiting, fd,
				   sends ? WAITING_TO_SEND : WAITING_TO_HEAR);
	if (!call->good) {
		wsa_refuse(WSAEINTR);
	} else if (has_line(fd, direction, flags) && is_quick(fd, flags) &&
		   !channel_lets_pass(fd, direction)) {
		event_select_again(fd, sends ? FD_WRITE : FD_READ);
		wsa_refuse(sends && channel_is_to_be_shut(fd) ? WSAESHUTDOWN
							      : WSAEWOULDBLOCK);
		call->good = false;
	}
}

static void
cancelled(void *call)
{
	waiting_end(&((struct call *)call)->waiting);
}

/* `r`: what the call had; an end that we have brought about is none. */
static long
end(struct call *call, long r)
{
	return !waiting_end(&call->waiting) && call->good && r <= 0
		       ? wsa_refuse(WSAEINTR)
		       : r;
}

long
message_call(int fd, enum direction direction, struct msghdr *message,
	     int flags)
{
	struct call call;
	volatile long r = -1; /* over a setjmp() */

	pthread_cleanup_push(cancelled, &call);
	begin(&call, fd, direction, flags);
	if (call.good)
		r = direction == WRITING ? message_send(fd, message, flags)
					 : message_receive(fd, message, flags);
	pthread_cleanup_pop(0);
	return end(&call, r);
}
