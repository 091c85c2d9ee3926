/* SPDX-License-Identifier: MIT */
#include "core/kernel/port_probe.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/kernel/sockdiag.h"
#include "core/kernel/sys.h"

/* How the trial sockets are made; found out by the first one. */
struct trial {
	enum protocol protocol;
	int domain;	  /* AF_INET where there is no IPv6 for us */
	bool *dual_stack; /* sockets are by default */
	int owner;
	const struct guarded *block; /* that the guard lets it into, or NULL */
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

	if (*trial->dual_stack || trial->domain == AF_INET)
		return;
	if (sys_getsockopt(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) ==
		    0 &&
	    !only) {
		*trial->dual_stack = true;
		return;
	}
	only = 0;
	sys_setsockopt(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
}

/*
 * Binds a socket of our own to every address at once, without any reuse
 * option, which conflicts with every bound socket there is. Never the
 * caller's socket, and closed at once: a bind cannot be undone otherwise.
 */
static int
trial_bind(const struct sys_ops *sys, struct trial *trial, uint32_t port)
{
	/* sin_port and sin6_port stand at the same place. */
	struct sockaddr_in6 any = {.sin6_port = htons((uint16_t)port)};
	int fd = trial_socket(sys, trial);
	int r;

	if (fd < 0)
		return fd;
	if (trial->block)
		guard_associate(sys, fd, trial->owner, trial->block);
	make_dual_stack(sys, trial, fd);
	any.sin6_family = (sa_family_t)trial->domain;
	r = sys_bind(sys, fd, &any,
		     trial->domain == AF_INET ? sizeof(struct sockaddr_in)
					      : sizeof(any));
	sys_close(sys, fd);
	return r;
}

static int
port_in_use(const struct sys_ops *sys, struct trial *trial, uint32_t port)
{
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
		/* No right to bind below 1024: ask sock_diag instead. */
		if (sockdiag_count(sys, protocol, port, &count) < 0)
			return 1;
		return count.other > 0;
	default:
		return r;
	}
}

static int
first_in_use(const struct sys_ops *sys, struct trial *trial, struct range range,
	     uint32_t *ret_port)
{
	for (uint32_t port = range.start; port < range_end(range); port++) {
		int r = port_in_use(sys, trial, port);

		if (r == 0)
			continue;
		if (r > 0)
			*ret_port = port;
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

int
port_probe_first(const struct sys_ops *sys, enum protocol protocol,
		 struct range range, bool *dual_stack, uint32_t *ret_port)
{
	struct trial trial = {.protocol = protocol,
			      .domain = AF_INET6,
			      .dual_stack = dual_stack};
	int r = first_in_use(sys, &trial, range, ret_port);

	if (trial.domain == AF_INET && r >= 0 && ipv6_is_there(sys))
		r = first_beside_hidden(sys, &trial, range, ret_port);
	return r;
}

int
port_probe_conflicts(const struct sys_ops *sys, enum protocol protocol,
		     uint32_t port, bool *dual_stack, int owner,
		     const struct guarded *block)
{
	struct trial trial = {.protocol = protocol,
			      .domain = AF_INET6,
			      .dual_stack = dual_stack,
			      .owner = owner,
			      .block = block};
	int r = trial_bind(sys, &trial, port);

	/* No right to bind below 1024? The caller's own bind says so. */
	if (r == -EADDRINUSE || r == -EACCES || r == -EPERM)
		return r == -EADDRINUSE;
	return r;
}
