/* SPDX-License-Identifier: MIT */
/* How the pool is entered and left. */
#include <errno.h>

#include "core/lock.h"
#include "core/pool_inside.h"
#include "core/slot.h"

int
pool_unusable(int r)
{
	switch (r) {
	case -EMFILE:
	case -ENFILE:
	case -EINTR:
	case -EBUSY:
	case -ENETDOWN:
		return r;
	default:
		return -ENETDOWN;
	}
}

bool
pool_header_valid(const struct pool_header *header)
{
	return atomic_load(&header->magic) == POOL_MAGIC &&
	       header->layout == POOL_LAYOUT &&
	       header->size == sizeof(struct pool_file) &&
	       header->slot_size == sizeof(struct slot) &&
	       header->segment_size == sizeof(struct segment);
}

int
pool_enter(struct pool *pool, enum pool_wait wait, struct pool_lock *ret)
{
	struct pool_lock lock;
	struct stat st;
	int r = lock_take(pool->sys, pool->path, pool->gate, wait, &lock);

	if (r == -ENOENT || r == -ELOOP)
		return -ESTALE;
	if (r < 0)
		return pool_unusable(r);
	r = sys_fstat(pool->sys, lock.fd, &st);
	if (r < 0 || st.st_dev != pool->device || st.st_ino != pool->inode ||
	    st.st_size != sizeof(struct pool_file) ||
	    !pool_header_valid(&pool->file->header)) {
		lock_drop(pool->sys, pool->gate, &lock);
		return -ESTALE;
	}
	if (atomic_load(&pool->file->header.dirty))
		slot_rebuild(pool->file);
	*ret = lock;
	return 0;
}

void
pool_leave(struct pool *pool, const struct pool_lock *lock)
{
	lock_drop(pool->sys, pool->gate, lock);
}
