/* SPDX-License-Identifier: MIT */
/* The calls that may give a socket a port. Each becomes a struct call, for
 * steer.h. */
#include <netinet/in.h>
#include <string.h>

#include "core/kernel/sock.h"
#include "shim/pick.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/restart.h"
#include "shim/shim.h"
#include "shim/sockets.h"
#include "shim/steer.h"
#include "shim/usermem.h"

static long
really_bind(const struct call *call)
{
	long r = real_bind(call->fd, (const struct sockaddr *)&call->local,
			   call->local_size);

	return r < 0 ? kernels_refusal() : r;
}

/* An address that the kernel is to refuse. */
SLOW_PATH static int
really_bind_at(int fd, const struct sockaddr *address, socklen_t size)
{
	int r = real_bind(fd, address, size);

	if (r < 0)
		refusal_none();
	return r;
}

EXPORTED int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int saved = errno;
	struct call call;

	call.verb = VERB_BIND;
	call.fd = fd;
	call.real = really_bind;
	if (!steer_read(&call, address, size))
		return really_bind_at(fd, address, size);
	return (int)edge(saved, steer_bind(&call));
}

#ifdef __GLIBC__

/* The ports of bindresvport(), by its manual page. */
#define LOWEST_PRIVILEGED 512
#define PRIVILEGED_END 1024

static bool
any_privileged_reserved(int fd)
{
	struct pool *pool = POOLS_FOR_BIND(fd);

	if (!pool || !pool_whole(pool))
		return false;
	for (uint32_t port = LOWEST_PRIVILEGED; port < PRIVILEGED_END; port++)
		if (atomic_load(mark_of(pool->file, PROTOCOL_TCP, port)) ||
		    atomic_load(mark_of(pool->file, PROTOCOL_UDP, port)))
			return true;
	return false;
}

static long
bind_picked(struct call *call)
{
	call->port = (uint16_t)sock_address_port(
		(struct sockaddr *)&call->local, call->local_size);
	return steer_bind(call);
}

static long
bind_privileged(int fd, struct sockaddr_in *any)
{
	struct call call = {
		.verb = VERB_BIND,
		.fd = fd,
		.real = really_bind,
		.local_size = sizeof(*any),
	};
	const struct pick pick = {
		.range = {LOWEST_PRIVILEGED,
			  PRIVILEGED_END - LOWEST_PRIVILEGED},
		.begin = (uint32_t)sys_getpid(&sys_kernel),
		.bind = bind_picked,
	};
	long r;

	memcpy(&call.local, any, sizeof(*any));
	r = pick_port(&pick, &call);
	any->sin_port = htons(call.port);
	return r;
}

static int
really_bindresvport(int fd, struct sockaddr_in *address)
{
	int r = real_bindresvport(fd, address);

	if (r < 0)
		refusal_none();
	return r;
}

/* libc's own binds inside libc, past our bind(). It may while none of its ports
 * is reserved; otherwise the same search is made with our bind(). */
EXPORTED int
bindresvport(int fd, struct sockaddr_in *address)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int saved = errno;
	long r;

	if (!any_privileged_reserved(fd) ||
	    (address && (usermem_read(&any, address, sizeof(any)) < 0 ||
			 any.sin_family != AF_INET)))
		return really_bindresvport(fd, address);
	r = bind_privileged(fd, &any);
	if (r == 0 && address)
		r = usermem_write(&address->sin_port, &any.sin_port,
				  sizeof(any.sin_port));
	return (int)edge(saved, r);
}

#endif

static long
really_listen(const struct call *call)
{
	long r = real_listen(call->fd, call->flags);

	return r < 0 ? kernels_refusal() : r;
}

/* A socket may have been bound in its block on the way here. */
static long
listen_now(const struct call *call)
{
	return restart_any() ? restart_listen(call, really_listen)
			     : really_listen(call);
}

EXPORTED int
listen(int fd, int backlog)
{
	int saved = errno;
	struct call call;

	call.verb = VERB_LISTEN;
	call.fd = fd;
	call.real = listen_now;
	call.address = NULL;
	call.size = 0;
	call.flags = backlog;
	return (int)edge(saved, steer_choice(&call));
}

/*
 * A UDP socket that leaves its peer gives up its port as well, and may have
 * other descriptors: none counts as settled any more. (The kernel has read the
 * address, so we can.)
 */
