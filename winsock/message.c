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

/* A call of the program. */
struct turn {
	int fd;
	enum direction direction;
	bool good;   /* it may be made */
	bool waited; /* in line */
};

static enum waiting_for
kind_of(const struct turn *turn)
{
	return turn->direction == WRITING ? WAITING_TO_SEND : WAITING_TO_HEAR;
}

/* Urgent data is in no line. */
static void
begin(struct turn *turn, int flags)
{
	int code = 0;

	if (!waiting_begin(turn->fd, kind_of(turn)))
		code = WSAEINTR;
	else if (turn->direction == WRITING || !(flags & MSG_OOB))
		code = channel_turn(turn->fd, turn->direction,
				    flags & MSG_DONTWAIT, &turn->waited);
	if (code == WSAEWOULDBLOCK)
		event_select_again(turn->fd, turn->direction == WRITING
						     ? FD_WRITE
						     : FD_READ);
	if (code)
		wsa_refuse(code);
	turn->good = code == 0;
}

/* Also of a thread that is cancelled. */
static void
leave(void *what)
{
	struct turn *turn = what;

	if (turn->waited)
		channel_turn_over(turn->fd, turn->direction);
	if (!waiting_end(turn->fd, kind_of(turn)))
		turn->good = false;
}

/* `r`: what the call had; an end that we have brought about is none. */
static long
end(struct turn *turn, long r)
{
	bool was_good = turn->good;

	leave(turn);
	return was_good && !turn->good && r <= 0 ? wsa_refuse(WSAEINTR) : r;
}

long
message_send_in_turn(int fd, const struct msghdr *message, int flags)
{
	struct turn turn = {fd, WRITING, false, false};
	volatile long r = -1; /* over a setjmp() */

	pthread_cleanup_push(leave, &turn);
	begin(&turn, flags);
	if (turn.good)
		r = message_send(fd, message, flags);
	pthread_cleanup_pop(0);
	return end(&turn, r);
}

long
message_receive_in_turn(int fd, struct msghdr *message, int flags)
{
	struct turn turn = {fd, READING, false, false};
	volatile long r = -1; /* over a setjmp() */

	pthread_cleanup_push(leave, &turn);
	begin(&turn, flags);
	if (turn.good)
		r = message_receive(fd, message, flags);
	pthread_cleanup_pop(0);
	return end(&turn, r);
}

ssize_t
portres_send(int fd, const void *buffer, size_t n, int flags)
{
	struct iovec piece = {(void *)buffer, n};
	const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (wsa_missing())
		return -1;
	return message_send_in_turn(fd, &message, flags);
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
	r = message_send_in_turn(fd, &message, flags);
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
	return message_receive_in_turn(fd, &message, flags);
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
	r = message_receive_in_turn(fd, &message, flags);
	if (address && message.msg_namelen && (r >= 0 || errno == EMSGSIZE))
		*size = message.msg_namelen;
	return r;
}
