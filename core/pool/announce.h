/* SPDX-License-Identifier: MIT */
/*
 * Binding without the lock: see BINDERS in layout.h.
 *
 * An announcement must end when its binder dies, and no pid proves a death
 * across pid namespaces. The kernel does: each thread of a libc program has a
 * robust list, and when the thread dies or execs, the futex word that the list
 * calls pending, if it holds the thread's id, is cleared to FUTEX_OWNER_DIED.
 * So for the length of one bind the announcement is that pending word. (A
 * robust mutex does the same; but it leaves pointers in the shared file, which
 * crash the program when the file is damaged.)
 *
 * A signal handler may bind while the thread is in the middle of locking a
 * robust mutex of its own: so the word that was pending before is put back.
 */
#ifndef PORTRES_CORE_POOL_ANNOUNCE_H
#define PORTRES_CORE_POOL_ANNOUNCE_H

#include "core/kernel/sys.h"
#include "core/pool/layout.h"

/* In the place of a port: autobind, where the kernel is about to pick one. */
#define ANNOUNCE_CHOICE 0

/*
 * One thread and its robust list; kept by the caller, zero at first. Before
 * each call the caller sets `process` to a number that changes in a forked
 * child; with 0 the kernel is asked for the thread each time.
 */
struct announcer {
	uint32_t process;
	uint32_t known_in; /* the process in which the rest was found out */
	uint32_t thread;
	struct robust_list_head *list;
	/* The word that it took last, or was about to take. */
	struct announcement *word;
};

struct announce {
	struct announcement *word;
	struct robust_list_head *list;
	void *pending_before;
};

/*
 * Announces a bind to `port` by this thread, for both protocols. Returns 0,
 * or -Exxx when it cannot be done, and the caller binds under the pool's lock
 * instead: -EFAULT (the file was truncated), -ENOSYS (no robust list: a vfork
 * child, a foreign libc), -EBUSY (255 binders in this segment).
 */
int announce_begin(const struct sys_ops *sys, struct announcer *self,
		   struct pool_file *file, uint16_t port, struct announce *ret);

void announce_end(const struct announce *announce);

/*
 * Is the announcement under way that this thread, in the same process, has made
 * last? A second one beside it would hide it from the kernel, and last for ever
 * if the thread dies then.
 */
bool announce_under_way(const struct sys_ops *sys, const struct announcer *self)
	__attribute__((cold));

/* Instead of announce_end() when that one's bind is known to have been left, by
 * siglongjmp() in a signal handler. */
void announce_end_left(struct announcer *self) __attribute__((cold));

/* Instead of announce_end() in a child forked meanwhile: the parent ends it. */
void announce_leave(const struct announce *announce);

/*
 * Called by the acquirer, with the lock held and its marks (for
 * ANNOUNCE_CHOICE, its count) written. Waits until every bind that may have
 * started before them has finished. Returns false when one did not in time (its
 * thread is stopped): then *ret_port, its port, must count as in use. `since`,
 * 0 at first, goes from call to call of one acquire, so that many stopped
 * binders cost no more than one.
 */
bool announce_wait(const struct sys_ops *sys, struct pool_file *file,
		   struct range range, uint64_t *since, uint32_t *ret_port);

#endif
