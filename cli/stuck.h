/* SPDX-License-Identifier: MIT */
/* The process that has the pool's lock, by the kernel's list of locks. */
#ifndef PORTRES_CLI_STUCK_H
#define PORTRES_CLI_STUCK_H

#include <stdbool.h>

#include "core/pool/pool.h"

/* "pid 12 (nginx), which is stopped"; false when none is listed. */
bool stuck_by(const struct pool *pool, char *to, size_t size);

#endif
