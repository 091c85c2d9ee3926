/* SPDX-License-Identifier: MIT */
#include "winsock/ported.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "winsock/address.h"
#include "winsock/attempt.h"
#include "winsock/channel.h"
#include "winsock/error.h"
#include "winsock/event_select.h"
#include "winsock/restart.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock/usermem.h"
#include "winsock/waiting.h"
#include "winsock2.h"

int
portres_socket(int family, int type, int protocol)
{
	if (wsa_missing())
		return -1;
	return socket_make(family, type, protocol, true);
}

/* A socket first, then its arguments. */
static int
bad_argument(int fd)
{
	int r = socket_of((SOCKET)(unsigned int)fd);

	return wsa_fail(r < 0 ? -r : EFAULT);
}

/* One that AcceptEx has made so that its own attempts do not wait. */
static int
accept_blocking(int fd, struct sockaddr *address, socklen_t *size)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};
	int made;

	do
		made = poll(&look, 1, -1) < 0 ? -1 : accept(fd, address, size);
	while (made < 0 && errno == EAGAIN);
	return made;
}

static bool
blocks(int fd)
{
	int before = errno;
	int status = fcntl(fd, F_GETFL);

	errno = before;
	return status >= 0 && !(status & O_NONBLOCK);
}

/* The kernel has a time limit for accept(), too: that of SO_RCVTIMEO. */
static int
accept_one(int fd, bool quietly, struct sockaddr *address, socklen_t *size)
{
	int made;

	if (quietly)
		return accept_blocking(fd, address, size);
	made = accept(fd, address, size);
	if (made < 0 && errno == EAGAIN && blocks(fd))
		made = accept_blocking(fd, address, size);
	return made;
}

static void
cancelled(void *waiting)
{
	waiting_end(waiting);
}

/* Until the socket is closed. */
static int
accept_open(int fd, bool quietly, struct sockaddr *address, socklen_t *size)
{
	volatile int made = -1; /* over a setjmp() */
	struct waiting waiting;
	bool good;

	pthread_cleanup_push(cancelled, &waiting);
	good = waiting_begin(&waiting, fd, WAITING_TO_HEAR);
	if (good)
		made = (int)wsa_plain(accept_one(fd, quietly, address, size));
	pthread_cleanup_pop(0);
	if (!waiting_end(&waiting))
		good = false;
	return good || made >= 0 ? made : wsa_refuse(WSAEINTR);
}

/* The new socket takes after the one that listens. */
int
portres_accept(int fd, struct sockaddr *address, socklen_t *size)
{
	int before = errno;
	bool blocking;
	int flags;
	int made;

	if (wsa_missing())
		return -1;
	if (!address_fits(fd, address, size))
		return bad_argument(fd);
	blocking = state_flags(fd, STATE_QUIET_NONBLOCK);
	made = accept_open(fd, blocking, address, size);
	event_select_again(fd, FD_ACCEPT);
	if (made < 0)
		return -1;
	waiting_new(made);
	if (address)
		windows_address(address, *size);
	flags = fcntl(fd, F_GETFL);
	if (flags & O_NONBLOCK && !blocking)
		fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
	event_select_accepted(fd, made);
	errno = before;
	return made;
}

static bool
connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int before = errno;
	bool is = getpeername(fd, (struct sockaddr *)&peer, &size) == 0;

	errno = before;
	return is;
}

int
portres_listen(int fd, int backlog)
{
	int r;

	if (wsa_missing())
		return -1;
	if (!socket_bound(fd))
		return wsa_fail(EINVAL);
	r = restart_listen(fd, backlog);
	if (r < 0 && errno == EINVAL && connected(fd))
		return wsa_fail(EISCONN);
	if (r == 0)
		event_select_listening(fd);
	return r;
}

/* Was that for sockets of another family? The kernel may well call such an
 * address too short. */
static bool
wrong_family(int fd, const struct sockaddr *address)
{
	return errno == EAFNOSUPPORT ||
	       (errno == EINVAL && address->sa_family != socket_family(fd));
}

int
portres_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;
	int r;

	if (wsa_missing())
		return -1;
	if (address_is_short(address, size))
		return bad_argument(fd);
	address = linux_address(address, size, &room);
	r = restart_bind(fd, address, size);
	if (r < 0 && wrong_family(fd, address))
		return wsa_fail(EFAULT);
	/* The word for a port that another socket will not share. */
	if (r < 0 && WSAGetLastError() == WSAEADDRINUSE &&
	    state_flags(fd, STATE_REUSE) && socket_type(fd) == SOCK_DGRAM)
		wsa_beside(WSAEACCES, EADDRINUSE);
	return r;
}

