/* SPDX-License-Identifier: MIT */
/*
 * A SOCKET is a descriptor. Here is what Winsock knows of one besides.
 */
#ifndef PORTRES_WINSOCK_SOCKET_H
#define PORTRES_WINSOCK_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "winsock2.h"

/* Windows' number of the family, where Linux has AF_IRDA. */
#define WINDOWS_AF_INET6 23

/* Linux' number of a family. */
static inline int
linux_family(int family)
{
	return family == WINDOWS_AF_INET6 ? AF_INET6 : family;
}

/* The descriptor, or -errno when it is not a socket's. */
int socket_of(SOCKET s);

/* The open socket's number, never used twice; 0 when fd is no socket. */
uint64_t socket_cookie(int fd);

/* Was it made with the overlapped attribute? */
bool socket_overlapped(int fd);

/* Makes one for socket() or WSASocket(): a descriptor, or -1 with errno. */
int socket_make(int family, int type, int protocol, bool overlapped);

#endif
