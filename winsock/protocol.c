/* SPDX-License-Identifier: MIT */
/* The catalog of protocols: WSAEnumProtocols and SO_PROTOCOL_INFO. */
#include "winsock/protocol.h"

#include <errno.h>
#include <string.h>

#include "winsock/error.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

#define STREAM                                                                 \
	(XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | \
	 XP1_EXPEDITED_DATA | XP1_IFS_HANDLES)
#define DATAGRAM                                                               \
	(XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST |   \
	 XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES)

/* The head is the same for both kinds of text. */
static const struct entry {
	int family;
	int address_size;
	int type;
	int protocol;
	DWORD flags;
	DWORD message_size; /* 0: no messages */
	const char *name;
} catalog[] = {
	{AF_INET, sizeof(struct sockaddr_in), SOCK_STREAM, IPPROTO_TCP, STREAM,
	 0, "TCP/IP"},
	{AF_INET, sizeof(struct sockaddr_in), SOCK_DGRAM, IPPROTO_UDP, DATAGRAM,
	 65507, "UDP/IP"},
	{WINDOWS_AF_INET6, sizeof(struct sockaddr_in6), SOCK_STREAM,
	 IPPROTO_TCP, STREAM, 0, "TCP/IPv6"},
	{WINDOWS_AF_INET6, sizeof(struct sockaddr_in6), SOCK_DGRAM, IPPROTO_UDP,
	 DATAGRAM, 65527, "UDP/IPv6"},
};

#define ENTRIES (sizeof(catalog) / sizeof(catalog[0]))

static void
describe(const struct entry *entry, bool wide, void *to)
{
	WSAPROTOCOL_INFOW info = {
		.dwServiceFlags1 = entry->flags,
		.dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
		.dwCatalogEntryId = (DWORD)(entry - catalog) + 1,
		.ProtocolChain.ChainLen = BASE_PROTOCOL,
		.iVersion = 2,
		.iAddressFamily = entry->family,
		.iMaxSockAddr = entry->address_size,
		.iMinSockAddr = entry->address_size,
		.iSocketType = entry->type,
		.iProtocol = entry->protocol,
		.iNetworkByteOrder = BIGENDIAN,
		.iSecurityScheme = SECURITY_PROTOCOL_NONE,
		.dwMessageSize = entry->message_size,
	};
	size_t n = strlen(entry->name) + 1;

	if (wide) {
		for (size_t i = 0; i < n; i++)
			info.szProtocol[i] = entry->name[i];
		memcpy(to, &info, sizeof(WSAPROTOCOL_INFOW));
	} else {
		memset(to, 0, sizeof(WSAPROTOCOL_INFOA));
		memcpy(to, &info, offsetof(WSAPROTOCOL_INFOW, szProtocol));
		memcpy(((WSAPROTOCOL_INFOA *)to)->szProtocol, entry->name, n);
	}
}

bool
protocol_of(int fd, bool wide, void *ret)
{
	int family = socket_family(fd);
	int type = socket_type(fd);

	for (size_t i = 0; i < ENTRIES; i++) {
		if (linux_family(catalog[i].family) != family ||
		    catalog[i].type != type)
			continue;
		describe(&catalog[i], wide, ret);
		return true;
	}
	return false;
}

/* A list that ends with 0; NULL is all of them. */
static bool
wanted(const int *list, int protocol)
{
	if (!list)
		return true;
	while (*list && *list != protocol)
		list++;
	return *list != 0;
}

static int
enumerate(const int *list, bool wide, char *to, LPDWORD size)
{
	size_t one =
		wide ? sizeof(WSAPROTOCOL_INFOW) : sizeof(WSAPROTOCOL_INFOA);
	int count = 0;
	DWORD room, needed = 0;

	if (wsa_missing())
		return SOCKET_ERROR;
	if (usermem_read(&room, size, sizeof(room)) < 0)
		return wsa_fail(EFAULT);
	for (size_t i = 0; i < ENTRIES; i++)
		if (wanted(list, catalog[i].protocol))
			needed += (DWORD)one;
	usermem_write(size, &needed, sizeof(needed));
	if (room < needed || (!to && needed))
		return wsa_refuse(WSAENOBUFS);
	for (size_t i = 0; i < ENTRIES; i++)
		if (wanted(list, catalog[i].protocol))
			describe(&catalog[i], wide, to + one * (size_t)count++);
	return count;
}

int WSAAPI
WSAEnumProtocolsA(LPINT lpiProtocols, LPWSAPROTOCOL_INFOA lpProtocolBuffer,
		  LPDWORD lpdwBufferLength)
{
	return enumerate(lpiProtocols, false, (char *)lpProtocolBuffer,
			 lpdwBufferLength);
}

int WSAAPI
WSAEnumProtocolsW(LPINT lpiProtocols, LPWSAPROTOCOL_INFOW lpProtocolBuffer,
		  LPDWORD lpdwBufferLength)
{
	return enumerate(lpiProtocols, true, (char *)lpProtocolBuffer,
			 lpdwBufferLength);
}
