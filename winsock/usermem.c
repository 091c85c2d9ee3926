/* SPDX-License-Identifier: MIT */
#include "winsock/usermem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * The aligned 8 bytes around one. The kernel copies a signal set before it
 * looks at an impossible `how`, so nothing else happens: 0.14 us, where
 * process_vm_readv costs ten times that. To the kernel a null set is none.
 */
static bool
is_there(uintptr_t at)
{
	at &= ~(uintptr_t)7;
	return at && (syscall(SYS_rt_sigprocmask, -1, at, NULL, 8) == 0 ||
		      errno != EFAULT);
}

/* So few bytes lie on one page or on two. */
static bool
readable(const void *user, size_t n)
{
	uintptr_t first = (uintptr_t)user;
	uintptr_t last = first + n - 1;
	int before = errno;
	bool there = is_there(first) && ((first ^ last) < 8 || is_there(last));

	errno = before;
	return there;
}

/* Writes them. A sandbox may forbid a process to write to itself by that call:
 * then the pointer is trusted as far as it can be read. */
static bool
written(void *user, const void *from, size_t n)
{
	struct iovec local = {(void *)from, n};
	struct iovec remote = {user, n};
	int before = errno;
	ssize_t r = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	bool forbidden = r < 0 && (errno == ENOSYS || errno == EPERM);

	errno = before;
	return r == (ssize_t)n || (forbidden && readable(user, n));
}

int
usermem_read(void *to, const void *user, size_t n)
{
	if (!readable(user, n))
		return -EFAULT;
	memcpy(to, user, n);
	return 0;
}

int
usermem_write(void *user, const void *from, size_t n)
{
	if (!written(user, from, n))
		return -EFAULT;
	/* Again: valgrind does not see what a process writes so. */
	memcpy(user, from, n);
	return 0;
}

#define PAGE 4096u
#define PAGES_SEEN 16u

/* Initial-exec as everywhere: no allocation behind the program's back. */
static __thread uintptr_t seen[PAGES_SEEN]
	__attribute__((tls_model("initial-exec")));

static bool
seen_readable(const void *user, size_t n)
{
	uintptr_t last = ((uintptr_t)user + n - 1) / PAGE;

	for (uintptr_t page = (uintptr_t)user / PAGE; page <= last; page++) {
		uintptr_t *place = &seen[page % PAGES_SEEN];

		if (page == 0 ||
		    (*place != page && !readable((void *)(page * PAGE), 1)))
			return false;
		*place = page;
	}
	return true;
}

int
usermem_get(void *to, const void *user, size_t n)
{
	if (!seen_readable(user, n))
		return -EFAULT;
	memcpy(to, user, n);
	return 0;
}

int
usermem_put(void *user, const void *from, size_t n)
{
	if (!seen_readable(user, n))
		return -EFAULT;
	memcpy(user, from, n);
	return 0;
}

int
user_observe(const unsigned long *user, unsigned long *ret)
{
	if (!readable(user, sizeof(*user)))
		return -EFAULT;
	*ret = __atomic_load_n(user, __ATOMIC_ACQUIRE);
	return 0;
}

/* To see whether it can be written, its own value is: the new one must not be
 * there before the store that orders it. */
int
usermem_publish(unsigned long *user, unsigned long value)
{
	unsigned long now;

	if (user_observe(user, &now) < 0 || !written(user, &now, sizeof(now)))
		return -EFAULT;
	__atomic_store_n(user, value, __ATOMIC_RELEASE);
	return 0;
}
