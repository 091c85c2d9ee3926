/* SPDX-License-Identifier: MIT */
/*
 * Who has the pool's lock, as the kernel's list of locks tells it.
 */
#ifndef PORTRES_CLI_STUCK_H
#define PORTRES_CLI_STUCK_H

#include <stdbool.h>

#include "core/pool/pool.h"

/* "pid 12 (nginx), which is stopped"; false when nobody is to be seen. */
bool stuck_by(const struct pool *pool, char *to, size_t size);

#endif
