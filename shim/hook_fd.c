/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <pthread.h>

#include "core/kernel/last_close.h"
#include "core/kernel/sock.h"
#include "core/pool/reserve.h"
#include "core/pool/slot.h"
#include "portres.h"
#include "shim/fork.h"
#include "shim/hidden_fds.h"
#include "shim/pools.h"
#include "shim/request.h"
#include "shim/shim.h"
#include "shim/sockets.h"

/*
 * Marks the slots of a socket dead that has just been closed for good. Takes no
 * lock and waits for nobody. If it cannot, nothing is lost: the next acquirer
 * that meets the block finds its lease gone.
 */
static void
mark_slots_dead(struct tracked *tracked, uint64_t cookie)
{
	struct pool *pool = pools_opened();
	uint64_t token = atomic_load(&tracked->owned);

	sockets_drop(tracked, cookie);
	if (!pool || token == 0)
		return;
	if (token == SOCKETS_SEVERAL)
		reserve_end_socket(pool, cookie);
	else
		slot_mark_dead(pool->file, token, cookie);
}

/*
 * Drops a socket that lives on in other processes only: its last close is
 * theirs, and our closes cost nothing again. A child of vfork has other
 * descriptors than the process whose memory it is in, and must not drop it; an
 * associated socket stays in the table.
 */
static void
drop_if_left(struct tracked *tracked, uint64_t cookie)
{
	if (sockets_are_ours() && !atomic_load(&tracked->associated) &&
	    sock_find(&sys_kernel, cookie) == -ENOENT)
		sockets_drop(tracked, cookie);
}

/*
 * The close is made between two visits: it may linger, or be another preload's,
 * and must not keep other threads' forks waiting. The epoll set is lent
 * meanwhile.
 */
static int
close_watched(int fd, struct tracked *tracked, uint64_t cookie)
{
	struct last_close watch;
	struct fork_visit visit;
	bool lent;
	int r;

	fork_visit(&visit);
	last_close_begin(&sys_kernel, fd, &watch);
	lent = visit.under_way && watch.epoll >= 0;
	if (lent)
		fork_block.lend(&watch.epoll, 1);
	fork_visit_end(&visit);
	r = real_close(fd);
	fork_visit(&visit);
	if (lent)
		fork_block.take_back(&watch.epoll, 1);
	if (last_close_end(&sys_kernel, &watch))
		mark_slots_dead(tracked, cookie);
	else
		drop_if_left(tracked, cookie);
	fork_visit_end(&visit);
	return r;
}

/* glibc before 2.34 has it in libpthread, which a program of one thread may not
 * have. */
extern void pthread_testcancel(void) __attribute__((weak));

static int
close_known(int fd, struct tracked *tracked, uint64_t cookie)
{
	int state;
	int r;

	/* close() is where threads are cancelled, before anything is closed;
	 * cancelled later they would leak the watch. */
	if (pthread_testcancel)
		pthread_testcancel();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	r = close_watched(fd, tracked, cookie);
	pthread_setcancelstate(state, NULL);
	return r;
}

SLOW_PATH static int
close_by_owner(int fd)
{
	struct tracked *tracked;
	uint64_t cookie;

	if (hidden_fds_guards(fd))
		return ret_errno(-EBADF);
	if (!sockets_any_socket() || sock_cookie(&sys_kernel, fd, &cookie) < 0)
		return real_close(fd);
	tracked = sockets_find(cookie);
	if (!tracked)
		return real_close(fd);
	return close_known(fd, tracked, cookie);
}

static int
hooked_close(int fd)
{
	return sockets_any() ? close_by_owner(fd) : real_close(fd);
}

EXPORTED int
close(int fd)
{
	return hooked_close(fd);
}

extern int __close(int fd);

/* libc exports it too, and some programs import that name. */
EXPORTED_ALIAS int
__close(int fd)
{
	return hooked_close(fd);
}

/*
 * Programs close, mark and overwrite descriptors that they know nothing of:
 * daemons at their start, others between fork and exec. Hidden descriptors stay
 * (hidden_fds.h); otherwise these calls are libc's. All of this runs in
 * children of vfork too, which have descriptors of their own.
 */

/* Returns 0, 1 when the hidden descriptor `to` has moved, or -Exxx. */
SLOW_PATH static int
make_way(int from, int to)
{
	if (hidden_fds_guards(from))
		return -EBADF;
	return hidden_fds_guards(to) ? hidden_fds_step_aside(to) : 0;
}

/* Frees `to` if the call failed: to the program it was free. */
SLOW_PATH static int
give_back(int moved, int to, int r)
{
	if (moved && r < 0)
		sys_close(&sys_kernel, to);
	return r;
}

static int
hooked_dup2(int from, int to)
{
	int moved;

	/* The number is another socket's from now on. */
	unsettle(to);
	if (!sockets_hidden())
		return real_dup2(from, to);
	moved = make_way(from, to);
	return moved < 0 ? ret_errno(moved)
			 : give_back(moved, to, real_dup2(from, to));
}

