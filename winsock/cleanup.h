/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_CLEANUP_H
#define PORTRES_WINSOCK_CLEANUP_H

#include <stdbool.h>

/* Undoes one start; the last one ends all pending requests. False when there
 * was none. */
bool cleanup(void);

#endif
