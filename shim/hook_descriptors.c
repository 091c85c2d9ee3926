/* SPDX-License-Identifier: MIT */
/*
 * Programs close, mark and overwrite descriptors that they know nothing of:
 * daemons all of them at their start, others between fork and exec. What the
 * program was started with stays (inherited.h); otherwise these calls are
 * libc's. All of this runs in children of vfork too, beside a descriptor table
 * of their own.
 */
#include "shim/shim.h"

#include <limits.h>

#include "core/endpoint.h"
#include "shim/inherited.h"
#include "shim/track.h"

/* The kernel's answer to the flags, whatever is left of the range. */
SLOW_PATH static int
close_around(unsigned int first, unsigned int last, int flags)
{
	int guarded;

	while ((guarded = inherited_next(first, last)) >= 0) {
		unsigned int fd = (unsigned int)guarded;

		if (fd > first && real_close_range(first, fd - 1, flags) < 0)
			return -1;
		if (fd == last)
			return real_close_range(UINT_MAX, UINT_MAX, flags);
		first = fd + 1;
	}
	return real_close_range(first, last, flags);
}

int
shim_close_range(unsigned int first, unsigned int last, int flags)
{
	return track_guarding() ? close_around(first, last, flags)
				: real_close_range(first, last, flags);
}

static bool
close_unless_guarded(void *lowest, int fd)
{
	if (fd >= *(int *)lowest && !inherited_guards(fd))
		sys_close(&sys_kernel, fd);
	return true;
}

/* Where the kernel has no close_range (before 5.9), or a sandbox forbids it. */
SLOW_PATH static void
close_from(int lowest)
{
	int saved = errno;

	if (lowest < 0)
		lowest = 0;
	if (close_around((unsigned int)lowest, UINT_MAX, 0) < 0)
		endpoint_each(&sys_kernel, close_unless_guarded, &lowest);
	errno = saved;
}

void
shim_closefrom(int lowest)
{
	if (track_guarding())
		close_from(lowest);
	else
		real_closefrom(lowest);
}

/* Returns 0, 1 when what was guarded at `to` has another number now, -Exxx. */
SLOW_PATH static int
make_way(int from, int to)
{
	if (inherited_guards(from))
		return -EBADF;
	return inherited_guards(to) ? inherited_step_aside(to) : 0;
}

/* A call that fails leaves the number as free as the program thinks it is. */
SLOW_PATH static int
settle(int moved, int to, int r)
{
	if (moved && r < 0)
		sys_close(&sys_kernel, to);
	return r;
}

int
shim_dup2(int from, int to)
{
	int moved;

	if (!track_guarding())
		return real_dup2(from, to);
	moved = make_way(from, to);
	return moved < 0 ? ret_errno(moved)
			 : settle(moved, to, real_dup2(from, to));
}

int
shim_dup3(int from, int to, int flags)
{
	int moved;

	if (!track_guarding())
		return real_dup3(from, to, flags);
	moved = make_way(from, to);
	return moved < 0 ? ret_errno(moved)
			 : settle(moved, to, real_dup3(from, to, flags));
}

int
shim_fcntl(int fd, int command, void *argument)
{
	if (track_guarding() && inherited_guards(fd))
		return ret_errno(-EBADF);
	return real_fcntl(fd, command, argument);
}

EXPORTED int
close_range(unsigned int first, unsigned int last, int flags)
{
	return shim_close_range(first, last, flags);
}

EXPORTED void
closefrom(int lowest)
{
	shim_closefrom(lowest);
}

EXPORTED int
dup2(int from, int to)
{
	return shim_dup2(from, to);
}

extern int __dup2(int from, int to);

EXPORTED int
__dup2(int from, int to)
{
	return shim_dup2(from, to);
}

EXPORTED int
dup3(int from, int to, int flags)
{
	return shim_dup3(from, to, flags);
}

/* Not variadic, for the reason given beside ioctl(). */
EXPORTED int exported_fcntl(int fd, int command,
			    void *argument) __asm__("fcntl");
EXPORTED int exported_fcntl64(int fd, int command,
			      void *argument) __asm__("fcntl64");
EXPORTED int exported___fcntl(int fd, int command,
			      void *argument) __asm__("__fcntl");

int
exported_fcntl(int fd, int command, void *argument)
{
	return shim_fcntl(fd, command, argument);
}

int
exported_fcntl64(int fd, int command, void *argument)
{
	return shim_fcntl(fd, command, argument);
}

int
exported___fcntl(int fd, int command, void *argument)
{
	return shim_fcntl(fd, command, argument);
}
