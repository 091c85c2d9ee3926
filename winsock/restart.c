/* SPDX-License-Identifier: MIT */
#include "winsock/restart.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"
#include "winsock/error.h"
#include "winsock/monitor.h"
#include "winsock/socket.h"
#include "winsock/state.h"

#define TURN_TRIES 100 /* of a millisecond */

static void
set_reuse(int fd, int on)
{
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

/* The program's own SO_REUSEADDR is its own affair. */
static bool
concerns(int fd)
{
	return socket_type(fd) == SOCK_STREAM &&
	       !state_flags(fd, STATE_REUSE) &&
	       (socket_family(fd) == AF_INET || socket_family(fd) == AF_INET6);
}

static uint16_t
port_of(const struct sockaddr *address)
{
	return ((const struct sockaddr_in *)(const void *)address)->sin_port;
}

/*
 * Whose turn it is with a port: a name in the network namespace that one
 * process has at a time, and that ends with it. The child of a fork gives up
 * what other threads had, or they would have it for as long as it lives.
 */
struct turn {
	int fd;
	int cancelling;
	struct turn *next;
};

static struct turn *turns; /* this process' */

static void
forget(void)
{
	for (; turns; turns = turns->next) {
		close(turns->fd);
		turns->fd = -1;
	}
}

static void
end_turn(struct turn *turn)
{
	struct turn **at = &turns;

	monitor_enter();
	while (*at && *at != turn)
		at = &(*at)->next;
	if (*at) {
		*at = turn->next;
		close(turn->fd);
	}
	monitor_leave();
	pthread_setcancelstate(turn->cancelling, NULL);
}

/* The turn is on the thread's stack: it must not be cancelled meanwhile. */
static void
begin_turn(struct turn *turn)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &turn->cancelling);
	monitor_enter();
	monitor_in_child(forget);
	turn->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (turn->fd >= 0) {
		turn->next = turns;
		turns = turn;
	}
	monitor_leave();
}

/* False: another's turn does not end. */
static bool
take_turn(struct turn *turn, uint16_t port)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size;

	/* The first byte is 0: no file. */
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)sprintf(name.sun_path + 1,
					   "portres-restart-%u", ntohs(port)));
	begin_turn(turn);
	for (int i = 0; i < TURN_TRIES; i++) {
		if (bind(turn->fd, (struct sockaddr *)&name, size) == 0)
			return true;
		if (errno != EADDRINUSE)
			break;
		nanosleep(&moment, NULL);
	}
	end_turn(turn);
	return false;
}

/* Addresses of two families may well overlap. */
static bool
overlap(const struct sockaddr *address, const struct inet_diag_msg *other)
{
	static const struct in6_addr any;
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;
	size_t size = address->sa_family == AF_INET ? 4 : 16;
	const void *own = size == 4 ? (const void *)&four->sin_addr
				    : (const void *)&six->sin6_addr;

	return other->idiag_family != address->sa_family ||
	       memcmp(own, &any, size) == 0 ||
	       memcmp(other->id.idiag_src, &any, size) == 0 ||
	       memcmp(own, other->id.idiag_src, size) == 0;
}

/*
 * Reads an answer's sockets. A connection that is in TIME_WAIT, or that its
 * process has closed and the kernel ends, is no file's any more: it has no
 * inode. 1: another socket is in the way; 0: none; -1: the end.
 */
static int
read_answer(const char *answer, ssize_t size, const struct sockaddr *address)
{
	const struct nlmsghdr *at = (const void *)answer;

	for (; NLMSG_OK(at, size); at = NLMSG_NEXT(at, size)) {
		const struct inet_diag_msg *socket = NLMSG_DATA(at);

		if (at->nlmsg_type == NLMSG_DONE)
			return -1;
		if (at->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			return 1;
		if (socket->idiag_inode && overlap(address, socket))
			return 1;
	}
	return 0;
}

static bool
in_the_way(int netlink, int family, const struct sockaddr *address)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} ask = {
		.head = {.nlmsg_len = sizeof(ask),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = (uint8_t)family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = ~0u,
			 .id.idiag_sport = port_of(address)},
	};
	char answer[8192] __attribute__((aligned(8)));
	int found = 0;

	if (send(netlink, &ask, sizeof(ask), 0) != sizeof(ask))
		return true;
	while (found == 0) {
		ssize_t n = recv(netlink, answer, sizeof(answer), 0);

		if (n <= 0)
			return true;
		found = read_answer(answer, n, address);
	}
	return found > 0;
}

/* Is none but the past on the port? Not sure is no. */
static bool
only_the_past(const struct sockaddr *address)
{
	int netlink =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool only = netlink >= 0 && !in_the_way(netlink, AF_INET, address) &&
		    !in_the_way(netlink, AF_INET6, address);

	if (netlink >= 0)
		close(netlink);
	return only;
}

/* May the bind be tried again? A block that has no port left knows itself which
 * of its ports are in TIME_WAIT. */
static bool
may_try_again(int fd, const struct sockaddr *address)
{
	struct portres_refusal why;
	uint32_t reason =
		portres_refusal(&why) < 0 ? PORTRES_NOT_OURS : why.reason;

	return errno == EADDRINUSE && concerns(fd) &&
	       (reason == PORTRES_EXHAUSTED ||
		(reason == PORTRES_NOT_OURS && port_of(address)));
}

/* The option, for as long as the call takes. */
static int
bind_over(int fd, const struct sockaddr *address, socklen_t size)
{
	struct turn turn;
	int r = -1;

	if (!take_turn(&turn, port_of(address)))
		return -1;
	if (!port_of(address) || only_the_past(address)) {
		set_reuse(fd, 1);
		r = bind(fd, address, size);
		set_reuse(fd, 0);
	}
	end_turn(&turn);
	return r;
}

int
restart_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int before = errno;
	int r = (int)wsa_answer(bind(fd, address, size));

	if (r == 0 || !may_try_again(fd, address))
		return r;
	r = bind_over(fd, address, size);
	/* It has failed as it did first, and what was set beside counts. */
	errno = r == 0 ? before : EADDRINUSE;
	return r;
}

static int
listen_over(int fd, int backlog)
{
	int r;

	set_reuse(fd, 1);
	r = (int)wsa_answer(listen(fd, backlog));
	if (r < 0) {
		int err = errno;

		set_reuse(fd, 0);
		errno = err;
	} else {
		state_change(fd, STATE_QUIET_REUSE, 0);
	}
	return r;
}

int
restart_listen(int fd, int backlog)
{
	struct sockaddr_in6 own = {0};
	socklen_t size = sizeof(own);
	struct turn turn;
	int r;

	if (!concerns(fd) || state_flags(fd, STATE_QUIET_REUSE) ||
	    getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return (int)wsa_answer(listen(fd, backlog));
	if (!take_turn(&turn, port_of((struct sockaddr *)&own)))
		return (int)wsa_answer(listen(fd, backlog));
	r = listen_over(fd, backlog);
	end_turn(&turn);
	return r;
}

void
restart_connected(int fd)
{
	int before = errno;

	if (concerns(fd)) {
		set_reuse(fd, 1);
		state_change(fd, STATE_QUIET_REUSE, 0);
	}
	errno = before;
}
