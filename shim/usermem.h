/* SPDX-License-Identifier: MIT */
/* The program's pointers may be wild. The kernel answers EFAULT then, and so do
 * we; a plain access would kill the program. */
#ifndef PORTRES_SHIM_USERMEM_H
#define PORTRES_SHIM_USERMEM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies up to 4096 bytes from and to the caller's memory. Returns 0 or
 * -EFAULT, and then the first bytes of the target may have been changed.
 */
int usermem_read(void *to, const void *user, size_t n);
int usermem_write(void *user, const void *from, size_t n);

/* Called once by the constructor. Before it, more is asked of the kernel. */
void usermem_start(void);

/* Are these bytes, 1 to 4096 of them, readable? */
bool usermem_readable(const void *user, size_t n);

#endif
