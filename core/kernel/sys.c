/* SPDX-License-Identifier: MIT */
#include "core/kernel/sys.h"

#include <errno.h>

/*
 * An acquire of 20 ports makes 100 system calls, each of them as short as they
 * come: libc's syscall() and its detour by errno were a tenth of it. Memory is
 * clobbered, because the kernel reads and writes what the arguments point to.
 * The thread sanitizer needs libc's calls, for the reason given there.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

static long
kernel_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	register long r10 __asm__("r10") = arg[3];
	register long r8 __asm__("r8") = arg[4];
	register long r9 __asm__("r9") = arg[5];
	long r;

	(void)sys;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]),
			   "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}

#elif defined(__aarch64__) && !defined(__SANITIZE_THREAD__)

static long
kernel_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = arg[0];
	register long x1 __asm__("x1") = arg[1];
	register long x2 __asm__("x2") = arg[2];
	register long x3 __asm__("x3") = arg[3];
	register long x4 __asm__("x4") = arg[4];
	register long x5 __asm__("x5") = arg[5];

	(void)sys;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else

static long
libc_call(long nr, const long arg[6])
{
#ifdef __SANITIZE_THREAD__
	/* These tell it that memory is new or gone: a thread that gets
	 * addresses which another one gave back does not race with it. */
	if (nr == SYS_mmap)
		return (long)mmap((void *)arg[0], (size_t)arg[1], (int)arg[2],
				  (int)arg[3], (int)arg[4], arg[5]);
	if (nr == SYS_munmap)
		return munmap((void *)arg[0], (size_t)arg[1]);
#endif
	return syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

/* The only lines of core that meet errno; the host program's is put back. */
static long
kernel_call(const struct sys_ops *sys, long nr, const long arg[6])
{
	int saved = errno;
	long r = libc_call(nr, arg);

	(void)sys;
	if (r == -1) {
		r = -errno;
		errno = saved;
	}
	return r;
}

#endif

const struct sys_ops sys_kernel = {.call = kernel_call};

#define DIGITS 32

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "9a5e6c1a-…", 32 digits with dashes between. */
int
sys_boot_id(const struct sys_ops *sys, uint64_t ret[2])
{
	char text[64];
	uint64_t id[2] = {0};
	int digits = 0;
	long n;
	int fd = sys_open(sys, "/proc/sys/kernel/random/boot_id",
			  O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	n = sys_read(sys, fd, text, sizeof(text));
	sys_close(sys, fd);
	for (long i = 0; i < n && digits < DIGITS; i++) {
		uint64_t *half = &id[digits >= DIGITS / 2];
		int value = hex_value(text[i]);

		if (value < 0)
			continue;
		*half = *half << 4 | (uint64_t)value;
		digits++;
	}
	if (digits < DIGITS)
		return n < 0 ? (int)n : -EINVAL;
	ret[0] = id[0];
	ret[1] = id[1];
	return 0;
}
