/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/kernel/sock.h"
#include "core/pool/clear_range.h"
#include "shim/fork.h"
#include "shim/pools.h"
#include "shim/refusal.h"
#include "shim/shim.h"
#include "shim/unbound.h"
#include "shim/usermem.h"

/*
 * connect() to AF_UNSPEC takes a connection apart and chooses no port. An
 * address that is too short, or of another family, gets its error from UDP when
 * the port has been chosen, from TCP before.
 */
static bool
chooses_port(int fd, const struct sockaddr *address, socklen_t size)
{
	enum protocol protocol;
	sa_family_t family;

	if (size < sizeof(family) || !usermem_readable(address, size))
		return false;
	memcpy(&family, &address->sa_family, sizeof(family));
	if (family == AF_UNSPEC)
		return false;
	if (sock_protocol(&sys_kernel, fd, &protocol) == 0 &&
	    protocol == PROTOCOL_UDP)
		return true;
	return size >= sizeof(struct sockaddr_in) &&
	       sock_takes_peer(&sys_kernel, fd, address, size);
}

/*
 * A UDP socket that leaves its peer gives up its port as well, whichever
 * descriptor of it is used: each has to be looked at again. (The kernel has
 * read the address, so we can.)
 */
static int
connect_plainly(int fd, const struct sockaddr *address, socklen_t size)
{
	int r = (int)kernels_answer(real_connect(fd, address, size));

	if (r == 0 && size >= sizeof(address->sa_family) &&
	    address->sa_family == AF_UNSPEC)
		unbound_renew_all();
	return r;
}

static bool
is_full(struct pool *pool, int fd, struct range window)
{
	struct fork_visit visit;
	bool full;

	fork_visit(&visit);
	full = implicit_full(pool, fd, window);
	fork_visit_end(&visit);
	return full;
}

/*
 * TCP keeps the kernel's own choice, which lets one local port serve many
 * peers: the socket is shown a part of the ephemeral range without
 * reservations, then the next one where the kernel finds no port in that.
 * Returns 0 and the answer; -EADDRNOTAVAIL when there is no part left; other
 * errors when the socket cannot be shown one (Linux before 6.3).
 */
static int
connect_in_windows(struct pool *pool, int fd, const struct sockaddr *address,
		   socklen_t size, int *ret_answer)
{
	struct range window = IMPLICIT_FIRST;

	for (;;) {
		struct fork_visit visit;
		uint32_t own;
		int r;

		fork_visit(&visit);
		r = implicit_window(pool, PROTOCOL_TCP, fd, &window, &own);
		fork_visit_end(&visit);
		if (r < 0)
			return r;
		*ret_answer = real_connect(fd, address, size);
		implicit_window_end(pool, fd, window, own);
		if (*ret_answer == 0 || errno != EADDRNOTAVAIL ||
		    !is_full(pool, fd, window))
			return 0;
	}
}

static int
connect_tcp(struct pool *pool, int fd, const struct sockaddr *address,
	    socklen_t size, int *ret_answer)
{
	int saved = errno;
	int r = connect_in_windows(pool, fd, address, size, ret_answer);

	/* What is reserved may be reserved by the dead; it may be a connect
	 * that does not wait. */
	if (r == -EADDRNOTAVAIL && unbound_sweep(fd, POOL_TRY))
		r = connect_in_windows(pool, fd, address, size, ret_answer);
	if (r == -EADDRNOTAVAIL) {
		*ret_answer = ret_errno(r);
		return 0;
	}
	if (r == 0 && *ret_answer == 0)
		errno = saved;
	return r;
}

static int
connect_unbound(struct unbound *unbound, const struct sockaddr *address,
		socklen_t size)
{
	struct pool *pool = pools_for_bind(unbound->fd);
	int fd = unbound->fd;
	enum protocol protocol;
	bool bound;
	int answer;

	if (unbound_forbidden(fd))
		return ret_errno(-ENETDOWN);
	if (!pool || !implicit_matters(pool) ||
	    !sock_takes_ports(&sys_kernel, fd, &protocol))
		return real_connect(fd, address, size);
	if (protocol == PROTOCOL_TCP &&
	    connect_tcp(pool, fd, address, size, &answer) == 0)
		return answer;
	if (unbound_choose(fd, (struct sockaddr *)&unbound->any, unbound->size,
			   &bound) < 0)
		return errno == EADDRINUSE ? ret_errno(-EADDRNOTAVAIL) : -1;
	return real_connect(fd, address, size);
}

/*
 * A socket that may have a port is shown a part of the range as well: where it
 * has one the kernel does not heed that. It may go on where no part is left.
 */
static int
connect_unsure(int fd, const struct sockaddr *address, socklen_t size)
{
	struct pool *pool = pools_for_bind(fd);
	int answer;

	if (pool && pool_whole(pool) && implicit_matters(pool) &&
	    sock_port_unsure(&sys_kernel, fd) &&
	    connect_in_windows(pool, fd, address, size, &answer) == 0)
		return (int)kernels_answer(answer);
	return connect_plainly(fd, address, size);
}

int
shim_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct unbound unbound;

	if (!pools_concern_implicit(fd) || !chooses_port(fd, address, size))
		return connect_plainly(fd, address, size);
	if (!unbound_is(fd, &unbound))
		return connect_unsure(fd, address, size);
	if (unbound_associated(&unbound) < 0)
		return -1;
	if (!unbound_is(fd, &unbound))
		return connect_plainly(fd, address, size);
	return (int)kernels_answer(connect_unbound(&unbound, address, size));
}

EXPORTED int
connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_connect(fd, address, size);
}

extern int __connect(int fd, const struct sockaddr *address, socklen_t size);

EXPORTED int
__connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_connect(fd, address, size);
}
