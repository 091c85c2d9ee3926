/* SPDX-License-Identifier: MIT */
#include "core/pool/slot.h"

#include "core/pool/marks.h"

#define SEQUENCE_UNIT_NS 8000
#define SEQUENCE_MAX (((uint64_t)1 << (63 - TOKEN_SHIFT)) - 1)

uint64_t
slot_first_sequence(const struct sys_ops *sys)
{
	return sys_clock(sys, CLOCK_REALTIME) / SEQUENCE_UNIT_NS;
}

static uint32_t
slot_number(const struct pool_file *file, const struct slot *slot)
{
	return (uint32_t)(slot - file->slot);
}

struct slot *
slot_by_token(struct pool_file *file, uint64_t token)
{
	struct slot *slot = &file->slot[token_slot(token)];

	if (token == 0 || token & TOKEN_DEAD || !slot_live(slot) ||
	    atomic_load(&slot->token) != token)
		return NULL;
	return slot;
}

void
slot_mark_dead(struct pool_file *file, uint64_t token, uint64_t cookie)
{
	struct slot *slot = slot_by_token(file, token);

	if (slot && slot->cookie == cookie)
		atomic_compare_exchange_strong(&slot->token, &token,
					       token | TOKEN_DEAD);
}

struct slot *
slot_by_port(struct pool_file *file, enum protocol protocol, uint32_t port)
{
	uint32_t mark = atomic_load(mark_of(file, protocol, port));
	struct slot *slot;

	if (mark == 0 || mark > SLOT_COUNT)
		return NULL;
	slot = &file->slot[mark - 1];
	if (!slot_live(slot) || slot->protocol != protocol ||
	    !range_contains(slot_range(slot), port))
		return NULL;
	return slot;
}

struct slot *
slot_pick(struct pool_file *file)
{
	struct pool_header *header = &file->header;

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		uint32_t n = (header->slot_hint + i) & (SLOT_COUNT - 1);
		struct slot *slot = &file->slot[n];

		if (slot_live(slot) && slot_is_dead(slot))
			slot_free(file, slot);
		if (slot_live(slot))
			continue;
		header->slot_hint = n + 1;
		header->sequence = header->sequence % SEQUENCE_MAX + 1;
		atomic_store(&slot->token,
			     header->sequence << TOKEN_SHIFT | n << 1);
		return slot;
	}
	return NULL;
}

static _Atomic uint32_t *
ephemeral_of(struct pool_file *file, const struct slot *slot)
{
	return &file->header.ephemeral[slot->protocol % PROTOCOL_COUNT];
}

void
slot_mark(struct pool_file *file, const struct slot *slot)
{
	uint16_t mark = (uint16_t)(slot_number(file, slot) + 1);

	if (slot->ephemeral)
		atomic_fetch_add(ephemeral_of(file, slot), 1);
	marks_set(file, slot->protocol, slot_range(slot), mark);
	if (slot->ephemeral)
		atomic_fetch_add(&file->header.generation, 1);
	/* Before any announcement is read: see the protocol in layout.h. */
	atomic_thread_fence(memory_order_seq_cst);
}

void
slot_unmark(struct pool_file *file, const struct slot *slot)
{
	uint16_t mark = (uint16_t)(slot_number(file, slot) + 1);

	marks_clear(file, slot->protocol, slot_range(slot), mark);
	if (slot->ephemeral) {
		atomic_fetch_add(&file->header.generation, 1);
		atomic_fetch_sub(ephemeral_of(file, slot), 1);
	}
}

void
slot_publish(struct slot *slot)
{
	atomic_store(&slot->state, SLOT_LIVE);
}

void
slot_free(struct pool_file *file, struct slot *slot)
{
	atomic_store(&file->header.dirty, 1);
	atomic_store(&slot->state, SLOT_FREE);
	slot_unmark(file, slot);
	atomic_store(&file->header.dirty, 0);
}

static bool
slot_sensible(const struct pool_file *file, const struct slot *slot)
{
	uint64_t token = atomic_load(&slot->token) & ~TOKEN_DEAD;

	return slot->protocol < PROTOCOL_COUNT && slot->start != 0 &&
	       slot->kind <= KIND_PERSISTENT && range_valid(slot_range(slot)) &&
	       token != 0 && (token & 1) == 0 &&
	       token_slot(token) == slot_number(file, slot);
}

/* Does a mark still belong to a live slot that covers its port? */
static void
check_mark(struct pool_file *file, enum protocol protocol, uint32_t port)
{
	if (!slot_by_port(file, protocol, port))
		atomic_store(mark_of(file, protocol, port), 0);
}

/* Marks the slot's ports; false when one belongs to another live slot. */
static bool
remark(struct pool_file *file, const struct slot *slot)
{
	uint16_t mark = (uint16_t)(slot_number(file, slot) + 1);
	struct range r = slot_range(slot);

	for (uint32_t port = r.start; port < range_end(r); port++) {
		_Atomic uint16_t *at = mark_of(file, slot->protocol, port);
		uint16_t seen = atomic_load(at);

		if (seen != 0 && seen != mark)
			return false;
		atomic_store(at, mark);
	}
	return true;
}

/*
 * The order matters to binders, who read marks without the lock: a good mark
 * is left alone, never cleared and set again.
 */
void
slot_rebuild(struct pool_file *file)
{
	struct pool_header *header = &file->header;
	uint64_t highest = header->sequence;
	uint32_t ephemeral[PROTOCOL_COUNT] = {0};

	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		if (slot_live(&file->slot[i]) &&
		    !slot_sensible(file, &file->slot[i]))
			atomic_store(&file->slot[i].state, SLOT_FREE);

	for (uint32_t port = 0; port < PORT_COUNT; port++)
		for (int p = 0; p < PROTOCOL_COUNT; p++)
			check_mark(file, (enum protocol)p, port);

	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &file->slot[i];
		uint64_t sequence;

		if (!slot_live(slot))
			continue;
		if (!remark(file, slot)) {
			atomic_store(&slot->state, SLOT_FREE);
			slot_unmark(file, slot);
			continue;
		}
		/* Strangers may have written it since it was looked at. */
		ephemeral[slot->protocol % PROTOCOL_COUNT] +=
			slot->ephemeral != 0;
		sequence = (atomic_load(&slot->token) & ~TOKEN_DEAD) >>
			   TOKEN_SHIFT;
		if (sequence > highest)
			highest = sequence;
	}
	header->sequence = highest & SEQUENCE_MAX;
	atomic_fetch_add(&header->generation, 1);
	for (int p = 0; p < PROTOCOL_COUNT; p++)
		atomic_store(&header->ephemeral[p], ephemeral[p]);
	atomic_store(&header->dirty, 0);
}
