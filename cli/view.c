/* SPDX-License-Identifier: MIT */
#include "cli/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/guard_here.h"
#include "cli/open_pool.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/trouble.h"
#include "core/kernel/guard.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "shim/config.h"

#define SECOND_NS ((uint64_t)1000000000)

int
view_need_pool(struct pool *ret_pool)
{
	struct trouble trouble;
	int r = open_pool(ret_pool);

	if (r == 0)
		return 0;
	trouble_of_pool(r, &trouble);
	return refuse("%s: %s", trouble.cause, trouble.way_out);
}

/* Copies the slot; the process that has it now is looked for later. */
static struct entry
copy(const struct slot *slot)
{
	struct entry entry = {
		.protocol = (enum protocol)slot->protocol,
		.range = slot_range(slot),
		.kind = (enum reservation_kind)slot->kind,
		.pid = slot->pid,
		.fd = slot->fd,
		.inode = slot->inode,
		.device = slot->device,
		.token = atomic_load(&slot->token),
		.since = slot->since * SECOND_NS,
	};

	memcpy(entry.command, slot->command, sizeof(slot->command));
	return entry;
}

static int
by_port(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return x->range.start < y->range.start
		       ? -1
		       : x->range.start > y->range.start;
}

/* Tokens of persistent blocks are for users who may associate with them. */
static void
attribute(struct view *view)
{
	const struct config *config = config_get();
	bool right =
		config->store[0] && store_right(&sys_kernel, config->store);

	for (size_t i = 0; i < view->count; i++) {
		struct entry *entry = &view->entries[i];

		if (entry->kind == KIND_PERSISTENT) {
			entry->own = right;
			entry->pid = 0;
			entry->fd = -1;
			entry->command[0] = '\0';
		}
	}
	process_find_owners(view->entries, view->count);
}

/* Asks the machine's guard, where there is one, which of them it has. */
static void
ask_guard(struct view *view)
{
	uint64_t number;
	int fd = guard_here(&number);

	for (size_t i = 0; i < view->count && fd >= 0; i++) {
		struct entry *entry = &view->entries[i];
		bool kept = entry->kind == KIND_PERSISTENT;
		struct guarded block = {
			.token = kept ? GUARDED_KEPT : entry->token,
			.number = number,
			.protocol = entry->protocol,
			.range = entry->range,
		};

		entry->guarded = guard_lives(&sys_kernel, fd, &block) == 1;
	}
	if (fd >= 0)
		sys_close(&sys_kernel, fd);
}

/* Without the lock, so that no command waits for a stopped process that has it:
 * a slot that is picked anew meanwhile is skipped. */
static void
copy_living(struct pool *pool, struct view *view)
{
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		const struct slot *slot = &pool->file->slot[i];
		struct entry *entry = &view->entries[view->count];

		if (!slot_live(slot) || slot_is_dead(slot) ||
		    slot->protocol >= PROTOCOL_COUNT || !slot_range(slot).count)
			continue;
		*entry = copy(slot);
		if (slot_by_token(pool->file, entry->token) == slot)
			view->count++;
	}
}

/* Frees dead slots, unless that costs a wait for the lock. */
static uint32_t
sweep(struct pool *pool)
{
	struct pool_lock lock;
	uint32_t n;

	if (pool_enter(pool, POOL_TRY, &lock) < 0)
		return 0;
	n = reserve_sweep(pool);
	pool_leave(pool, &lock);
	return n;
}

int
view_take(struct pool *pool, struct view *ret)
{
	struct view view = {.entries =
				    calloc(SLOT_COUNT, sizeof(struct entry))};

	if (!view.entries)
		return -ENOMEM;
	if (!pool_whole(pool)) {
		free(view.entries);
		return -ESTALE;
	}
	view.judged = reserve_judge(pool) >= 0;
	view.swept = sweep(pool);
	copy_living(pool, &view);
	qsort(view.entries, view.count, sizeof(struct entry), by_port);
	ask_guard(&view);
	attribute(&view);
	*ret = view;
	return 0;
}

void
view_free(struct view *view)
{
	for (size_t i = 0; i < view->count; i++)
		free(view->entries[i].users);
	free(view->entries);
}

int
view_now(struct view *ret)
{
	struct trouble trouble;
	struct pool pool;
	int r = view_need_pool(&pool);

	if (r != 0)
		return r;
	r = view_take(&pool, ret);
	pool_close(&pool);
	if (r == 0)
		return 0;
	trouble_of_pool(r, &trouble);
	return refuse("%s: %s", trouble.cause, trouble.way_out);
}

const struct entry *
view_find(const struct view *view, enum protocol protocol, struct range range)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->entries[i].protocol == protocol &&
		    range_overlap(view->entries[i].range, range))
			return &view->entries[i];
	return NULL;
}

bool
view_has_persistent(const struct view *view, struct block block)
{
	const struct entry *entry =
		view_find(view, block.protocol, block.range);

	return entry && entry->kind == KIND_PERSISTENT &&
	       range_equal(entry->range, block.range);
}

char *
entry_holder(const struct entry *entry, char *to, size_t size)
{
	char safe[80];

	if (entry->kind == KIND_PERSISTENT && !entry->pid)
		snprintf(to, size, "the persistent store");
	else if (entry->kind == KIND_PERSISTENT && entry->user_count == 1)
		snprintf(to, size, "the persistent store, used by pid %u (%s)",
			 entry->pid,
			 safe_text(entry->command, safe, sizeof(safe)));
	else if (entry->kind == KIND_PERSISTENT)
		snprintf(to, size,
			 "the persistent store, used by pid %u (%s) and %zu "
			 "more",
			 entry->pid,
			 safe_text(entry->command, safe, sizeof(safe)),
			 entry->user_count - 1);
	else if (entry->pid == 0)
		snprintf(to, size, "a process that is not to be seen here");
	else
		snprintf(to, size, "pid %u (%s)", entry->pid,
			 safe_text(entry->command, safe, sizeof(safe)));
	return to;
}
