/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_WSASOCKET_H
#define PORTRES_WINSOCK_WSASOCKET_H

#include "winsock2.h"

/* Closes it as closesocket() does: 0 or a Winsock code. */
int socket_close(SOCKET s);

#endif
