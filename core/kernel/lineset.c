/* SPDX-License-Identifier: MIT */
#include "core/kernel/lineset.h"

#include <errno.h>
#include <string.h>

#define SIZE_FIRST 4096u /* lines that are usually there, times 4/3 */
#define SIZE_LAST (1u << 30)
#define GROWTH 4u

static size_t
bytes(uint32_t size)
{
	return size * sizeof(struct lineset_entry);
}

static int
make_of_size(const struct sys_ops *sys, uint32_t size, struct lineset *ret)
{
	long at = sys_mmap_private(sys, bytes(size));

	if (at < 0)
		return (int)at;
	*ret = (struct lineset){
		.sys = sys, .entry = (struct lineset_entry *)at, .size = size};
	return 0;
}

int
lineset_make(const struct sys_ops *sys, struct lineset *ret)
{
	return make_of_size(sys, SIZE_FIRST, ret);
}

void
lineset_free(struct lineset *set)
{
	sys_munmap(set->sys, set->entry, bytes(set->size));
	set->entry = NULL;
}

void
lineset_clear(struct lineset *set)
{
	memset(set->entry, 0, bytes(set->size));
	set->count = 0;
}

/* Eight bytes at a time: while a list is read each microsecond counts. */
uint32_t
lineset_hash(const char *line, size_t n, uint64_t seed)
{
	uint64_t hash = seed + n;
	uint64_t word = 0;

	for (; n >= sizeof(word); n -= sizeof(word), line += sizeof(word)) {
		memcpy(&word, line, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, line, n);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
	return hash >> 32 ? (uint32_t)(hash >> 32) : 1;
}

/* Where the hash is, or would be. */
static struct lineset_entry *
place(const struct lineset *set, uint32_t hash)
{
	uint32_t i = hash & (set->size - 1);

	while (set->entry[i].hash && set->entry[i].hash != hash)
		i = (i + 1) & (set->size - 1);
	return &set->entry[i];
}

struct lineset_entry *
lineset_find(const struct lineset *set, uint32_t hash)
{
	struct lineset_entry *entry = place(set, hash);

	return entry->hash ? entry : NULL;
}

static int
grow(struct lineset *set)
{
	struct lineset larger;
	int r = -ENOMEM;

	if (set->size < SIZE_LAST)
		r = make_of_size(set->sys, set->size * GROWTH, &larger);
	if (r < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->size; i++)
		if (set->entry[i].hash)
			*place(&larger, set->entry[i].hash) = set->entry[i];
	larger.count = set->count;
	lineset_free(set);
	*set = larger;
	return 0;
}

int
lineset_put(struct lineset *set, uint32_t hash, uint32_t number)
{
	struct lineset_entry *entry = place(set, hash);

	if (!entry->hash) {
		if (set->count >= set->size / 4 * 3) {
			int r = grow(set);

			if (r < 0)
				return r;
			entry = place(set, hash);
		}
		set->count++;
	}
	*entry = (struct lineset_entry){hash, number};
	return 0;
}
