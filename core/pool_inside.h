/* SPDX-License-Identifier: MIT */
/* What pool.c and pool_open.c share. */
#ifndef PORTRES_CORE_POOL_INSIDE_H
#define PORTRES_CORE_POOL_INSIDE_H

#include "core/pool.h"

/* Everything that is wrong with a pool is one error to its users. */
int pool_unusable(int r);

/* Is the file complete, and of our layout? */
bool pool_header_valid(const struct pool_header *header);

#endif
