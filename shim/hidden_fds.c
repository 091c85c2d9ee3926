/* SPDX-License-Identifier: MIT */
#include "shim/hidden_fds.h"

#include <errno.h>
#include <stdlib.h>

#include "core/kernel/sock.h"
#include "core/pool/lease.h"
#include "shim/pools.h"
#include "shim/shim.h"
#include "shim/sockets.h"

#define CARRIERS_MAX 64 /* as many blocks as `portres run` takes */

/*
 * Filled by the constructor; later only `fd` changes. A child of vfork reads
 * its parent's table beside a descriptor table of its own: that a number has
 * the socket is asked of the kernel each time.
 */
static struct carrier {
	_Atomic int fd;
	uint64_t cookie;
	uint64_t token;
} carriers[CARRIERS_MAX];

static uint32_t count;

static bool
has(const struct carrier *carrier, int fd)
{
	return atomic_load(&carrier->fd) == fd &&
	       sock_is(&sys_kernel, fd, carrier->cookie);
}

bool
hidden_fds_guards(int fd)
{
	for (uint32_t i = 0; i < count; i++)
		if (has(&carriers[i], fd))
			return true;
	return false;
}

int
hidden_fds_next(unsigned int first, unsigned int last)
{
	int next = -1;

	for (uint32_t i = 0; i < count; i++) {
		int fd = atomic_load(&carriers[i].fd);

		if ((unsigned int)fd >= first && (unsigned int)fd <= last &&
		    (next < 0 || fd < next) && has(&carriers[i], fd))
			next = fd;
	}
	return next;
}

int
hidden_fds_step_aside(int fd)
{
	const struct sys_ops *sys = &sys_kernel;
	/* Higher if that can be, where fewer programs look. */
	int to = sys_dup_from(sys, fd, fd + 1);

	if (to < 0)
		to = sys_dup_from(sys, fd, 3);
	if (to < 0)
		return -EMFILE;
	/* A child of vfork leaves its parent's table alone; its new image
	 * finds the socket wherever it is. */
	for (uint32_t i = 0; i < count && sockets_are_ours(); i++)
		if (atomic_load(&carriers[i].fd) == fd)
			atomic_store(&carriers[i].fd, to);
	return 1;
}

bool
hidden_fds_owns(const struct slot *slot)
{
	uint64_t token = atomic_load(&slot->token);

	for (uint32_t i = 0; i < count; i++)
		if (carriers[i].token == token &&
		    has(&carriers[i], atomic_load(&carriers[i].fd)))
			return true;
	return false;
}

/* Is the token one of the list's? */
static bool
named(const char *list, uint64_t token)
{
	while (*list) {
		char *end;
		uint64_t one = strtoull(list, &end, 10);

		if (end == list)
			return false;
		if (one == token)
			return true;
		list = end;
	}
	return false;
}

static void
guard(void *context, const struct lease_carrier *found)
{
	struct carrier *carrier = &carriers[count];

	if (count == CARRIERS_MAX || !named(context, found->token))
		return;
	atomic_store(&carrier->fd, found->fd);
	carrier->cookie = found->cookie;
	carrier->token = found->token;
	count++;
}

void
hidden_fds_find(void)
{
	char *tokens = secure_getenv("PORTRES_TOKENS");
	int saved = errno;

	if (!tokens || !*tokens)
		return;
	lease_inventory(&sys_kernel, guard, tokens);
	edge(saved, 0); /* strtoull may have found a number too large */
	if (count == 0)
		return;
	sockets_hide();
	/* Now: the program may change its root directory or its user. */
	POOLS_FOR_BIND(atomic_load(&carriers[0].fd));
}
