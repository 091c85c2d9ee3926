/* SPDX-License-Identifier: MIT */
#include "core/lineset.h"

#include <errno.h>

int
lineset_make(const struct sys_ops *sys, uint32_t size, struct lineset *ret)
{
	long at = sys_mmap_private(sys, size * sizeof(*ret->hash));

	if (at < 0)
		return (int)at;
	*ret = (struct lineset){.hash = (uint32_t *)at, .size = size};
	return 0;
}

void
lineset_free(const struct sys_ops *sys, struct lineset *set)
{
	sys_munmap(sys, set->hash, set->size * sizeof(*set->hash));
	set->hash = NULL;
}

/* FNV-1a; never 0. */
static uint32_t
hash_line(const char *line, size_t n)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)line[i]) * 16777619u;
	return hash ? hash : 1;
}

/* Where the hash is, or would be. */
static uint32_t
place(const struct lineset *set, uint32_t hash)
{
	uint32_t i = hash & (set->size - 1);

	while (set->hash[i] && set->hash[i] != hash)
		i = (i + 1) & (set->size - 1);
	return i;
}

bool
lineset_has(const struct lineset *set, const char *line, size_t n)
{
	return set->hash[place(set, hash_line(line, n))] != 0;
}

int
lineset_add(struct lineset *set, const char *line, size_t n)
{
	uint32_t hash = hash_line(line, n);
	uint32_t i = place(set, hash);

	if (set->hash[i])
		return 0;
	if (set->count >= set->size / 4 * 3)
		return -E2BIG;
	set->hash[i] = hash;
	set->count++;
	return 0;
}
