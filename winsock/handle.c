/* SPDX-License-Identifier: MIT */
#include "winsock/handle.h"

#include "winsock/monitor.h"

#define HANDLES 8192u /* a power of two */
#define PLACE_BITS 13
#define LOW_BITS 2 /* 0 in Windows' handles, where programs mark them */

static struct handle table[HANDLES];

HANDLE
handle_open(enum handle_kind kind, struct handle **ret)
{
	static uint32_t next;

	for (uint32_t i = 0; i < HANDLES; i++) {
		uint32_t at = next++ % HANDLES;
		struct handle *handle = &table[at];
		uint32_t uses = handle->uses + 1;

		if (handle->kind != HANDLE_NONE)
			continue;
		/* No handle is 0, however often its place was given out. */
		*handle =
			(struct handle){.uses = uses ? uses : 1, .kind = kind};
		*ret = handle;
		return (HANDLE)((((uintptr_t)handle->uses << PLACE_BITS) | at)
				<< LOW_BITS);
	}
	return NULL;
}

struct handle *
handle_find(HANDLE handle, enum handle_kind kind)
{
	uintptr_t number = (uintptr_t)handle >> LOW_BITS;
	struct handle *found = &table[number % HANDLES];

	if ((uintptr_t)handle & ((1u << LOW_BITS) - 1) || found->kind != kind ||
	    found->uses != number >> PLACE_BITS)
		return NULL;
	return found;
}

void
handle_close(struct handle *handle)
{
	handle->kind = HANDLE_NONE;
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
