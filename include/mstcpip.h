/* SPDX-License-Identifier: MIT */
/*
 * Reservation of blocks of TCP and UDP ports.
 *
 * StartPort is in network byte order and 0 asks for any free block;
 * NumberOfPorts is in host byte order.
 */
#ifndef PORTRES_MSTCPIP_H
#define PORTRES_MSTCPIP_H

#include "winsock2.h"
#include "ws2ipdef.h"

/* portres.h has the same codes. */
#ifndef SIO_ACQUIRE_PORT_RESERVATION
#define SIO_ACQUIRE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 100)
#define SIO_RELEASE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 101)
#define SIO_ASSOCIATE_PORT_RESERVATION _WSAIOW(IOC_VENDOR, 102)
#endif

/* Milliseconds; Linux keeps whole seconds, rounded up. */
#define SIO_KEEPALIVE_VALS _WSAIOW(IOC_VENDOR, 4)

/* A USHORT, the processor; Linux chooses itself. */
#define SIO_CPU_AFFINITY _WSAIOW(IOC_VENDOR, 21)

struct tcp_keepalive {
	ULONG onoff;
	ULONG keepalivetime;
	ULONG keepaliveinterval;
};

#define INVALID_PORT_RESERVATION_TOKEN ((ULONG64)0)

typedef struct _INET_PORT_RANGE {
	USHORT StartPort;
	USHORT NumberOfPorts;
} INET_PORT_RANGE, *PINET_PORT_RANGE;

typedef struct _INET_PORT_RANGE INET_PORT_RESERVATION, *PINET_PORT_RESERVATION;

typedef struct {
	ULONG64 Token;
} INET_PORT_RESERVATION_TOKEN, *PINET_PORT_RESERVATION_TOKEN;

/* Windows spells the members differently in C and in C++, and so do we:
 * portRes.Reservation.StartPort there is portRes.StartPort here. */
typedef struct {
#ifdef __cplusplus
	INET_PORT_RESERVATION Reservation;
	INET_PORT_RESERVATION_TOKEN Token;
#else
	USHORT StartPort;
	USHORT NumberOfPorts;
	ULONG64 Token;
#endif
} INET_PORT_RESERVATION_INSTANCE, *PINET_PORT_RESERVATION_INSTANCE;

/* These know AF_INET and AF_INET6; the first two set all but the family, the
 * port too. */
FORCEINLINE VOID
INETADDR_SETANY(PSOCKADDR address)
{
	const ADDRESS_FAMILY family = address->sa_family;

	memset(address, 0,
	       family == AF_INET6 ? sizeof(SOCKADDR_IN6) : sizeof(SOCKADDR_IN));
	address->sa_family = family;
}

FORCEINLINE VOID
INETADDR_SETLOOPBACK(PSOCKADDR address)
{
	INETADDR_SETANY(address);
	if (address->sa_family == AF_INET6)
		((PSOCKADDR_IN6)(void *)address)->sin6_addr.s6_addr[15] = 1;
	else
		((PSOCKADDR_IN)(void *)address)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
}

FORCEINLINE BOOLEAN
INETADDR_ISANY(const SOCKADDR *address)
{
	const void *at = address;

	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(
			&((const SOCKADDR_IN6 *)at)->sin6_addr);
	return ((const SOCKADDR_IN *)at)->sin_addr.s_addr == htonl(INADDR_ANY);
}

FORCEINLINE BOOLEAN
INETADDR_ISLOOPBACK(const SOCKADDR *address)
{
	const void *at = address;

	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(
			&((const SOCKADDR_IN6 *)at)->sin6_addr);
	return ((const SOCKADDR_IN *)at)->sin_addr.s_addr ==
	       htonl(INADDR_LOOPBACK);
}

/* The port is in network byte order. */
FORCEINLINE VOID
IN6ADDR_SETV4MAPPED(PSOCKADDR_IN6 to, const IN_ADDR *from, SCOPE_ID scope,
		    USHORT port)
{
	memset(to, 0, sizeof(*to));
	to->sin6_family = AF_INET6;
	to->sin6_port = port;
	to->sin6_scope_id = scope.Value;
	memset(to->sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(to->sin6_addr.s6_addr + 12, from, sizeof(*from));
}

FORCEINLINE BOOLEAN
IN6ADDR_ISV4MAPPED(const SOCKADDR_IN6 *address)
{
	return address->sin6_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&address->sin6_addr);
}

#endif