/* By such an address a UDP socket leaves its peer. */
static bool
leads_nowhere(int fd, const struct sockaddr *address)
{
	return socket_type(fd) == SOCK_STREAM &&
	       (address_is_any(address) || address_lacks_port(address));
}

static int
connect_open(int fd, const struct sockaddr *address, socklen_t size)
{
	volatile int r = -1; /* over a setjmp() */
	struct waiting waiting;
	bool good;

	pthread_cleanup_push(cancelled, &waiting);
	good = waiting_begin(&waiting, fd, WAITING_TO_HEAR);
	if (good)
		r = (int)wsa_answer(connect(fd, address, size));
	pthread_cleanup_pop(0);
	if (!waiting_end(&waiting))
		good = false;
	return good || r == 0 ? r : wsa_refuse(WSAEINTR);
}

int
portres_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_storage room;
	int err;
	int r;

	if (wsa_missing())
		return -1;
	if (address_is_short(address, size))
		return bad_argument(fd);
	address = linux_address(address, size, &room);
	if (leads_nowhere(fd, address))
		return (int)wsa_refuse(WSAEADDRNOTAVAIL);
	err = attempt_prepare(fd);
	if (err)
		return wsa_fail(err);
	channel_connecting(fd);
	r = connect_open(fd, address, size);
	if (r == 0 && address->sa_family == AF_UNSPEC) {
		attempt_forget(fd);
	} else if (r == 0 || errno == EINPROGRESS) {
		restart_connected(fd);
		attempt_begun(fd, r < 0);
	}
	if (r == 0)
		return 0;
	if (errno == EINPROGRESS)
		wsa_beside(blocks(fd) ? WSAETIMEDOUT : WSAEWOULDBLOCK,
			   EINPROGRESS);
	else if (errno == EISCONN && socket_listens(fd))
		wsa_fail(EINVAL);
	else if (wrong_family(fd, address))
		wsa_fail(EAFNOSUPPORT);
	return -1;
}

/* A direction that the program has shut down, as opposed to the peer, is
 * remembered: the kernel keeps no difference. */
int
portres_shutdown(int fd, int how)
{
	static const uint32_t shut[] = {
		[SHUT_RD] = STATE_RECEIVE_SHUT,
		[SHUT_WR] = STATE_SEND_SHUT,
		[SHUT_RDWR] = STATE_RECEIVE_SHUT | STATE_SEND_SHUT,
	};
	uint32_t added;
	int before = errno;
	int r;

	if (wsa_missing())
		return -1;
	if ((unsigned int)how > SHUT_RDWR)
		return wsa_fail(socket_type(fd) < 0 ? ENOTSOCK : EINVAL);
	if (how == SHUT_WR && channel_shut(fd))
		return 0;
	/* Pending sends come first; nothing more is received. */
	if (how == SHUT_RDWR && channel_shut(fd))
		how = SHUT_RD;
	added = shut[how] & ~state_flags(fd, shut[how]);
	/* First: a call at the same time must not take the end for a reset. */
	state_change(fd, added, 0);
	r = (int)wsa_plain(shutdown(fd, how));
	/* Without a peer a socket of UDP is shut down all the same. */
	if (r < 0 && errno == ENOTCONN && socket_type(fd) == SOCK_DGRAM) {
		errno = before;
		r = 0;
	}
	if (r == 0)
		event_select_again(fd, 0);
	else
		state_change(fd, 0, added);
	return r;
}

int
portres_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	int r;

	if (wsa_missing())
		return -1;
	if (!address || !address_fits(fd, address, size))
		return bad_argument(fd);
	if (!socket_bound(fd))
		return wsa_fail(EINVAL);
	r = (int)wsa_plain(getsockname(fd, address, size));
	if (r == 0)
		windows_address(address, *size);
	return r;
}

int
portres_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	int r;

	if (wsa_missing())
		return -1;
	if (!address || !address_fits(fd, address, size))
		return bad_argument(fd);
	r = (int)wsa_plain(getpeername(fd, address, size));
	if (r == 0)
		windows_address(address, *size);
	return r;
}

int
portres_gethostname(char *name, size_t size)
{
	char own[256] = "";
	size_t n;

	if (wsa_missing())
		return -1;
	if (wsa_plain(gethostname(own, sizeof(own) - 1)) < 0)
		return -1;
	n = strlen(own) + 1;
	if (!name || n > size || usermem_write(name, own, n) < 0)
		return wsa_fail(EFAULT);
	return 0;
}
