/* SPDX-License-Identifier: MIT */
#include "winsock/handle.h"

#include <stdlib.h>

#include "winsock/monitor.h"

#define CHUNK 512u /* handles that are allocated together */
#define PLACE_BITS 20
#define CHUNKS ((1u << PLACE_BITS) / CHUNK)
#define LOW_BITS 2 /* 0 in Windows' handles, where programs mark them */

static struct handle *chunks[CHUNKS];
static uint32_t chunks_made;

/* First in, first out: a number that a program has kept by mistake shall be
 * nobody's for long. */
static struct handle *free_first;
static struct handle **free_last = &free_first;

static void
give_back(struct handle *handle)
{
	handle->kind = HANDLE_NONE;
	handle->next = NULL;
	*free_last = handle;
	free_last = &handle->next;
}

static bool
make_chunk(void)
{
	struct handle *chunk;

	if (chunks_made == CHUNKS)
		return false;
	chunk = calloc(CHUNK, sizeof(*chunk));
	if (!chunk)
		return false;
	for (uint32_t i = 0; i < CHUNK; i++) {
		chunk[i].place = chunks_made * CHUNK + i;
		give_back(&chunk[i]);
	}
	chunks[chunks_made++] = chunk;
	return true;
}

HANDLE
handle_open(enum handle_kind kind, struct handle **ret)
{
	struct handle *handle;
	uint32_t uses;

	if (!free_first && !make_chunk())
		return NULL;
	handle = free_first;
	free_first = handle->next;
	if (!free_first)
		free_last = &free_first;
	/* No handle is 0, however often its place was given out. */
	uses = handle->uses + 1;
	*handle = (struct handle){
		.uses = uses ? uses : 1,
		.place = handle->place,
		.kind = kind,
	};
	*ret = handle;
	return (HANDLE)((((uintptr_t)handle->uses << PLACE_BITS) |
			 handle->place)
			<< LOW_BITS);
}

struct handle *
handle_find_any(HANDLE handle)
{
	uintptr_t number = (uintptr_t)handle >> LOW_BITS;
	uint32_t place = number & ((1u << PLACE_BITS) - 1);
	struct handle *found;

	if ((uintptr_t)handle & ((1u << LOW_BITS) - 1) ||
	    place / CHUNK >= chunks_made)
		return NULL;
	found = &chunks[place / CHUNK][place % CHUNK];
	if (found->kind == HANDLE_NONE || found->uses != number >> PLACE_BITS)
		return NULL;
	return found;
}

struct handle *
handle_find(HANDLE handle, enum handle_kind kind)
{
	struct handle *found = handle_find_any(handle);

	return found && found->kind == kind ? found : NULL;
}

void
handle_close(struct handle *handle)
{
	give_back(handle);
	/* A thread that waits for it learns that it is gone. */
	monitor_wake();
}

void
handle_signal(HANDLE handle)
{
	struct handle *event = handle_find(handle, HANDLE_EVENT);

	if (!event)
		return;
	event->set = true;
	monitor_wake();
}
