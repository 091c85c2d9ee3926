/* SPDX-License-Identifier: MIT */
/* iphlpapi: the native API's persistent blocks, with Windows' errors. */
#include <errno.h>

#include "iphlpapi.h"
#include "portres.h"

/* Returns the code. The last error is nobody's: these functions set none. */
static ULONG
win32_error(int r, int before)
{
	int err = errno;

	errno = before;
	/* 1: the disk did not confirm it, for which Windows has no word. */
	if (r >= 0)
		return NO_ERROR;
	switch (err) {
	case EACCES:
	case EPERM:
		return ERROR_ACCESS_DENIED;
	case EINVAL:
	case EFAULT:
		return ERROR_INVALID_PARAMETER;
	case EADDRINUSE:
		return ERROR_SHARING_VIOLATION;
	case ENOENT:
		return ERROR_NOT_FOUND;
	case ENOBUFS:
	case ENOMEM:
		return ERROR_NOT_ENOUGH_MEMORY;
	case ENOSPC:
	case EDQUOT:
		return ERROR_DISK_FULL;
	case ENETDOWN:
		return WSAENETDOWN;
	default:
		return ERROR_WRITE_FAULT;
	}
}

typedef int with_token(int protocol, uint16_t start_port,
		       uint16_t number_of_ports, uint64_t *token);

static ULONG
call(with_token *function, int protocol, USHORT start, USHORT count,
     PULONG64 token)
{
	int before = errno;

	if (!token)
		return ERROR_INVALID_PARAMETER;
	return win32_error(function(protocol, start, count, (uint64_t *)token),
			   before);
}

static ULONG
erase(int protocol, USHORT start, USHORT count)
{
	int before = errno;

	return win32_error(portres_persistent_delete(protocol, start, count),
			   before);
}

ULONG WSAAPI
CreatePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return call(portres_persistent_create, IPPROTO_TCP, StartPort,
		    NumberOfPorts, Token);
}

ULONG WSAAPI
CreatePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return call(portres_persistent_create, IPPROTO_UDP, StartPort,
		    NumberOfPorts, Token);
}

ULONG WSAAPI
LookupPersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return call(portres_persistent_find, IPPROTO_TCP, StartPort,
		    NumberOfPorts, Token);
}

ULONG WSAAPI
LookupPersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts,
				   PULONG64 Token)
{
	return call(portres_persistent_find, IPPROTO_UDP, StartPort,
		    NumberOfPorts, Token);
}

ULONG WSAAPI
DeletePersistentTcpPortReservation(USHORT StartPort, USHORT NumberOfPorts)
{
	return erase(IPPROTO_TCP, StartPort, NumberOfPorts);
}

ULONG WSAAPI
DeletePersistentUdpPortReservation(USHORT StartPort, USHORT NumberOfPorts)
{
	return erase(IPPROTO_UDP, StartPort, NumberOfPorts);
}
