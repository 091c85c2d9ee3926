/* SPDX-License-Identifier: MIT */
#include "shim/hidden_fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/sock.h"
#include "core/pool/lease.h"
#include "core/pool/slot.h"
#include "shim/pools.h"
#include "shim/shim.h"
#include "shim/sockets.h"

#define HIDDEN_FEW 64 /* as many blocks as one `portres run` takes */

struct hidden_fd {
	_Atomic int fd;
	uint64_t cookie;
	uint64_t token;
};

/*
 * Filled by the constructor; later only `fd` changes. A child of vfork has its
 * parent's table, but descriptors of its own: the kernel is asked each time
 * whether a number is the socket.
 */
static struct hidden_fd few[HIDDEN_FEW];
static struct hidden_fd *hidden = few;
static uint32_t count;

static bool
has(const struct hidden_fd *entry, int fd)
{
	return atomic_load(&entry->fd) == fd &&
	       sock_is(&sys_kernel, fd, entry->cookie);
}

bool
hidden_fds_guards(int fd)
{
	for (uint32_t i = 0; i < count; i++)
		if (has(&hidden[i], fd))
			return true;
	return false;
}

int
hidden_fds_next(unsigned int first, unsigned int last)
{
	int next = -1;

	for (uint32_t i = 0; i < count; i++) {
		int fd = atomic_load(&hidden[i].fd);

		if ((unsigned int)fd >= first && (unsigned int)fd <= last &&
		    (next < 0 || fd < next) && has(&hidden[i], fd))
			next = fd;
	}
	return next;
}

int
hidden_fds_step_aside(int fd)
{
	const struct sys_ops *sys = &sys_kernel;
	/* A higher number if there is one: fewer programs look there. */
	int to = sys_dup_from(sys, fd, fd + 1);

	if (to < 0)
		to = sys_dup_from(sys, fd, 3);
	if (to < 0)
		return -EMFILE;
	/* A child of vfork leaves its parent's table alone; its new image finds
	 * the socket at any number. */
	for (uint32_t i = 0; i < count && sockets_are_ours(); i++)
		if (atomic_load(&hidden[i].fd) == fd)
			atomic_store(&hidden[i].fd, to);
	return 1;
}

int
hidden_fds_owner(const struct slot *slot)
{
	uint64_t token = atomic_load(&slot->token);

	for (uint32_t i = 0; i < count; i++) {
		int fd = atomic_load(&hidden[i].fd);

		if (hidden[i].token == token && has(&hidden[i], fd))
			return fd;
	}
	return -1;
}

/* Takes the first word off the list. */
static bool
take_token(const char **list, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*list, &end, 10);
	if (end == *list)
		return false;
	*list = end;
	return true;
}

static bool
is_listed(const char *list, uint64_t token)
{
	uint64_t one;

	while (take_token(&list, &one))
		if (one == token)
			return true;
	return false;
}

/* The table while it is filled: nobody looks into it yet. */
struct search {
	const char *tokens;
	struct hidden_fd *found;
	uint32_t count;
	uint32_t room;
};

static bool
grow(struct search *search)
{
	size_t size = search->room * sizeof(*search->found);
	long at = sys_mmap_private(&sys_kernel, 2 * size);

	if (at < 0)
		return false;
	memcpy((void *)at, search->found, size);
	if (search->found != few)
		sys_munmap(&sys_kernel, search->found, size);
	search->found = (struct hidden_fd *)at;
	search->room *= 2;
	return true;
}

static void
hide(void *context, const struct lease_carrier *found)
{
	struct search *search = context;
	struct hidden_fd *entry;

	if (!is_listed(search->tokens, found->token) ||
	    (search->count == search->room && !grow(search)))
		return;
	entry = &search->found[search->count++];
	atomic_store(&entry->fd, found->fd);
	entry->cookie = found->cookie;
	entry->token = found->token;
}

/*
 * Without /proc: an owning socket mostly has the number that its acquirer gave
 * it, and the pool knows that, and the cookie. Nothing tells who has a part in
 * a persistent block.
 */
static void
find_by_pool(struct pool *pool, struct search *search)
{
	const char *list = search->tokens;
	struct lease_carrier carrier;

	while (take_token(&list, &carrier.token)) {
		const struct slot *slot =
			slot_by_token(pool->file, carrier.token);

		if (!slot || slot->kind != KIND_RUNTIME)
			continue;
		carrier.fd = slot->fd;
		carrier.cookie = slot->cookie;
		if (sock_is(&sys_kernel, carrier.fd, carrier.cookie))
			hide(search, &carrier);
	}
}

/* The pool of a new socket's network namespace, or NULL. */
static struct pool *
pool_here(void)
{
	int fd = sys_socket(&sys_kernel, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pool *pool;

	if (fd < 0)
		return NULL;
	pool = POOLS_FOR_BIND(fd);
	sys_close(&sys_kernel, fd);
	return pool;
}

static void
find_without_proc(struct search *search)
{
	struct pool *pool = pool_here();

	if (pool && pool_whole(pool))
		find_by_pool(pool, search);
}

void
hidden_fds_find(void)
{
	struct search search = {
		.tokens = secure_getenv("PORTRES_TOKENS"),
		.found = few,
		.room = HIDDEN_FEW,
	};
	int saved = errno;

	if (!search.tokens || !*search.tokens)
		return;
	if (lease_inventory(&sys_kernel, hide, &search) < 0)
		find_without_proc(&search);
	edge(saved, 0); /* strtoull may have found a number too large */
	if (search.count == 0)
		return;
	hidden = search.found;
	count = search.count;
	sockets_hide();
	/* Opens the pool now: the program may change its root directory or its
	 * user. It may be in another network namespace than its blocks: nsenter
	 * and `ip netns exec` execute it there. */
	pool_here();
}
