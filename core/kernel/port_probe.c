/* SPDX-License-Identifier: MIT */
#include "core/kernel/port_probe.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>

#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"

/* Before anything is measured: what it took on a small machine. */
#define TRIAL_USUAL_NS 7000
#define LIST_USUAL_NS_TCP 450000
#define LIST_USUAL_NS_UDP 40000
#define LOOK_AGAIN 64 /* a list for so many times its price of trial binds */
#define WITNESSES 16  /* ports that are tried for a socket of our own */
#define REQUESTS 32   /* ports of request sockets that are tried one by one */
#define UNLISTED 64   /* times that a list of no use is not asked for again */

/* Not a part of the loop of trial binds, whose calls are the kernel's alone. */
#define SELDOM __attribute__((noinline, cold))

/* How the trial sockets are made; found out by the first one. */
struct trial {
	enum protocol protocol;
	int domain; /* AF_INET where there is no IPv6 for us */
	struct port_probe *probe;
	/* The lowest port of a socket that is listed, for ports that we may not
	 * bind; 0 = not asked yet, PORT_COUNT = none. */
	uint32_t listed;
	/* The ports of IPv6 sockets, if a sandbox forbids us to make one. */
	struct port_set *hidden;
	/* Those of which the list showed connections in TIME_WAIT alone; NULL =
	 * not asked yet. */
	struct time_wait *waiting;
};

struct time_wait {
	struct port_set some, others;
};

/* Does the kernel have IPv6 at all? */
static bool
ipv6_is_there(const struct sys_ops *sys)
{
	return sys_access(sys, "/proc/thread-self/net/if_inet6", F_OK) == 0;
}

/* A kernel without IPv6 says the first of these, sandboxes say the others. */
static bool
means_no_ipv6(int r)
{
	return r == -EAFNOSUPPORT || r == -EACCES || r == -EPERM ||
	       r == -EOPNOTSUPP || r == -EPROTONOSUPPORT;
}

static int
trial_socket(const struct sys_ops *sys, struct trial *trial)
{
	int type = trial->protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = sys_socket(sys, trial->domain, type | SOCK_CLOEXEC, 0);

	if (trial->domain == AF_INET6 && means_no_ipv6(fd)) {
		trial->domain = AF_INET;
		fd = sys_socket(sys, AF_INET, type | SOCK_CLOEXEC, 0);
	}
	return fd;
}

