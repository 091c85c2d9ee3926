/* SPDX-License-Identifier: MIT */
#include "core/endpoint.h"

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
endpoint_protocol(const struct sys_ops *sys, int fd,
		  enum protocol *ret_protocol)
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
endpoint_cookie(const struct sys_ops *sys, int fd, uint64_t *ret_cookie)
{
	return get(sys, fd, SO_COOKIE, ret_cookie, sizeof(*ret_cookie));
}

bool
endpoint_is(const struct sys_ops *sys, int fd, uint64_t cookie)
{
	uint64_t seen;

	return endpoint_cookie(sys, fd, &seen) == 0 && seen == cookie;
}

int
endpoint_netns(const struct sys_ops *sys, int fd, uint64_t *ret_netns)
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
endpoint_port(const struct sys_ops *sys, int fd, uint16_t *ret_port,
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
endpoint_address_port(const struct sockaddr *address, socklen_t size)
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
endpoint_takes_address(const struct sys_ops *sys, int fd,
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
endpoint_shares_ports(const struct sys_ops *sys, int fd)
{
	int address = 0, port = 0;

	get(sys, fd, SO_REUSEADDR, &address, sizeof(address));
	get(sys, fd, SO_REUSEPORT, &port, sizeof(port));
	return address || port;
}

bool
endpoint_puts_port_off(const struct sys_ops *sys, int fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	sys_getsockopt(sys, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		       &size);
	return on != 0;
}

void
endpoint_put_port_off(const struct sys_ops *sys, int fd, bool on)
{
	int value = on;

	sys_setsockopt(sys, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &value,
		       sizeof(value));
}

bool
endpoint_takes_peer(const struct sys_ops *sys, int fd,
		    const struct sockaddr *address, socklen_t size)
{
	int domain;

	return get(sys, fd, SO_DOMAIN, &domain, sizeof(domain)) == 0 &&
	       address->sa_family == domain &&
	       endpoint_address_port(address, size) >= 0;
}

void
endpoint_set_port(struct sockaddr *address, uint16_t port)
{
	((struct sockaddr_in *)address)->sin_port = htons(port);
}
