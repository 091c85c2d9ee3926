/* SPDX-License-Identifier: MIT */
/*
 * A call that may give its socket a port, on its way through steer.h.
 */
#ifndef PORTRES_SHIM_CALL_H
#define PORTRES_SHIM_CALL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/kernel/sock.h"

enum verb { VERB_BIND, VERB_LISTEN, VERB_CONNECT, VERB_SEND };

struct call {
	enum verb verb;
	int fd;
	/* Makes the real call. 0 or more, or -Exxx. */
	long (*real)(const struct call *call);
	/* The program's arguments, for the real call. */
	const struct sockaddr *address;
	socklen_t size;
	const void *data;
	size_t length;
	int flags; /* or listen()'s backlog */
	/* The local address, read once, so that it cannot change. */
	struct sockaddr_storage local;
	socklen_t local_size;
	uint16_t port; /* in it, host order */
};

/* Does the call wait for a peer? */
static inline bool
call_waits(const struct call *call, enum protocol protocol)
{
	return protocol == PROTOCOL_TCP &&
	       (call->verb == VERB_CONNECT || call->verb == VERB_SEND);
}

/* Has the socket a port? A TCP socket whose connect() failed shows the port
 * that it has given up. */
static inline bool
call_has_port(const struct call *call)
{
	uint16_t port;

	return sock_port(&sys_kernel, call->fd, &port, NULL, NULL) < 0 || port;
}

/* Has a bind of ours failed because the socket was bound since we looked?
 * Others may have it, too, and the call needs no port any more. */
static inline bool
call_bound_meanwhile(const struct call *call, long r)
{
	return r == -EINVAL && call->verb != VERB_BIND && call_has_port(call);
}

#endif
