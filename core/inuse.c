/* SPDX-License-Identifier: MIT */
#include "core/inuse.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/sockdiag.h"

static int
bind_any(const struct sys_ops *sys, int domain, int fd, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
	int dual_stack = 0;

	if (domain == AF_INET)
		return sys_bind(sys, fd, &v4, sizeof(v4));
	/* Said aloud, for machines where net.ipv6.bindv6only is set. */
	sys_setsockopt(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, &dual_stack,
		       sizeof(dual_stack));
	return sys_bind(sys, fd, &v6, sizeof(v6));
}

/*
 * Binds a socket of our own to every address at once, without any reuse
 * option, which conflicts with every bound socket there is. Never the
 * caller's socket, and closed at once: a bind cannot be undone otherwise.
 */
static int
trial_bind(const struct sys_ops *sys, enum protocol protocol, uint32_t port)
{
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int domain = AF_INET6;
	int fd = sys_socket(sys, domain, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd == -EAFNOSUPPORT) {
		domain = AF_INET;
		fd = sys_socket(sys, domain, type | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return fd;
	r = bind_any(sys, domain, fd, htons((uint16_t)port));
	sys_close(sys, fd);
	return r;
}

static int
port_in_use(const struct sys_ops *sys, enum protocol protocol, uint32_t port)
{
	int r = trial_bind(sys, protocol, port);
	struct sockdiag_count count;

	switch (r) {
	case 0:
		return 0;
	case -EADDRINUSE:
		/* A connection in TIME_WAIT refuses the bind too. */
		if (protocol != PROTOCOL_TCP ||
		    sockdiag_count(sys, protocol, port, &count) < 0)
			return 1;
		return count.time_wait == 0 || count.other > 0;
	case -EACCES:
	case -EPERM:
		/* Below 1024, and no right to bind there: ask instead. */
		if (sockdiag_count(sys, protocol, port, &count) < 0)
			return 1;
		return count.other > 0;
	default:
		return r;
	}
}

int
inuse_first(const struct sys_ops *sys, enum protocol protocol,
	    struct range range, uint32_t *ret_port)
{
	for (uint32_t port = range.start; port < range_end(range); port++) {
		int r = port_in_use(sys, protocol, port);

		if (r == 0)
			continue;
		if (r > 0)
			*ret_port = port;
		return r;
	}
	return 0;
}
