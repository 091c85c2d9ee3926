/* SPDX-License-Identifier: MIT */
/* The address structures of IPv4 and IPv6 under their Winsock names. */
#ifndef PORTRES_WS2IPDEF_H
#define PORTRES_WS2IPDEF_H

#include "winsock2.h"

typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;
typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;
typedef struct ipv6_mreq IPV6_MREQ, *PIPV6_MREQ;

/* The address that a datagram came to, or goes from; the interface, 0: any. */
typedef struct in_pktinfo IN_PKTINFO, *PIN_PKTINFO;
#if defined __USE_GNU || (!defined __GLIBC__ && defined _GNU_SOURCE)
typedef struct in6_pktinfo IN6_PKTINFO, *PIN6_PKTINFO;
#else
typedef struct in6_pktinfo {
	IN6_ADDR ipi6_addr;
	ULONG ipi6_ifindex;
} IN6_PKTINFO, *PIN6_PKTINFO;
#endif

typedef struct {
	ULONG Value;
} SCOPE_ID, *PSCOPE_ID;

#define SCOPEID_UNSPECIFIED_INIT                                               \
	{                                                                      \
		0                                                              \
	}

FORCEINLINE BOOLEAN
IN4_ADDR_EQUAL(const IN_ADDR *a, const IN_ADDR *b)
{
	return a->s_addr == b->s_addr;
}

FORCEINLINE BOOLEAN
IN6_ADDR_EQUAL(const IN6_ADDR *a, const IN6_ADDR *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* At one place for both families. */
#define SS_PORT(address) (((PSOCKADDR_IN)(void *)(address))->sin_port)

typedef union _SOCKADDR_INET {
	SOCKADDR_IN Ipv4;
	SOCKADDR_IN6 Ipv6;
	ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

#endif
