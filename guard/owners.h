/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A block's owners and their heirs. One that is kept has any number of owners,
 * as long as they are in the map of them; each may name a descriptor, at which
 * its process and others have it. A block has those numbers, and how many named
 * each, in words that change at once.
 */
#ifndef PORTRES_GUARD_OWNERS_H
#define PORTRES_GUARD_OWNERS_H

#include "guard/blocks.h"
#include "guard/caller.h"

/* Is it a socket that owns the block, which is that instance, alone or with
 * others? */
static __always_inline bool
is_owner(const struct guard_block *block, uint64_t instance, uint64_t address)
{
	uint64_t *joined;

	if (!address)
		return false;
	if (block->state != GUARD_KEPT)
		return block->owner == address;
	joined = bpf_map_lookup_elem(&co_owners, &address);
	return joined && *joined == instance;
}

/* Has the caller an owner where heirs have it? */

struct heir_search {
	struct guard_block *block;
	uint32_t found;
};

static long
is_heir(uint32_t i, struct heir_search *search)
{
	struct guard_block *block = search->block;
	uint32_t named = block->heirs[i % GUARD_HEIRS] >> 32;

	if (!named ||
	    !is_owner(block, block->instance, socket_at((int32_t)(named - 1))))
		return 0;
	search->found = 1;
	return 1;
}

static __always_inline bool
has_owner(struct guard_block *block)
{
	struct heir_search search = {.block = block};

	if (block->state != GUARD_KEPT)
		return block->heir >= 0 &&
		       is_owner(block, block->instance, socket_at(block->heir));
	bpf_loop(GUARD_HEIRS, is_heir, &search, 0);
	return search.found;
}

/* Descriptors that co-owners name. */

#define HEIR_TRIES (8 * GUARD_HEIRS) /* while others change them */

enum naming { NAMED_AGAIN, NAMED_FIRST, NAMED_NO_MORE };

struct heir {
	struct guard_block *block;
	uint64_t named; /* the number + 1 */
	uint32_t how;
	uint32_t done;
};

static long
name_one(uint32_t i, struct heir *heir)
{
	uint64_t *at = &heir->block->heirs[i % GUARD_HEIRS];
	uint64_t word = *(volatile uint64_t *)at, to = word + 1;

	if (heir->how == NAMED_FIRST ? word != 0 : word >> 32 != heir->named)
		return 0;
	if (heir->how == NAMED_FIRST)
		to = heir->named << 32 | 1;
	else if (heir->how == NAMED_NO_MORE)
		to = (uint32_t)word == 1 ? 0 : word - 1;
	heir->done = __sync_val_compare_and_swap(at, word, to) == word;
	return heir->done;
}

/* -ENOBUFS: too many others are named. */
static __noinline int
heir_name(struct guard_block *block, int32_t fd, uint32_t no_more)
{
	struct heir heir = {.block = block, .named = (uint64_t)fd + 1};

	if (!block || fd < 0)
		return 0;
	heir.how = no_more ? NAMED_NO_MORE : NAMED_AGAIN;
	bpf_loop(HEIR_TRIES, name_one, &heir, 0);
	if (!heir.done && !no_more) {
		heir.how = NAMED_FIRST;
		bpf_loop(GUARD_HEIRS, name_one, &heir, 0);
	}
	return heir.done ? 0 : -ENOBUFS;
}

/* The block that the socket has joined, while that lives. */
static __always_inline struct guard_block *
joined_block(const struct guard_socket *socket)
{
	struct guard_block *block =
		socket->joined ? block_at(socket->joined_at - 1) : 0;

	return block && block_living(block) == socket->joined ? block : 0;
}

static __always_inline bool
has_joined_another(const struct guard_socket *socket, uint64_t instance)
{
	return joined_block(socket) && socket->joined != instance;
}

static __always_inline void
leave(struct guard_socket *socket, uint64_t address)
{
	struct guard_block *block;

	if (!socket->joined)
		return;
	block = joined_block(socket);
	if (block)
		heir_name(block, socket->heir, 1);
	bpf_map_delete_elem(&co_owners, &address);
	socket->joined = 0;
}

#endif
