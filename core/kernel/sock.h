/* SPDX-License-Identifier: MIT */
/* Questions to the kernel about a socket. */
#ifndef PORTRES_CORE_KERNEL_SOCK_H
#define PORTRES_CORE_KERNEL_SOCK_H

#include <errno.h>
#include <netinet/in.h>

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/*
 * The pool whose ports the socket uses. Returns 0, -EBADF, -ENOTSOCK, or
 * -EOPNOTSUPP for anything that is not TCP or UDP. MPTCP takes TCP's ports, so
 * ret_protocol is PROTOCOL_TCP, but it cannot own reservations:
 * -EPROTONOSUPPORT, with ret_protocol set.
 */
int sock_protocol(const struct sys_ops *sys, int fd,
		  enum protocol *ret_protocol);

/* Does the socket take ports of one of the pools? MPTCP does. */
static inline bool
sock_takes_ports(const struct sys_ops *sys, int fd, enum protocol *ret_protocol)
{
	int r = sock_protocol(sys, fd, ret_protocol);

	return r == 0 || r == -EPROTONOSUPPORT;
}

/* Identity of the open socket: the same through dup, fork and exec, never
 * used again. Returns 0, -EBADF or -ENOTSOCK. */
int sock_cookie(const struct sys_ops *sys, int fd, uint64_t *ret_cookie);

/* Is this a descriptor of the open socket with that cookie? */
bool sock_is(const struct sys_ops *sys, int fd, uint64_t cookie);

/* Calls `visit` for each descriptor of this process, until it returns false.
 * Returns 0, or -Exxx when /proc/thread-self/fd cannot be read. */
typedef bool sock_visit(void *context, int fd);
int sock_each(const struct sys_ops *sys, sock_visit *visit, void *context);

/* A descriptor of that socket in this process, -ENOENT when there is none,
 * or -Exxx as sock_each(). */
int sock_find(const struct sys_ops *sys, uint64_t cookie);

/* Identity of the socket's network namespace. Returns 0 or -Exxx. */
int sock_netns(const struct sys_ops *sys, int fd, uint64_t *ret_netns);

/*
 * The local port, 0 when unbound. ret_address, where not NULL, becomes the
 * local address: of an unbound socket the wildcard of its family, ready to be
 * bound. Returns 0, or -Exxx: -EOPNOTSUPP when it is not IPv4 or IPv6.
 */
int sock_port(const struct sys_ops *sys, int fd, uint16_t *ret_port,
	      struct sockaddr_in6 *ret_address, socklen_t *ret_size);

/*
 * Has the socket a port? A TCP socket that nobody has bound gives its port back
 * when its connect() has failed, and getsockname() still shows it. Such a one
 * is bound in vain to find that out, and then shows 0; one that has an address
 * of its own cannot be asked so, and is UNSURE.
 */
enum sock_port_state { SOCK_UNBOUND, SOCK_BOUND, SOCK_UNSURE };

enum sock_port_state sock_port_state(const struct sys_ops *sys, int fd);

/*
 * The port in an AF_INET or AF_INET6 address of `size` bytes, or -1 where the
 * kernel would not read one. AF_UNSPEC counts as AF_INET, as bind() has it.
 */
int sock_address_port(const struct sockaddr *address, socklen_t size);

/* Can the socket be bound to such an address? If not, the kernel says why. */
bool sock_takes_address(const struct sys_ops *sys, int fd,
			const struct sockaddr *address);

/* May the socket be bound to a port of another socket? */
bool sock_shares_ports(const struct sys_ops *sys, int fd);

/* Sets SO_REUSEADDR, or takes it off. */
void sock_set_reuse(const struct sys_ops *sys, int fd, bool on);

/* IP_BIND_ADDRESS_NO_PORT: does a bind() to port 0 leave the socket without a
 * port, so that connect() autobinds it? */
bool sock_puts_port_off(const struct sys_ops *sys, int fd);
void sock_put_port_off(const struct sys_ops *sys, int fd, bool on);

/* Does a TCP connect() accept the address? It checks before it autobinds. */
bool sock_takes_peer(const struct sys_ops *sys, int fd,
		     const struct sockaddr *address, socklen_t size);

/* Writes a port into such an address. */
void sock_set_port(struct sockaddr *address, uint16_t port);

#endif
