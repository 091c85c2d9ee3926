/* SPDX-License-Identifier: MIT */
#include "shim/pools.h"

#include <errno.h>

#include "core/kernel/sock.h"
#include "shim/config.h"
#include "shim/fork.h"
#include "shim/real.h"
#include "shim/robust_list.h"
#include "shim/sockets.h"

/* An entry is never freed once it is listed: binders have pointers to it. When
 * its file has been replaced it is stale, and there is another one. */
struct entry {
	struct entry *next;
	_Atomic uint32_t stale; /* riscv64 exchanges no bytes of its own */
	uint64_t netns;
	struct pool pool;
};

static struct entry *_Atomic newest;
struct pool *_Atomic pools_first;

static struct entry *
entry_find(struct entry *entry, uint64_t netns)
{
	while (entry && (entry->netns != netns || atomic_load(&entry->stale)))
		entry = entry->next;
	return entry;
}

static void
pool_not_first(struct pool *pool)
{
	atomic_compare_exchange_strong(&pools_first, &pool, NULL);
}

static void
entry_free(struct entry *entry)
{
	sys_munmap(&sys_kernel, entry, sizeof(*entry));
}

/* Lists the entry before `old`, which it takes the place of, or NULL; unless
 * another thread has just opened the same pool. */
static struct entry *
entry_keep(struct entry *entry, const struct entry *old)
{
	struct entry *before = atomic_load(&newest);

	do {
		struct entry *same = entry_find(before, entry->netns);

		if (same && same != old) {
			pool_close(&entry->pool);
			entry_free(entry);
			return same;
		}
		entry->next = before;
	} while (!atomic_compare_exchange_strong(&newest, &before, entry));
	atomic_store(&pools_first, &entry->pool);
	/* Another thread may have found it stale before that. */
	if (atomic_load(&entry->stale))
		pool_not_first(&entry->pool);
	return entry;
}

static void
entry_forget(struct entry *entry)
{
	if (atomic_exchange(&entry->stale, 1))
		return;
	pool_not_first(&entry->pool);
	pool_forget(&entry->pool);
}

/* Opens into the mapped entry: a pool is large for the stack of a handler. */
static int
entry_open(uint64_t netns, const struct entry *old, struct entry **ret)
{
	long at = sys_mmap_private(&sys_kernel, sizeof(struct entry));
	struct entry *entry = (struct entry *)at;
	int r;

	if (at < 0)
		return -ENETDOWN;
	entry->netns = netns;
	r = config_open_pool(netns, &fork_block, &entry->pool);
	if (r < 0) {
		entry_free(entry);
		return r;
	}
	*ret = entry_keep(entry, old);
	return 0;
}

/* The old one is forgotten once there is a new one, and not before: a file that
 * cannot be found may be out of reach, after chroot(), and is true all the
 * same. */
static int
entry_replace(struct entry *old)
{
	struct entry *entry;
	int r = entry_open(old->netns, old, &entry);

	if (r == 0)
		entry_forget(old);
	return r;
}

static int
entry_for(int fd, struct entry **ret)
{
	struct entry *entry;
	uint64_t netns;
	int r = sock_netns(&sys_kernel, fd, &netns);

	if (r < 0)
		return r;
	entry = entry_find(atomic_load(&newest), netns);
	if (!entry)
		return entry_open(netns, NULL, ret);
	*ret = entry;
	return 0;
}

/* A pool that could not be opened is not tried again within the second: a
 * program that sends from an unbound socket would try with every packet. */
static bool
too_soon(bool failed)
{
	static _Atomic uint64_t again_at;
	uint64_t now;

	if (!failed && atomic_load(&again_at) == 0)
		return false;
	now = sys_seconds(&sys_kernel);
	if (failed)
		atomic_store(&again_at, now + 1);
	return now < atomic_load(&again_at);
}

/* Opens none for other sockets, such as syslog's. */
struct pool *
pools_open(int fd)
{
	enum protocol protocol;
	struct entry *entry;
	int r;

	if (!config_get()->directory[0] || too_soon(false) ||
	    !sock_takes_ports(&sys_kernel, fd, &protocol))
		return NULL;
	r = entry_for(fd, &entry);
	if (r == 0)
		return &entry->pool;
	/* A descriptor may be free at the next call. */
	if (r != -EMFILE && r != -ENFILE)
		too_soon(true);
	return NULL;
}

