/* SPDX-License-Identifier: MIT */
#include "winsock/state.h"

#include <stdlib.h>

#include "winsock/cookie.h"

#define PER_CHUNK 1024u
#define CHUNKS 4096u /* more descriptors than a kernel gives out by default */

struct state {
	_Atomic uint64_t cookie;
	_Atomic uint32_t flags;
	_Atomic(struct channel *) channel;
	struct state_waiting waiting;
};

static _Atomic(struct state *) chunks[CHUNKS];

static struct state *
find(int fd)
{
	unsigned int at = (unsigned int)fd;
	struct state *chunk = at < PER_CHUNK * CHUNKS
				      ? atomic_load(&chunks[at / PER_CHUNK])
				      : NULL;

	return chunk ? &chunk[at % PER_CHUNK] : NULL;
}

static struct state *
find_or_make(int fd)
{
	unsigned int at = (unsigned int)fd;
	struct state *none = NULL;
	struct state *chunk;

	if (at >= PER_CHUNK * CHUNKS)
		return NULL;
	if (!atomic_load(&chunks[at / PER_CHUNK])) {
		chunk = calloc(PER_CHUNK, sizeof(*chunk));
		if (!chunk)
			return NULL;
		if (!atomic_compare_exchange_strong(&chunks[at / PER_CHUNK],
						    &none, chunk))
			free(chunk);
	}
	return find(fd);
}

uint32_t
state_flags(int fd, uint32_t mask)
{
	struct state *state = find(fd);
	uint32_t flags = state ? atomic_load(&state->flags) & mask : 0;

	return flags && atomic_load(&state->cookie) == socket_cookie(fd) ? flags
									 : 0;
}

void
state_change(int fd, uint32_t add, uint32_t remove)
{
	struct state *state = add ? find_or_make(fd) : find(fd);
	uint64_t cookie;

	if (!state || (!add && !atomic_load(&state->flags)))
		return;
	cookie = socket_cookie(fd);
	if (atomic_load(&state->cookie) != cookie) {
		atomic_store(&state->flags, 0);
		atomic_store(&state->cookie, cookie);
	}
	if (remove)
		atomic_fetch_and(&state->flags, ~remove);
	if (add)
		atomic_fetch_or(&state->flags, add);
}

struct channel *
state_channel(int fd)
{
	struct state *state = find(fd);

	return state ? atomic_load(&state->channel) : NULL;
}

bool
state_set_channel(int fd, struct channel *channel)
{
	struct state *state = channel ? find_or_make(fd) : find(fd);

	if (state)
		atomic_store(&state->channel, channel);
	return state || !channel;
}

void
state_each_channel(void (*visit)(struct channel *channel, void *context),
		   void *context)
{
	for (unsigned int i = 0; i < CHUNKS; i++) {
		struct state *chunk = atomic_load(&chunks[i]);
		struct channel *channel;

		for (unsigned int n = 0; chunk && n < PER_CHUNK; n++) {
			channel = atomic_load(&chunk[n].channel);
			if (channel)
				visit(channel, context);
		}
	}
}

struct state_waiting *
state_waiting(int fd, bool make)
{
	struct state *state = make ? find_or_make(fd) : find(fd);

	return state ? &state->waiting : NULL;
}

void
state_each_waiting(void (*visit)(int fd, struct state_waiting *waiting))
{
	for (unsigned int i = 0; i < CHUNKS; i++) {
		struct state *chunk = atomic_load(&chunks[i]);

		for (unsigned int n = 0; chunk && n < PER_CHUNK; n++)
			visit((int)(i * PER_CHUNK + n), &chunk[n].waiting);
	}
}
