/* SPDX-License-Identifier: MIT */
/*
 * A SOCKET is a descriptor. Here is what Winsock knows of one besides.
 */
#ifndef PORTRES_WINSOCK_SOCKET_H
#define PORTRES_WINSOCK_SOCKET_H

#include <stdbool.h>

#include "winsock/cookie.h"
#include "winsock2.h"

/* Windows' number of the family, where Linux has AF_IRDA. */
#define WINDOWS_AF_INET6 23

/* Linux' number of a family. */
static inline int
linux_family(int family)
{
	return family == WINDOWS_AF_INET6 ? AF_INET6 : family;
}

/* The number of it that programs are told. */
static inline int
windows_family(int family)
{
	return family == AF_INET6 ? WINDOWS_AF_INET6 : family;
}

/* The descriptor, or -errno when it is not a socket's. */
int socket_of(SOCKET s);

/* SOCK_STREAM and others, AF_INET and others; -1 when fd is no socket. */
int socket_type(int fd);
int socket_family(int fd);

bool socket_listens(int fd);

/* Has it a port? A socket that takes none counts as bound. */
bool socket_bound(int fd);

/* Was it made with the overlapped attribute? */
bool socket_overlapped(int fd);

/* Makes one for socket() or WSASocket(): a descriptor, or -1 with errno. */
int socket_make(int family, int type, int protocol, bool overlapped);

#endif
