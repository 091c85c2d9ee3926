/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CLI_OPEN_POOL_H
#define PORTRES_CLI_OPEN_POOL_H

#include "core/pool/pool.h"

/* Opens the pool of our network namespace. 0, or -Exxx as pool_open(). */
int open_pool(struct pool *ret_pool);

/* The path that its file has in the directory. 0 or -Exxx. */
int open_pool_path(const char *directory, char to[POOL_PATH_MAX]);

#endif
