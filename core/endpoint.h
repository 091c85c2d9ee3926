/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a socket.
 */
#ifndef PORTRES_CORE_ENDPOINT_H
#define PORTRES_CORE_ENDPOINT_H

#include <netinet/in.h>

#include "core/range.h"
#include "core/sys.h"

/*
 * The pool whose ports the socket uses. Returns 0, -EBADF, -ENOTSOCK, or
 * -EOPNOTSUPP for anything that is not TCP or UDP. MPTCP takes TCP's ports,
 * so ret_protocol says PROTOCOL_TCP, but it cannot carry reservations:
 * -EPROTONOSUPPORT, with ret_protocol set.
 */
int endpoint_protocol(const struct sys_ops *sys, int fd,
		      enum protocol *ret_protocol);

/* Identity of the open socket: the same through dup, fork and exec, never
 * used again. Returns 0, -EBADF or -ENOTSOCK. */
int endpoint_cookie(const struct sys_ops *sys, int fd, uint64_t *ret_cookie);

/* Identity of the socket's network namespace. Returns 0 or -Exxx. */
int endpoint_netns(const struct sys_ops *sys, int fd, uint64_t *ret_netns);

/* The local port, 0 when unbound. Returns 0 or -Exxx. */
int endpoint_port(const struct sys_ops *sys, int fd, uint16_t *ret_port);

/*
 * The port in an AF_INET or AF_INET6 address of `size` bytes, or -1 where the
 * kernel would not read one. AF_UNSPEC counts as AF_INET, as bind() has it.
 */
int endpoint_address_port(const struct sockaddr *address, socklen_t size);

/* Writes a port into such an address. */
void endpoint_set_port(struct sockaddr *address, uint16_t port);

#endif
