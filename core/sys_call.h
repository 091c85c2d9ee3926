/* SPDX-License-Identifier: MIT */
/*
 * The one door to the kernel.
 *
 * Every system call of core goes through sys_ops.call, for three reasons:
 * tests fail any one of them by number and turn; nothing here can reach a
 * libc function that the shim interposes; and a raw call is neither a thread
 * cancellation point nor a writer of errno, so core may run anywhere in a
 * host program, signal handlers included.
 *
 * All functions return the kernel's answer: >= 0, or -Exxx.
 */
#ifndef PORTRES_CORE_SYS_CALL_H
#define PORTRES_CORE_SYS_CALL_H

#include <stddef.h>
#include <sys/syscall.h>

#ifndef __LP64__
#error "portres supports 64-bit Linux only"
#endif

struct sys_ops {
	long (*call)(const struct sys_ops *sys, long nr, const long arg[6]);
};

/* The kernel itself. */
extern const struct sys_ops sys_kernel;

#define SYS_ARG_(x) ((long)(x))
#define SYS_CALL(sys, nr, ...)                                                 \
	((sys)->call((sys), (nr), (const long[6]){__VA_ARGS__}))

#endif
