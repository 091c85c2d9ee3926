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

#endif
