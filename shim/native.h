/* SPDX-License-Identifier: MIT */
/*
 * The native API (portres.h), and ioctl(), which is a part of it. Pointers are
 * the program's. All return 0 or -Exxx; -EBUSY is POOL_TRY's.
 */
#ifndef PORTRES_SHIM_NATIVE_H
#define PORTRES_SHIM_NATIVE_H

#include "core/pool/pool.h"

/* `block` is a struct portres_instance. */
int native_acquire(int fd, void *block, enum pool_wait wait);

/* `token` is a uint64_t. */
int native_release(int fd, const void *token);
int native_associate(int fd, const void *token);

#endif