int
pools_find(int fd, struct pool **ret_pool)
{
	struct entry *entry;
	int r = entry_for(fd, &entry);

	if (r < 0)
		return r;
	*ret_pool = &entry->pool;
	return pool_whole(&entry->pool) ? 0 : -ENETDOWN;
}

/* `follow`: opens a new pool though the old one's mapping is whole. */
static int
enter(int fd, enum pool_wait wait, bool follow, struct pool **ret_pool,
      struct pool_lock *ret_lock)
{
	struct entry *entry;
	int r;

	for (int i = 0; i < 2; i++) {
		r = entry_for(fd, &entry);
		if (r < 0)
			return r;
		*ret_pool = &entry->pool;
		r = pool_enter(*ret_pool, wait, ret_lock);
		if (r != -ESTALE)
			return r;
		if (!follow && pool_whole(*ret_pool))
			return -ENETDOWN;
		r = entry_replace(entry);
		if (r < 0)
			return r;
	}
	return -ENETDOWN;
}

int
pools_enter(int fd, enum pool_wait wait, struct pool **ret_pool,
	    struct pool_lock *ret_lock)
{
	return enter(fd, wait, true, ret_pool, ret_lock);
}

int
pools_enter_to_bind(int fd, enum pool_wait wait, struct pool **ret_pool,
		    struct pool_lock *ret_lock)
{
	return enter(fd, wait, false, ret_pool, ret_lock);
}

struct pool *
pools_opened(void)
{
	struct pool *pool = atomic_load(&pools_first);

	return pool && pool_whole(pool) ? pool : NULL;
}

static __thread struct {
	struct announcer self;
	uintptr_t frame; /* of announced_begin(), when it began last */
} mine;

#define NEAR 4096 /* less than a stack */

/*
 * Has the bind been left whose announcement is under way, by siglongjmp()? Then
 * its frames are gone, and ours is where they were or above. A handler that has
 * interrupted it is below, or on a signal stack, which may lie anywhere.
 */
static bool
was_left(uintptr_t here)
{
	stack_t stack = {0};

	return here >= mine.frame && here - mine.frame < NEAR &&
	       SYS_CALL(&sys_kernel, SYS_sigaltstack, 0, SYS_ARG_(&stack)) >=
		       0 &&
	       !(stack.ss_flags & SS_ONSTACK);
}

/* Is a bind of this thread under way, which a handler has interrupted? */
SLOW_PATH static bool
interrupts_another(uintptr_t here)
{
	if (!announce_under_way(&sys_kernel, &mine.self))
		return false;
	if (!was_left(here))
		return true;
	announce_end_left(&mine.self);
	return false;
}

/* The frame of one that a handler has interrupted before it had its word is
 * put back, or a later handler would take that one for left. */
static void
forget(const struct announced *announced)
{
	mine.self.word = NULL;
	mine.frame = announced->frame_before;
}

int
announced_begin(struct pool *pool, uint16_t port, struct announced *ret)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	int r;

	mine.self.process = FORK_GENERATION();
	if (mine.self.word && interrupts_another(here))
		return -EBUSY;
	ret->frame_before = mine.frame;
	mine.frame = here;
	atomic_signal_fence(memory_order_seq_cst);
	r = announce_begin(&sys_kernel, &mine.self, pool->file, port,
			   &ret->announce);
	if (ROBUST_LISTS_COME_LATE && r == -ENOSYS && !in_vfork_child() &&
	    robust_list_register())
		r = announce_begin(&sys_kernel, &mine.self, pool->file, port,
				   &ret->announce);
	ret->generation = FORK_GENERATION();
	if (r < 0)
		forget(ret);
	return r;
}

/*
 * This may be a child that a signal handler has forked: see announce_leave().
 * (A fork between the claim of the word and the read of the generation goes
 * unnoticed; a generation read before the claim could leave a word that nobody
 * ends.)
 */
void
announced_end(const struct announced *announced)
{
	if (announced->generation == FORK_GENERATION())
		announce_end(&announced->announce);
	else
		announce_leave(&announced->announce);
	forget(announced);
}
