/* SPDX-License-Identifier: MIT */
/* The address structures of IPv4 and IPv6 under their Winsock names. */
#ifndef PORTRES_WS2IPDEF_H
#define PORTRES_WS2IPDEF_H

#include "winsock2.h"

typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;
typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;
typedef struct ipv6_mreq IPV6_MREQ, *PIPV6_MREQ;

typedef union _SOCKADDR_INET {
	SOCKADDR_IN Ipv4;
	SOCKADDR_IN6 Ipv6;
	ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

#endif
