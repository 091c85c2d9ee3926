/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CLI_ANYWHERE_H
#define PORTRES_CLI_ANYWHERE_H

#include "core/pool/acquire.h"

/* The places for wildcards, as PORTRES_WILDCARD or the kernel's settings say.
 */
void anywhere_find(struct anywhere *ret);

#endif
