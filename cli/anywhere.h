/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CLI_ANYWHERE_H
#define PORTRES_CLI_ANYWHERE_H

#include "core/pool/acquire.h"

/* Reads the places of wildcards: PORTRES_WILDCARD, or the kernel's settings. */
void anywhere_find(struct anywhere *ret);

#endif
