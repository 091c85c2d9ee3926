/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>

#include "crew.h"

#define TEXT(name) #name,
const char *const deeds[] = {DEEDS(TEXT)};

struct block *
any_block(struct crew *crew, int protocol, uint64_t token)
{
	unsigned from = dice(crew->me, ENTRIES * 2);

	for (unsigned i = 0; i < ENTRIES * 2; i++) {
		unsigned n = (from + i) % (ENTRIES * 2);
		struct entry *entry = &crew->entry[n / 2];

		if (entry->in_use && entry->protocol == protocol &&
		    entry->block[n % 2].mask &&
		    (!token || entry->block[n % 2].token == token))
			return &entry->block[n % 2];
	}
	return NULL;
}

struct block *
block_of(struct crew *crew, struct entry *entry)
{
	return entry->associated
		       ? any_block(crew, entry->protocol, entry->associated)
		       : NULL;
}

void
settle(struct crew *crew, struct entry *entry, int deed)
{
	union address at = {0};
	socklen_t size = sizeof(at);
	struct block *block = block_of(crew, entry);
	uint64_t mask = 0;

	getsockname(entry->fd, &at.any, &size);
	entry->port = ntohs(at.v4.sin_port);
	if (entry->port == 0)
		return;
	if (entry->port >= first && entry->port < first + WINDOW)
		mask = mask_of(entry->port, 1);
	entry->associated = 0;
	if (block && !(block->mask & mask))
		wrong("port %d is not of its block", entry->port);
	if (mask)
		believe_bound(crew->me, entry->protocol, mask, block != NULL);
	crew->me->done[block ? inside : (unsigned)deed]++;
}

void
set_up(struct crew *crew, struct entry *entry)
{
	struct linger at_once = {1, 0}; /* nothing stays in TIME_WAIT */

	*entry = (struct entry){
		.family = dice(crew->me, 2) ? AF_INET : AF_INET6,
		.protocol = (int)dice(crew->me, 2),
		.in_use = true,
	};
	entry->fd = open_socket(entry->family, entry->protocol);
	setsockopt(entry->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	fcntl(entry->fd, F_SETFL, O_NONBLOCK);
	if (dice(crew->me, 3) == 0)
		set_reuse(entry->fd);
}

void
forget_port(struct crew *crew, struct entry *entry)
{
	/* Sockets of different addresses can share it. */
	for (int i = 0; i < ENTRIES; i++) {
		struct entry *other = &crew->entry[i];

		if (other != entry && other->in_use &&
		    other->port == entry->port &&
		    other->protocol == entry->protocol)
			return;
	}
	if (entry->port >= first && entry->port < first + WINDOW)
		crew->me->bound[entry->protocol] &= ~mask_of(entry->port, 1);
}