static void
make_dual_stack(const struct sys_ops *sys, struct trial *trial, int fd)
{
	int only = 0;
	socklen_t size = sizeof(only);

	if (trial->probe->dual_stack || trial->domain == AF_INET)
		return;
	if (sys_getsockopt(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) ==
		    0 &&
	    !only) {
		trial->probe->dual_stack = true;
		return;
	}
	only = 0;
	sys_setsockopt(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
}

/*
 * Binds a socket of our own to every address at once, without any reuse
 * option, which conflicts with every bound socket there is. Never the
 * caller's socket: a bind cannot be undone but by the close. Returns the
 * socket.
 */
static int
bound_socket(const struct sys_ops *sys, struct trial *trial, uint32_t port)
{
	/* sin_port and sin6_port stand at the same place. */
	struct sockaddr_in6 any = {.sin6_port = htons((uint16_t)port)};
	int fd = trial_socket(sys, trial);
	int r;

	if (fd < 0)
		return fd;
	if (trial->probe->block)
		guard_associate(sys, fd, trial->probe->owner,
				trial->probe->block);
	make_dual_stack(sys, trial, fd);
	any.sin6_family = (sa_family_t)trial->domain;
	r = sys_bind(sys, fd, &any,
		     trial->domain == AF_INET ? sizeof(struct sockaddr_in)
					      : sizeof(any));
	if (r == 0)
		return fd;
	sys_close(sys, fd);
	return r;
}

static int
trial_bind(const struct sys_ops *sys, struct trial *trial, uint32_t port)
{
	int fd = bound_socket(sys, trial, port);

	if (fd < 0)
		return fd;
	sys_close(sys, fd);
	return 0;
}

/* Our own socket in the list, and the ports of others. */
struct sight {
	uint64_t witness; /* its cookie */
	bool shown;
	uint32_t used;	   /* the lowest one; PORT_COUNT = none */
	uint32_t requests; /* different ports of request sockets, so many */
	uint16_t request[REQUESTS];
};

static void
see_request(struct sight *sight, uint16_t port)
{
	for (uint32_t i = 0; i < sight->requests && i < REQUESTS; i++)
		if (sight->request[i] == port)
			return;
	if (sight->requests < REQUESTS)
		sight->request[sight->requests] = port;
	sight->requests++;
}

static void
see(void *context, const struct inet_diag_msg *socket)
{
	struct sight *sight = context;
	uint16_t port = ntohs(socket->id.idiag_sport);

	if (((uint64_t)socket->id.idiag_cookie[1] << 32 |
	     socket->id.idiag_cookie[0]) == sight->witness)
		sight->shown = true;
	else if (socket->idiag_state == SOCKDIAG_REQUEST)
		see_request(sight, port);
	else if (sockdiag_keeps_port(socket) && port < sight->used)
		sight->used = port;
}

static void
see_lowest(void *context, const struct inet_diag_msg *socket)
{
	uint32_t *lowest = context;
	uint32_t port = ntohs(socket->id.idiag_sport);

	if (sockdiag_keeps_port(socket) && port < *lowest)
		*lowest = port;
}

/*
 * Is the port of a socket that is listed? For those below 1024 that not
 * everybody may bind. One list is read for the whole range, because they come
 * first in it.
 */
SELDOM static int
port_is_listed(const struct sys_ops *sys, struct trial *trial,
	       struct range rest)
{
	uint32_t lowest = PORT_COUNT;

	if (trial->listed == 0) {
		if (sockdiag_each(sys, trial->protocol, rest, see_lowest,
				  &lowest) < 0)
			return 1;
		trial->listed = lowest;
	}
	return trial->listed == rest.start;
}

static void
see_time_wait(void *context, const struct inet_diag_msg *socket)
{
	struct time_wait *waiting = context;
	const struct range port = {ntohs(socket->id.idiag_sport), 1};

	if (socket->idiag_state == SOCKDIAG_TIME_WAIT)
		port_set_add(&waiting->some, port);
	else if (sockdiag_keeps_port(socket))
		port_set_add(&waiting->others, port);
}

/* A service that has just stopped leaves thousands: one list is read for all
 * that are left of the range. */
SELDOM static void
learn_time_wait(const struct sys_ops *sys, struct trial *trial,
		struct range rest)
{
	long at = sys_mmap_private(sys, sizeof(struct time_wait));

	if (at < 0)
		return;
	trial->waiting = (struct time_wait *)at;
	if (sockdiag_each(sys, trial->protocol, rest, see_time_wait,
			  trial->waiting) < 0)
		*trial->waiting = (struct time_wait){0};
}

/* A connection in TIME_WAIT refuses a trial bind too. Is there another socket?
 * `rest` begins with the port. */
SELDOM static int
more_than_time_wait(const struct sys_ops *sys, struct trial *trial,
		    struct range rest)
{
	uint32_t port = rest.start;
	struct sockdiag_count count;

	if (trial->waiting && port_set_has(&trial->waiting->some, port) &&
	    !port_set_has(&trial->waiting->others, port))
		return 0;
	if (sockdiag_count(sys, trial->protocol, port, &count) < 0)
		return 1;
	/* It has ended meanwhile, or is one that the kernel does not list. */
	if (count.time_wait == 0 && count.other == 0)
		return trial_bind(sys, trial, port) != 0;
	if (count.other > 0)
		return 1;
	if (!trial->waiting && rest.count > 1)
		learn_time_wait(sys, trial, rest);
	return 0;
}

/* `rest` begins with the port. */
static int
port_in_use(const struct sys_ops *sys, struct trial *trial, struct range rest)
{
	uint32_t port = rest.start;
	int r = trial_bind(sys, trial, port);

	switch (r) {
	case 0:
		return trial->hidden && port_set_has(trial->hidden, port);
	case -EADDRINUSE:
		return trial->protocol != PROTOCOL_TCP ||
		       more_than_time_wait(sys, trial, rest);
	case -EACCES:
	case -EPERM:
		return port_is_listed(sys, trial, rest);
	default:
		return r;
	}
}

__attribute__((flatten)) static int
first_in_use(const struct sys_ops *sys, struct trial *trial, struct range range,
	     uint32_t *ret_port)
{
	for (; range.count > 0; range.start++, range.count--) {
		int r = port_in_use(sys, trial, range);

		if (r == 0)
			continue;
		if (r > 0)
			*ret_port = range.start;
		return r;
	}
	return 0;
}

/* Probes again, with the ports of IPv6 sockets. */
static int
first_beside_hidden(const struct sys_ops *sys, struct trial *trial,
		    struct range range, uint32_t *ret_port)
{
	long at = sys_mmap_private(sys, sizeof(struct port_set));
	int r;

	if (at < 0)
		return (int)at;
	trial->hidden = (struct port_set *)at;
	sockdiag_used(sys, trial->protocol, range, trial->hidden);
	r = first_in_use(sys, trial, range, ret_port);
	sys_munmap(sys, trial->hidden, sizeof(*trial->hidden));
	return r;
}

static int
first_by_trial(const struct sys_ops *sys, struct trial *trial,
	       struct range range, uint32_t *ret_port)
{
	int r;

	trial->listed = 0; /* that was another range's */
	r = first_in_use(sys, trial, range, ret_port);
	if (trial->domain == AF_INET && r >= 0 && ipv6_is_there(sys))
		r = first_beside_hidden(sys, trial, range, ret_port);
	if (trial->waiting)
		sys_munmap(sys, trial->waiting, sizeof(*trial->waiting));
	trial->waiting = NULL;
	return r;
}

/* Binds to an address of 127/8 that is hardly anybody's. */
static int
socket_apart(const struct sys_ops *sys, enum protocol protocol, uint32_t port)
{
	uint64_t chance = sys_clock(sys, CLOCK_MONOTONIC);
	struct sockaddr_in apart = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr =
			htonl(0x7f800000 | (uint32_t)(chance & 0x7fffff)),
	};
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = sys_socket(sys, AF_INET, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_bind(sys, fd, &apart, sizeof(apart));
	if (r == 0)
		return fd;
	sys_close(sys, fd);
	return r;
}

/*
 * Binds a socket to one of the ports. Which one does not matter; ports in use
 * come in clusters, and the last one is seldom among them. A socket that has
 * another address does not hinder one that has its own, nor does a connection
 * in TIME_WAIT.
 */
static int
bind_witness(const struct sys_ops *sys, struct trial *trial, struct range range)
{
	uint32_t step = range.count / WITNESSES + 1;
	uint32_t last = range_end(range) - 1;
	int fd = bound_socket(sys, trial, last);

	for (uint32_t i = 0; i < range.count && fd == -EADDRINUSE; i += step)
		fd = socket_apart(sys, trial->protocol, last - i);
	return fd;
}

/*
 * The kernel lists sockets that listen, then those that are only bound, then
 * those that are connected. A TCP socket that changes from one to another
 * meanwhile may be passed over. So the list is read twice, if nothing is in use
 * by the first one: the second shows what has changed during that.
 */
static int
read_list(const struct sockdiag *diag, enum protocol protocol,
	  struct range range, struct sight *sight)
{
	int times = protocol == PROTOCOL_TCP ? 2 : 1;
	int r = 0;

	for (int i = 0; i < times && r == 0 && sight->used == PORT_COUNT; i++) {
		sight->shown = false;
		r = sockdiag_walk(diag, protocol, range, see, sight);
		if (r == 0 && !sight->shown)
			r = -ENOENT;
	}
	return r;
}

static uint64_t
cpu_time(const struct sys_ops *sys)
{
	return sys_clock(sys, CLOCK_THREAD_CPUTIME_ID);
}

/* Other work only ever adds to a time, and in a virtual machine any amount: so
 * the estimate falls at once, and rises by a quarter of the way, to twice of
 * what it was at most. */
static void
learn(uint32_t *estimate, uint64_t ns)
{
	uint64_t before = *estimate;
	uint64_t now =
		before == 0 || ns < before ? ns : before + (ns - before) / 4;

	if (before && now > 2 * before)
		now = 2 * before;
	*estimate = now < UINT32_MAX ? (uint32_t)now : UINT32_MAX;
}

/* Not for want of descriptors or memory? */
static bool
is_lasting(int r)
{
	return r < 0 && r != -EMFILE && r != -ENFILE && r != -ENOBUFS &&
	       r != -ENOMEM;
}

/* A request whose listener is closed is listed, and hinders no bind: its port
 * is tried. Or all are, where there are too many. */
static int
first_in_sight(const struct sys_ops *sys, struct trial *trial,
	       struct range range, const struct sight *sight,
	       uint32_t *ret_port)
{
	uint32_t first = sight->used, port = 0;

	if (sight->requests > REQUESTS)
		return first_by_trial(sys, trial, range, ret_port);
	for (uint32_t i = 0; i < sight->requests; i++) {
		const struct range one = {sight->request[i], 1};
		int r = one.start < first
				? first_by_trial(sys, trial, one, &port)
				: 0;

		if (r < 0)
			return r;
		if (r > 0)
			first = port;
	}
	if (first == PORT_COUNT)
		return 0;
	*ret_port = first;
	return 1;
}

/* Answers as first_by_trial() does; an error says that the list is no use. */
static int
first_by_list(const struct sys_ops *sys, struct trial *trial,
	      struct port_cost *cost, struct range range, uint32_t *ret_port)
{
	struct sight sight = {.used = PORT_COUNT};
	uint8_t *unlisted = &trial->probe->unlisted[trial->protocol];
	uint64_t began = cpu_time(sys), opened, bound;
	struct sockdiag diag;
	int witness, r = sockdiag_open(sys, &diag);

	*unlisted = is_lasting(r) ? UNLISTED : 0;
	if (r < 0)
		return r;
	opened = cpu_time(sys);
	r = witness = bind_witness(sys, trial, range);
	bound = cpu_time(sys);
	if (r >= 0)
		r = sock_cookie(sys, witness, &sight.witness);
	if (r == 0) {
		r = read_list(&diag, trial->protocol, range, &sight);
		*unlisted = is_lasting(r) ? UNLISTED : 0;
	}
	if (witness >= 0)
		sys_close(sys, witness);
	sockdiag_close(&diag);
	if (r < 0)
		return r;
	/* Without what was shown: that is the price of the range, not of the
	 * kernel's tables. */
	if (sight.used == PORT_COUNT) {
		learn(&cost->trial, bound - opened);
		learn(&cost->list, cpu_time(sys) - began);
	}
	return first_in_sight(sys, trial, range, &sight, ret_port);
}

/* Which of the two is taken. */

static uint64_t
price_of_list(const struct port_cost *cost, enum protocol protocol)
{
	uint64_t usual = protocol == PROTOCOL_TCP ? LIST_USUAL_NS_TCP
						  : LIST_USUAL_NS_UDP;

	return cost->list ? cost->list : usual;
}

static uint64_t
price_of_trials(const struct port_cost *cost, uint64_t count)
{
	return (cost->trial ? cost->trial : TRIAL_USUAL_NS) * count;
}

bool
port_probe_list_pays(const struct port_cost *cost, enum protocol protocol,
		     uint64_t ports)
{
	return price_of_trials(cost, ports) >= price_of_list(cost, protocol);
}

static bool
list_is_better(struct port_probe *probe, struct port_cost *cost,
	       enum protocol protocol, struct range range)
{
	/* A list takes a trial bind as well, whose time is taken with it. */
	if (range.count == 1)
		return false;
	if (probe->unlisted[protocol]) {
		probe->unlisted[protocol]--;
		return false;
	}
	/* The kernel's tables may have become smaller. */
	if (!port_probe_list_pays(cost, protocol, range.count) &&
	    cost->spent / LOOK_AGAIN < price_of_list(cost, protocol)) {
		cost->spent += price_of_trials(cost, range.count);
		return false;
	}
	cost->spent = 0;
	return true;
}

int
port_probe_first(const struct sys_ops *sys, struct port_probe *probe,
		 struct port_cost *cost, enum protocol protocol,
		 struct range range, uint32_t *ret_port)
{
	struct trial trial = {
		.protocol = protocol, .domain = AF_INET6, .probe = probe};
	int r;

	if (list_is_better(probe, cost, protocol, range)) {
		r = first_by_list(sys, &trial, cost, range, ret_port);
		if (r >= 0)
			return r;
	}
	return first_by_trial(sys, &trial, range, ret_port);
}

int
port_probe_conflicts(const struct sys_ops *sys, struct port_probe *probe,
		     enum protocol protocol, uint32_t port)
{
	struct trial trial = {
		.protocol = protocol, .domain = AF_INET6, .probe = probe};
	int r = trial_bind(sys, &trial, port);

	/* No right to bind below 1024? The caller's own bind says so. */
	if (r == -EADDRINUSE || r == -EACCES || r == -EPERM)
		return r == -EADDRINUSE;
	return r;
}
