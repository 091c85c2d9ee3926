/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses. getaddrinfo, getnameinfo, inet_pton and inet_ntop are
 * POSIX' own and arrive with winsock2.h.
 */
#ifndef PORTRES_WS2TCPIP_H
#define PORTRES_WS2TCPIP_H

#include "winsock2.h"
#include "ws2ipdef.h"

typedef struct addrinfo ADDRINFOA, *PADDRINFOA;

#endif
