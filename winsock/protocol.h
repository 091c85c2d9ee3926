/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_PROTOCOL_H
#define PORTRES_WINSOCK_PROTOCOL_H

#include <stdbool.h>

/* Writes the socket's entry of the catalog, a WSAPROTOCOL_INFOW or A. False
 * where it is of no protocol there. */
bool protocol_of(int fd, bool wide, void *ret);

#endif