static int
hooked_fcntl(int fd, int command, void *argument)
{
	if (sockets_hidden() && hidden_fds_guards(fd))
		return ret_errno(-EBADF);
	return real_fcntl(fd, command, argument);
}

EXPORTED int
dup2(int from, int to)
{
	return hooked_dup2(from, to);
}

extern int __dup2(int from, int to);

EXPORTED_ALIAS int
__dup2(int from, int to)
{
	return hooked_dup2(from, to);
}

EXPORTED int
dup3(int from, int to, int flags)
{
	int moved;

	unsettle(to);
	if (!sockets_hidden())
		return real_dup3(from, to, flags);
	moved = make_way(from, to);
	return moved < 0 ? ret_errno(moved)
			 : give_back(moved, to, real_dup3(from, to, flags));
}

/* Not variadic, for the reason given beside ioctl(). */
EXPORTED int exported_fcntl(int fd, int command,
			    void *argument) __asm__("fcntl");
EXPORTED_ALIAS int exported_fcntl64(int fd, int command,
				    void *argument) __asm__("fcntl64");
EXPORTED_ALIAS int exported___fcntl(int fd, int command,
				    void *argument) __asm__("__fcntl");

int
exported_fcntl(int fd, int command, void *argument)
{
	return hooked_fcntl(fd, command, argument);
}

int
exported_fcntl64(int fd, int command, void *argument)
{
	return hooked_fcntl(fd, command, argument);
}

int
exported___fcntl(int fd, int command, void *argument)
{
	return hooked_fcntl(fd, command, argument);
}

/*
 * libc's ioctl is variadic. This one has a fixed third argument, because each
 * ABI that we run on passes it in the same place, and collecting it from a
 * va_list would be half of the cost of passing through.
 */
EXPORTED int exported_ioctl(int fd, unsigned long request,
			    void *argument) __asm__("ioctl");

/*
 * Only 32 bits count: the codes have bit 31 set, and a caller with an int in
 * hand passes them sign-extended.
 */
static bool
is_of_concern(uint32_t code)
{
	return code == SIO_ACQUIRE_PORT_RESERVATION ||
	       code == SIO_RELEASE_PORT_RESERVATION ||
	       code == SIO_ASSOCIATE_PORT_RESERVATION || code == FIOCLEX ||
	       code == FIONCLEX;
}

SLOW_PATH static int
ioctl_of_concern(int fd, unsigned long request, void *argument)
{
	switch ((uint32_t)request) {
	case SIO_ACQUIRE_PORT_RESERVATION:
		return ret_errno(native_acquire(fd, argument, POOL_WAIT));
	case SIO_RELEASE_PORT_RESERVATION:
		return ret_errno(native_release(fd, argument));
	case SIO_ASSOCIATE_PORT_RESERVATION:
		return ret_errno(native_associate(fd, argument));
	default:
		if (sockets_hidden() && hidden_fds_guards(fd))
			return ret_errno(-EBADF);
		return real_ioctl(fd, request, argument);
	}
}

int
exported_ioctl(int fd, unsigned long request, void *argument)
{
	return is_of_concern((uint32_t)request)
		       ? ioctl_of_concern(fd, request, argument)
		       : real_ioctl(fd, request, argument);
}

EXPORTED int
socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);

	unsettle(fd);
	return fd;
}

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)

/* Closes around hidden descriptors. The kernel checks the flags even if none is
 * left to close. */
SLOW_PATH static int
close_around(unsigned int first, unsigned int last, int flags)
{
	int hidden;

	while ((hidden = hidden_fds_next(first, last)) >= 0) {
		unsigned int fd = (unsigned int)hidden;

		if (fd > first && real_close_range(first, fd - 1, flags) < 0)
			return -1;
		if (fd == last)
			return real_close_range(UINT_MAX, UINT_MAX, flags);
		first = fd + 1;
	}
	return real_close_range(first, last, flags);
}

static bool
close_unless_hidden(void *lowest, int fd)
{
	if (fd >= *(int *)lowest && !hidden_fds_guards(fd))
		sys_close(&sys_kernel, fd);
	return true;
}

/* sock_each() is for kernels before 5.9, without close_range, and sandboxes. */
SLOW_PATH static void
close_from(int lowest)
{
	int saved = errno;

	if (lowest < 0)
		lowest = 0;
	if (close_around((unsigned int)lowest, UINT_MAX, 0) < 0)
		sock_each(&sys_kernel, close_unless_hidden, &lowest);
	edge(saved, 0);
}

EXPORTED int
close_range(unsigned int first, unsigned int last, int flags)
{
	return sockets_hidden() ? close_around(first, last, flags)
				: real_close_range(first, last, flags);
}

EXPORTED void
closefrom(int lowest)
{
	if (sockets_hidden())
		close_from(lowest);
	else
		real_closefrom(lowest);
}

#endif
#endif
