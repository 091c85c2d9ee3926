/* SPDX-License-Identifier: MIT */
/* Threads as Microsoft's C runtime makes them, and the process. */
#ifndef PORTRES_PROCESS_H
#define PORTRES_PROCESS_H

#include "portres_words.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define _getpid getpid

#ifdef __cplusplus
extern "C" {
#endif

/* As <unistd.h> has them, without the rest of that: programs have functions of
 * their own with such names. */
extern pid_t getpid(void) PORTRES_NOTHROW;
extern void _exit(int status) __attribute__((__noreturn__));

/* Its handle is closed when it ends. (uintptr_t)-1: EAGAIN, EINVAL. */
PORTRES_API uintptr_t _beginthread(void (*start_address)(void *argument),
				   unsigned int stack_size, void *arglist)
	PORTRES_NAME(_beginthread);
/* CreateThread() in other words. 0: EAGAIN, EINVAL. */
PORTRES_API uintptr_t
_beginthreadex(void *security, unsigned int stack_size,
	       unsigned int (*start_address)(void *argument), void *arglist,
	       unsigned int initflag, unsigned int *thrdaddr)
	PORTRES_NAME(_beginthreadex);
PORTRES_API void _endthread(void) PORTRES_NAME(_endthread)
	__attribute__((__noreturn__));
PORTRES_API void _endthreadex(unsigned int retval) PORTRES_NAME(_endthreadex)
	__attribute__((__noreturn__));

#ifdef __cplusplus
}
#endif

#endif
