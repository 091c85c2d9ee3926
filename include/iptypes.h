/* SPDX-License-Identifier: MIT */
/*
 * The structures that GetAdaptersAddresses() fills in. They have the members
 * that we carry and no others, so that the use of any other is a compile error.
 * A part of iphlpapi.h.
 */
#ifndef PORTRES_IPTYPES_H
#define PORTRES_IPTYPES_H

#include "winsock2.h"

#define MAX_ADAPTER_ADDRESS_LENGTH 8

/* Ours have these of the kinds that ipifcons.h knows. */
#define IF_TYPE_OTHER 1
#define IF_TYPE_ETHERNET_CSMACD 6
#define IF_TYPE_PPP 23
#define IF_TYPE_SOFTWARE_LOOPBACK 24
#define IF_TYPE_TUNNEL 131

#define GAA_FLAG_SKIP_UNICAST 0x0001
#define GAA_FLAG_SKIP_ANYCAST 0x0002
#define GAA_FLAG_SKIP_MULTICAST 0x0004
#define GAA_FLAG_SKIP_DNS_SERVER 0x0008
#define GAA_FLAG_INCLUDE_PREFIX 0x0010
#define GAA_FLAG_SKIP_FRIENDLY_NAME 0x0020
#define GAA_FLAG_INCLUDE_GATEWAYS 0x0080
#define GAA_FLAG_INCLUDE_ALL_INTERFACES 0x0100

#define IP_ADAPTER_NO_MULTICAST 0x10
#define IP_ADAPTER_IPV4_ENABLED 0x80
#define IP_ADAPTER_IPV6_ENABLED 0x100

typedef DWORD IF_INDEX;
typedef ULONG IFTYPE;

typedef enum {
	IfOperStatusUp = 1,
	IfOperStatusDown,
	IfOperStatusTesting,
	IfOperStatusUnknown,
	IfOperStatusDormant,
	IfOperStatusNotPresent,
	IfOperStatusLowerLayerDown
} IF_OPER_STATUS;

/* Each list has the address behind its length and its next. */
#define PORTRES_ADDRESS_LIST(name, word)                                       \
	ULONG Length;                                                          \
	DWORD word;                                                            \
	struct name *Next;                                                     \
	SOCKET_ADDRESS Address

typedef struct _IP_ADAPTER_UNICAST_ADDRESS_LH {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_UNICAST_ADDRESS_LH, Flags);
	UINT8 OnLinkPrefixLength;
} IP_ADAPTER_UNICAST_ADDRESS, *PIP_ADAPTER_UNICAST_ADDRESS;

typedef struct _IP_ADAPTER_ANYCAST_ADDRESS_XP {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_ANYCAST_ADDRESS_XP, Flags);
} IP_ADAPTER_ANYCAST_ADDRESS, *PIP_ADAPTER_ANYCAST_ADDRESS;

typedef struct _IP_ADAPTER_MULTICAST_ADDRESS_XP {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_MULTICAST_ADDRESS_XP, Flags);
} IP_ADAPTER_MULTICAST_ADDRESS, *PIP_ADAPTER_MULTICAST_ADDRESS;

typedef struct _IP_ADAPTER_DNS_SERVER_ADDRESS_XP {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_DNS_SERVER_ADDRESS_XP, Reserved);
} IP_ADAPTER_DNS_SERVER_ADDRESS, *PIP_ADAPTER_DNS_SERVER_ADDRESS;

typedef struct _IP_ADAPTER_GATEWAY_ADDRESS_LH {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_GATEWAY_ADDRESS_LH, Reserved);
} IP_ADAPTER_GATEWAY_ADDRESS, *PIP_ADAPTER_GATEWAY_ADDRESS;

typedef struct _IP_ADAPTER_PREFIX_XP {
	PORTRES_ADDRESS_LIST(_IP_ADAPTER_PREFIX_XP, Flags);
	ULONG PrefixLength;
} IP_ADAPTER_PREFIX, *PIP_ADAPTER_PREFIX;

typedef struct _IP_ADAPTER_ADDRESSES_LH {
	ULONG Length;
	IF_INDEX IfIndex;
	struct _IP_ADAPTER_ADDRESSES_LH *Next;
	PCHAR AdapterName;
	PIP_ADAPTER_UNICAST_ADDRESS FirstUnicastAddress;
	PIP_ADAPTER_ANYCAST_ADDRESS FirstAnycastAddress;     /* always NULL */
	PIP_ADAPTER_MULTICAST_ADDRESS FirstMulticastAddress; /* always NULL */
	PIP_ADAPTER_DNS_SERVER_ADDRESS FirstDnsServerAddress;
	PWCHAR DnsSuffix;
	PWCHAR Description;
	PWCHAR FriendlyName;
	BYTE PhysicalAddress[MAX_ADAPTER_ADDRESS_LENGTH];
	ULONG PhysicalAddressLength;
	ULONG Flags;
	ULONG Mtu;
	IFTYPE IfType;
	IF_OPER_STATUS OperStatus;
	IF_INDEX Ipv6IfIndex;
	ULONG ZoneIndices[16];
	PIP_ADAPTER_PREFIX FirstPrefix;
	ULONG64 TransmitLinkSpeed; /* bits a second; all bits: not known */
	ULONG64 ReceiveLinkSpeed;
	PIP_ADAPTER_GATEWAY_ADDRESS FirstGatewayAddress; /* of IPv4 */
} IP_ADAPTER_ADDRESSES, *PIP_ADAPTER_ADDRESSES;

#endif
