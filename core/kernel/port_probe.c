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
#define WITNESSES 4   /* ports that are tried for a socket of our own */

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

/* Our own socket in the list, and the lowest ports of others. */
struct sight {
	uint64_t witness; /* its cookie */
	bool shown;
	uint32_t used;	  /* PORT_COUNT = none */
	uint32_t request; /* of a request socket, likewise */
};

static void
see(void *context, const struct inet_diag_msg *socket)
{
	struct sight *sight = context;
	uint32_t *lowest = socket->idiag_state == SOCKDIAG_REQUEST
				   ? &sight->request
				   : &sight->used;
	uint32_t port = ntohs(socket->id.idiag_sport);

	if (((uint64_t)socket->id.idiag_cookie[1] << 32 |
	     socket->id.idiag_cookie[0]) == sight->witness)
		sight->shown = true;
	else if (port < *lowest && socket->idiag_state != SOCKDIAG_TIME_WAIT)
		*lowest = port;
}

/*
 * Is the port of a socket that is listed? For those below 1024 that not
 * everybody may bind. One list is read for the whole range, because they come
 * first in it.
 */
static int
port_is_listed(const struct sys_ops *sys, struct trial *trial,
	       struct range rest)
{
	struct sight sight = {.used = PORT_COUNT, .request = PORT_COUNT};

	if (trial->listed == 0) {
		if (sockdiag_each(sys, trial->protocol, rest, see, &sight) < 0)
			return 1;
		trial->listed =
			sight.used < sight.request ? sight.used : sight.request;
	}
	return trial->listed == rest.start;
}

/* `rest` begins with the port. */
static int
port_in_use(const struct sys_ops *sys, struct trial *trial, struct range rest)
{
	uint32_t port = rest.start;
	enum protocol protocol = trial->protocol;
	int r = trial_bind(sys, trial, port);
	struct sockdiag_count count;

	switch (r) {
	case 0:
		return trial->hidden && port_set_has(trial->hidden, port);
	case -EADDRINUSE:
		/* A connection in TIME_WAIT refuses the bind too. */
		if (protocol != PROTOCOL_TCP ||
		    sockdiag_count(sys, protocol, port, &count) < 0)
			return 1;
		return count.time_wait == 0 || count.other > 0;
	case -EACCES:
	case -EPERM:
		return port_is_listed(sys, trial, rest);
	default:
		return r;
	}
}

static int
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
	int r = first_in_use(sys, trial, range, ret_port);

	if (trial->domain == AF_INET && r >= 0 && ipv6_is_there(sys))
		r = first_beside_hidden(sys, trial, range, ret_port);
	return r;
}

/* Binds a socket to one of the ports. Which one does not matter; ports in use
 * come in clusters, and the last one is seldom among them. */
static int
bind_witness(const struct sys_ops *sys, struct trial *trial, struct range range)
{
	uint32_t step = range.count / WITNESSES + 1;
	int fd = -EADDRINUSE;

	for (uint32_t i = 0; i < range.count && fd == -EADDRINUSE; i += step)
		fd = bound_socket(sys, trial, range_end(range) - 1 - i);
	return fd;
}

/*
 * The kernel lists sockets that listen, then those that are only bound, then
 * those that are connected. A TCP socket that changes from one to another
 * meanwhile may be passed over. So the list is read twice: the second one shows
 * what has changed during the first.
 */
static int
read_list(const struct sockdiag *diag, enum protocol protocol,
	  struct range range, struct sight *sight)
{
	int times = protocol == PROTOCOL_TCP ? 2 : 1;
	int r = 0;

	for (int i = 0; i < times && r == 0; i++) {
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

/* A request whose listener is closed is listed, and hinders no bind. */
static int
first_in_sight(const struct sys_ops *sys, struct trial *trial,
	       struct range range, const struct sight *sight,
	       uint32_t *ret_port)
{
	uint32_t end =
		sight->used < PORT_COUNT ? sight->used : range_end(range);

	if (sight->request < end) {
		const struct range doubtful = {sight->request,
					       end - sight->request};
		int r = first_by_trial(sys, trial, doubtful, ret_port);

		if (r != 0)
			return r;
	}
	if (sight->used == PORT_COUNT)
		return 0;
	*ret_port = sight->used;
	return 1;
}

/* The same as first_by_trial(); but an error says that the list is no use. */
static int
first_by_list(const struct sys_ops *sys, struct trial *trial,
	      struct port_cost *cost, struct range range, uint32_t *ret_port)
{
	struct sight sight = {.used = PORT_COUNT, .request = PORT_COUNT};
	bool *unlisted = &trial->probe->unlisted[trial->protocol];
	uint64_t began = cpu_time(sys), opened, bound;
	struct sockdiag diag;
	int witness, r = sockdiag_open(sys, &diag);

	*unlisted = is_lasting(r);
	if (r < 0)
		return r;
	opened = cpu_time(sys);
	r = witness = bind_witness(sys, trial, range);
	bound = cpu_time(sys);
	if (r >= 0)
		r = sock_cookie(sys, witness, &sight.witness);
	if (r == 0) {
		r = read_list(&diag, trial->protocol, range, &sight);
		*unlisted = is_lasting(r);
	}
	if (witness >= 0)
		sys_close(sys, witness);
	sockdiag_close(&diag);
	if (r < 0)
		return r;
	learn(&cost->trial, bound - opened);
	learn(&cost->list, cpu_time(sys) - began);
	return first_in_sight(sys, trial, range, &sight, ret_port);
}

/* Which of the two is taken. */

static bool
list_is_better(const struct port_probe *probe, struct port_cost *cost,
	       enum protocol protocol, struct range range)
{
	uint64_t usual = protocol == PROTOCOL_TCP ? LIST_USUAL_NS_TCP
						  : LIST_USUAL_NS_UDP;
	uint64_t list = cost->list ? cost->list : usual;
	uint64_t trials =
		(uint64_t)(cost->trial ? cost->trial : TRIAL_USUAL_NS) *
		range.count;

	/* A list takes a trial bind as well, whose time is taken with it. */
	if (range.count == 1 || probe->unlisted[protocol])
		return false;
	/* The kernel's tables may have become smaller. */
	if (trials < list && cost->spent / LOOK_AGAIN < list) {
		cost->spent += trials;
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
