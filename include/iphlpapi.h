/* SPDX-License-Identifier: MIT */
/*
 * The machine's interfaces, and persistent port reservations: blocks that no socket owns, that outlive
 * every process, and come back with the machine.
 *
 * StartPort is in network byte order, NumberOfPorts in the host's. All return
 * NO_ERROR or an error, and set no last error; they work before WSAStartup.
 *
 * ERROR_ACCESS_DENIED		no right to write the store (Create, Delete)
 * ERROR_INVALID_PARAMETER	start or count 0, past 65535, Token NULL
 * ERROR_SHARING_VIOLATION	overlaps a reservation or a port in use (Create)
 * ERROR_NOT_FOUND		no block of exactly these numbers
 * WSAENETDOWN			the pool cannot be used
 * ERROR_DISK_FULL, ERROR_WRITE_FAULT	the store cannot be written
 *
 * Source: Microsoft's documentation of the functions; the last two rows are
 * ours.
 */
#ifndef PORTRES_IPHLPAPI_H
#define PORTRES_IPHLPAPI_H

#include "windows.h"
#include "winsock2.h"
#include "iptypes.h"
#include "mstcpip.h"
#include "ws2ipdef.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Lists the interfaces with their addresses: AF_INET, AF_INET6, or AF_UNSPEC
 * for both. Linux' names are AdapterName, Description and FriendlyName.
 *
 * ERROR_BUFFER_OVERFLOW	*SizePointer is the size that is needed
 * ERROR_NO_DATA		no interface has such an address
 * ERROR_INVALID_PARAMETER	another family; SizePointer NULL
 * ERROR_NOT_ENOUGH_MEMORY
 */
WINSOCK_API_LINKAGE ULONG WSAAPI
GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved,
		     PIP_ADAPTER_ADDRESSES AdapterAddresses,
		     PULONG SizePointer);

WINSOCK_API_LINKAGE ULONG WSAAPI
CreatePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token);

WINSOCK_API_LINKAGE ULONG WSAAPI
CreatePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token);

WINSOCK_API_LINKAGE ULONG WSAAPI
DeletePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts);

WINSOCK_API_LINKAGE ULONG WSAAPI
DeletePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts);

WINSOCK_API_LINKAGE ULONG WSAAPI
LookupPersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token);

WINSOCK_API_LINKAGE ULONG WSAAPI
LookupPersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token);

#ifdef __cplusplus
}
#endif

#endif
