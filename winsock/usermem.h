/* SPDX-License-Identifier: MIT */
/*
 * Memory that a program names may not be there: EFAULT then, as the kernel has
 * it; a plain access would kill the program.
 *
 * All return 0 or -EFAULT and leave errno alone. Up to 4096 bytes are copied;
 * on failure the first bytes of the target may have been changed.
 */
#ifndef PORTRES_WINSOCK_USERMEM_H
#define PORTRES_WINSOCK_USERMEM_H

#include <stddef.h>

int usermem_read(void *to, const void *user, size_t n);
int usermem_write(void *user, const void *from, size_t n);

/*
 * As above, for calls that are made as often as there are messages. Memory that
 * can be read is taken to be writable, and a page that this thread has seen
 * lately to be there still: one that is not kills the program.
 */
int usermem_get(void *to, const void *user, size_t n);
int usermem_put(void *user, const void *from, size_t n);

/* One word that is looked at without a lock: a thread that sees it sees all
 * that was written before. */
int usermem_publish(unsigned long *user, unsigned long value);
int user_observe(const unsigned long *user, unsigned long *ret);

#endif
