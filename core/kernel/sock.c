/* SPDX-License-Identifier: MIT */
#include "core/kernel/sock.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int
get(const struct sys_ops *sys, int fd, int option, void *to, socklen_t size)
{
	int r = sys_getsockopt(sys, fd, SOL_SOCKET, option, to, &size);

	return r < 0 ? r : 0;
}

/* A socket answers at the level of its own protocol; a raw one never does. */
static bool
answers(const struct sys_ops *sys, int fd, int level, int option)
{
	int value;
	socklen_t size = sizeof(value);

	return sys_getsockopt(sys, fd, level, option, &value, &size) >= 0;
}

static bool
is_of_internet(const struct sys_ops *sys, int fd, int type)
{
	int domain, found;

	return get(sys, fd, SO_TYPE, &found, sizeof(found)) == 0 &&
	       found == type &&
	       get(sys, fd, SO_DOMAIN, &domain, sizeof(domain)) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/*
 * A number alone is no proof: raw sockets, and those of netlink and CAN, have
 * protocols of these numbers too. Nor is silence: not each kernel (gVisor)
 * knows an option of UDP's level.
 */
int
sock_protocol(const struct sys_ops *sys, int fd, enum protocol *ret_protocol)
{
	int protocol;
	int r = get(sys, fd, SO_PROTOCOL, &protocol, sizeof(protocol));

	if (r < 0)
		return r;
	if (protocol == IPPROTO_TCP &&
	    answers(sys, fd, IPPROTO_TCP, TCP_NODELAY)) {
		*ret_protocol = PROTOCOL_TCP;
		return 0;
	}
	if (protocol == IPPROTO_UDP &&
	    (answers(sys, fd, IPPROTO_UDP, UDP_CORK) ||
	     is_of_internet(sys, fd, SOCK_DGRAM))) {
		*ret_protocol = PROTOCOL_UDP;
		return 0;
	}
	if (protocol == IPPROTO_MPTCP && is_of_internet(sys, fd, SOCK_STREAM)) {
		*ret_protocol = PROTOCOL_TCP;
		return -EPROTONOSUPPORT;
	}
	return -EOPNOTSUPP;
}

int
sock_cookie(const struct sys_ops *sys, int fd, uint64_t *ret_cookie)
{
	return get(sys, fd, SO_COOKIE, ret_cookie, sizeof(*ret_cookie));
}

bool
sock_is(const struct sys_ops *sys, int fd, uint64_t cookie)
{
	uint64_t seen;

	return sock_cookie(sys, fd, &seen) == 0 && seen == cookie;
}

int
sock_netns(const struct sys_ops *sys, int fd, uint64_t *ret_netns)
{
	struct stat st;
	int r = get(sys, fd, SO_NETNS_COOKIE, ret_netns, sizeof(*ret_netns));
	int ns;

	if (r != -ENOPROTOOPT)
		return r;
	/* Before Linux 5.14: the inode of the thread's namespace. */
	ns = sys_open(sys, "/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC, 0);
	if (ns < 0)
		return ns;
	r = sys_fstat(sys, ns, &st);
	sys_close(sys, ns);
	if (r == 0)
		*ret_netns = st.st_ino;
	return r;
}

int
sock_port(const struct sys_ops *sys, int fd, uint16_t *ret_port,
	  struct sockaddr_in6 *ret_address, socklen_t *ret_size)
{
	struct sockaddr_in6 address = {0};
	socklen_t size = sizeof(address);
	int r = sys_getsockname(sys, fd, &address, &size);

	if (r < 0)
		return r;
	if (address.sin6_family != AF_INET && address.sin6_family != AF_INET6)
		return -EOPNOTSUPP;
	/* sin_port and sin6_port stand at the same place. */
	*ret_port = ntohs(address.sin6_port);
	if (ret_address) {
		*ret_address = address;
		*ret_size = size;
	}
	return 0;
}

int
sock_address_port(const struct sockaddr *address, socklen_t size)
{
	switch (address->sa_family) {
	case AF_UNSPEC:
	case AF_INET:
		if (size < sizeof(struct sockaddr_in))
			return -1;
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6:
		/* The kernel does without the scope id (RFC 2133). */
		if (size < offsetof(struct sockaddr_in6, sin6_scope_id))
			return -1;
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default:
		return -1;
	}
}

bool
sock_takes_address(const struct sys_ops *sys, int fd,
		   const struct sockaddr *address)
{
	int domain;

	if (get(sys, fd, SO_DOMAIN, &domain, sizeof(domain)) < 0)
		return false;
	if (domain == AF_INET && address->sa_family == AF_UNSPEC)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr ==
		       INADDR_ANY;
	return address->sa_family == domain;
}

bool
sock_shares_ports(const struct sys_ops *sys, int fd)
{
	int address = 0, port = 0;

	get(sys, fd, SO_REUSEADDR, &address, sizeof(address));
	get(sys, fd, SO_REUSEPORT, &port, sizeof(port));
	return address || port;
}

void
sock_set_reuse(const struct sys_ops *sys, int fd, bool on)
{
	int value = on;

	sys_setsockopt(sys, fd, SOL_SOCKET, SO_REUSEADDR, &value,
		       sizeof(value));
}

bool
sock_puts_port_off(const struct sys_ops *sys, int fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	sys_getsockopt(sys, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		       &size);
	return on != 0;
}

void
sock_put_port_off(const struct sys_ops *sys, int fd, bool on)
{
	int value = on;

	sys_setsockopt(sys, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &value,
		       sizeof(value));
}

bool
sock_takes_peer(const struct sys_ops *sys, int fd,
		const struct sockaddr *address, socklen_t size)
{
	int domain;

	return get(sys, fd, SO_DOMAIN, &domain, sizeof(domain)) == 0 &&
	       address->sa_family == domain &&
	       sock_address_port(address, size) >= 0;
}

void
sock_set_port(struct sockaddr *address, uint16_t port)
{
	((struct sockaddr_in *)address)->sin_port = htons(port);
}

/* The descriptors of this process, and one among them. */

/* The number in the name of an entry of /proc/…/fd, or -1. */
static int
entry_number(const char *name)
{
	int n = 0;

	if (*name < '0' || *name > '9')
		return -1;
	for (; *name >= '0' && *name <= '9'; name++)
		n = n * 10 + (*name - '0');
	return n;
}

int
sock_each(const struct sys_ops *sys, sock_visit *visit, void *context)
{
	char page[1024] __attribute__((aligned(8)));
	bool go_on = true;
	long n = 0;
	/* Not "self": the main thread may have ended before the others. */
	int dir = sys_open(sys, "/proc/thread-self/fd",
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	while (go_on && (n = sys_getdents(sys, dir, page, sizeof(page))) > 0)
		for (long at = 0; at < n && go_on;) {
			const struct dirent64 *entry = (void *)(page + at);
			int fd = entry_number(entry->d_name);

			if (fd >= 0 && fd != dir)
				go_on = visit(context, fd);
			at += entry->d_reclen;
		}
	sys_close(sys, dir);
	return n < 0 ? (int)n : 0;
}

struct wanted {
	const struct sys_ops *sys;
	uint64_t cookie;
	int found;
};

static bool
is_wanted(void *context, int fd)
{
	struct wanted *wanted = context;

	if (sock_is(wanted->sys, fd, wanted->cookie))
		wanted->found = fd;
	return wanted->found < 0;
}

int
sock_find(const struct sys_ops *sys, uint64_t cookie)
{
	struct wanted wanted = {sys, cookie, -ENOENT};
	int r = sock_each(sys, is_wanted, &wanted);

	return r < 0 ? r : wanted.found;
}

/* Ports that the kernel shows and the socket no longer has. */

static bool
is_any(const struct sockaddr_in6 *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

	return address->sin6_family == AF_INET
		       ? v4->sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(&address->sin6_addr);
}

/* TCP, neither connected nor listening; its address and port as shown. */
static bool
is_closed(const struct sys_ops *sys, int fd, struct sockaddr_in6 *ret)
{
	uint8_t state = 0;
	socklen_t size = sizeof(state);
	uint16_t port;

	return sys_getsockopt(sys, fd, IPPROTO_TCP, TCP_INFO, &state, &size) >=
		       0 &&
	       state == TCP_CLOSE && sock_port(sys, fd, &port, ret, &size) == 0;
}

/* Only a socket without a port can be bound, and with the autobind put off that
 * changes nothing; but an address of its own would be the socket's for good. */
static bool
gave_up(const struct sys_ops *sys, int fd, struct sockaddr_in6 *own)
{
	bool off = sock_puts_port_off(sys, fd);
	int r;

	sock_put_port_off(sys, fd, true);
	if (!sock_puts_port_off(sys, fd))
		return false; /* it does not know the option */
	sock_set_port((struct sockaddr *)own, 0);
	r = sys_bind(sys, fd, own, sizeof(*own));
	sock_put_port_off(sys, fd, off);
	return r == 0;
}

enum sock_port_state
sock_port_state(const struct sys_ops *sys, int fd)
{
	struct sockaddr_in6 own;
	uint16_t port;

	if (sock_port(sys, fd, &port, NULL, NULL) < 0)
		return SOCK_BOUND;
	if (port == 0)
		return SOCK_UNBOUND;
	if (!is_closed(sys, fd, &own))
		return SOCK_BOUND;
	if (!is_any(&own))
		return SOCK_UNSURE;
	return gave_up(sys, fd, &own) ? SOCK_UNBOUND : SOCK_BOUND;
}
