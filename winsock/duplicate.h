/* SPDX-License-Identifier: MIT */
/*
 * WSADuplicateSocket: a protocol's structure that names a socket of this
 * process, of which another, or this one, makes its own descriptor.
 */
#ifndef PORTRES_WINSOCK_DUPLICATE_H
#define PORTRES_WINSOCK_DUPLICATE_H

#include <stdbool.h>

#include "winsock2.h"

/* Does the structure, of which its head counts, name a socket? */
bool duplicate_named(const WSAPROTOCOL_INFOA *info);

/* The descriptor, or -errno. */
int duplicate_take(const WSAPROTOCOL_INFOA *info, bool close_on_exec);

#endif