static long
really_connect(const struct call *call)
{
	long r = real_connect(call->fd, call->address, call->size);

	if (r < 0)
		r = kernels_refusal();
	if (r < 0 && r != -EINPROGRESS)
		return r;
	if (call->size >= sizeof(call->address->sa_family) &&
	    call->address->sa_family == AF_UNSPEC)
		unsettle_all();
	else if (restart_any())
		restart_connected(call);
	return r;
}

static int
connect_by(int fd, const struct sockaddr *address, socklen_t size)
{
	int saved = errno;
	struct call call;

	call.verb = VERB_CONNECT;
	call.fd = fd;
	call.real = really_connect;
	call.address = address;
	call.size = size;
	return (int)edge(saved, steer_choice(&call));
}

EXPORTED int
connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return connect_by(fd, address, size);
}

extern int __connect(int fd, const struct sockaddr *address, socklen_t size);

EXPORTED_ALIAS int
__connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return connect_by(fd, address, size);
}

/*
 * The first send of an unbound socket binds it: UDP to any peer, TCP with
 * MSG_FASTOPEN. send() and write() fail without a peer, but of UDP the kernel
 * has chosen a port by then: see docs/limits.md.
 */
static ssize_t
send_first(struct call *call)
{
	int saved = errno;

	call->verb = VERB_SEND;
	return edge(saved, steer_choice(call));
}

SLOW_PATH static bool
has_port(int fd)
{
	uint16_t port;

	return sock_port(&sys_kernel, fd, &port, NULL, NULL) < 0 || port;
}

/* Has the socket sent before? The number may be a duplicate of another one by
 * now: while there are associated sockets the kernel is asked, because such a
 * one would leave its block. */
static inline bool
sends_again(int fd)
{
	return settled(fd) && (!sockets_any_associated() || has_port(fd));
}

static inline ssize_t
sent_again(ssize_t r)
{
	if (r < 0)
		refusal_none();
	return r;
}

static inline ssize_t
settle_sent(int fd, bool sent, ssize_t r)
{
	if (sent)
		settle(fd);
	return r;
}

static long
really_sendto(const struct call *call)
{
	long r = real_sendto(call->fd, call->data, call->length, call->flags,
			     call->address, call->size);

	return r < 0 ? kernels_refusal() : r;
}

EXPORTED ssize_t
sendto(int fd, const void *buffer, size_t n, int flags,
       const struct sockaddr *address, socklen_t size)
{
	struct call call;
	ssize_t r;

	if (sends_again(fd))
		return sent_again(
			real_sendto(fd, buffer, n, flags, address, size));
	call.fd = fd;
	call.real = really_sendto;
	call.data = buffer;
	call.length = n;
	call.flags = flags;
	call.address = address;
	call.size = address ? size : 0;
	r = send_first(&call);
	return settle_sent(fd, r >= 0, r);
}

static long
really_sendmsg(const struct call *call)
{
	long r = real_sendmsg(call->fd, call->data, call->flags);

	return r < 0 ? kernels_refusal() : r;
}

EXPORTED ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct call call;
	ssize_t r;

	if (sends_again(fd))
		return sent_again(real_sendmsg(fd, message, flags));
	call.fd = fd;
	call.real = really_sendmsg;
	call.data = message;
	call.flags = flags;
	call.address = NULL;
	call.size = 0;
	r = send_first(&call);
	return settle_sent(fd, r >= 0, r);
}

static long
really_sendmmsg(const struct call *call)
{
	int r = real_sendmmsg(call->fd, (struct mmsghdr *)call->data,
			      (unsigned int)call->length, call->flags);

	return r < 0 ? kernels_refusal() : r;
}

/* The flags have a sign in glibc's header, and none in musl's. */
EXPORTED int exported_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n,
			       int flags) __asm__("sendmmsg");

int
exported_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	struct call call;
	ssize_t r;

	if (sends_again(fd))
		return (int)sent_again(real_sendmmsg(fd, messages, n, flags));
	call.fd = fd;
	call.real = really_sendmmsg;
	call.data = messages;
	call.length = n;
	call.flags = flags;
	call.address = NULL;
	call.size = 0;
	r = send_first(&call);
	return (int)settle_sent(fd, r > 0, r);
}
