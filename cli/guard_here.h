/* SPDX-License-Identifier: MIT */
/* The guard over this process. */
#ifndef PORTRES_CLI_GUARD_HERE_H
#define PORTRES_CLI_GUARD_HERE_H

#include <stdint.h>

/* A socket to ask it by, and its number in our network namespace; or -1: there
 * is none. */
int guard_here(uint64_t *ret_number);

#endif
