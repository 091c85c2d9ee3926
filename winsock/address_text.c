/* SPDX-License-Identifier: MIT */
/* WSAAddressToString and WSAStringToAddress: an address with its port, in one
 * text. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/usermem.h"
#include "winsock2.h"

#define TEXT_MAX 80 /* "[address%4294967295]:65535" */

static int
four_to_text(const struct sockaddr_in *four, char *text)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &four->sin_addr, address, sizeof(address));
	return four->sin_port
		       ? sprintf(text, "%s:%u", address, ntohs(four->sin_port))
		       : sprintf(text, "%s", address);
}

static int
six_to_text(const struct sockaddr_in6 *six, char *text)
{
	char address[INET6_ADDRSTRLEN];
	char scope[16] = "";

	inet_ntop(AF_INET6, &six->sin6_addr, address, sizeof(address));
	if (six->sin6_scope_id)
		sprintf(scope, "%%%u", six->sin6_scope_id);
	return six->sin6_port ? sprintf(text, "[%s%s]:%u", address, scope,
					ntohs(six->sin6_port))
			      : sprintf(text, "%s%s", address, scope);
}

/* The characters with the end, or 0: no such address. */
static DWORD
to_text(const struct sockaddr *address, DWORD size, char *text)
{
	struct sockaddr_storage room;

	if (size > sizeof(room) || address_is_short(address, size))
		return 0;
	address = linux_address(address, size, &room);
	if (address->sa_family == AF_INET)
		return (DWORD)four_to_text((const void *)address, text) + 1;
	if (address->sa_family == AF_INET6)
		return (DWORD)six_to_text((const void *)address, text) + 1;
	return 0;
}

static INT
tell_text(LPSOCKADDR address, DWORD size, LPDWORD length, char *to, WCHAR *wide)
{
	char text[TEXT_MAX];
	DWORD needed = to_text(address, size, text);
	DWORD room;

	if (wsa_missing())
		return SOCKET_ERROR;
	if (!needed)
		return wsa_fail(address ? EINVAL : EFAULT);
	if (usermem_read(&room, length, sizeof(room)) < 0)
		return wsa_fail(EFAULT);
	usermem_write(length, &needed, sizeof(needed));
	if (room < needed || (!to && !wide))
		return wsa_fail(EFAULT);
	if (to)
		memcpy(to, text, needed);
	for (DWORD i = 0; wide && i < needed; i++)
		wide[i] = text[i];
	return 0;
}

INT WSAAPI
WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
		    LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSTR lpszAddressString,
		    LPDWORD lpdwAddressStringLength)
{
	(void)lpProtocolInfo;
	return tell_text(lpsaAddress, dwAddressLength, lpdwAddressStringLength,
			 lpszAddressString, NULL);
}

INT WSAAPI
WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
		    LPWSAPROTOCOL_INFOW lpProtocolInfo,
		    LPWSTR lpszAddressString, LPDWORD lpdwAddressStringLength)
{
	(void)lpProtocolInfo;
	return tell_text(lpsaAddress, dwAddressLength, lpdwAddressStringLength,
			 NULL, lpszAddressString);
}

/* Cuts the port off, if there is one. */
static bool
cut_number(char *at, unsigned long most, unsigned long *ret)
{
	char *end;

	*at++ = 0;
	if (*at < '0' || *at > '9')
		return false;
	*ret = strtoul(at, &end, 10);
	return *end == 0 && *ret <= most;
}

static bool
text_to_four(char *text, struct sockaddr_in *ret)
{
	char *colon = strchr(text, ':');
	unsigned long port = 0;

	if (colon && !cut_number(colon, 65535, &port))
		return false;
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, text, &ret->sin_addr) == 1;
}

static bool
text_to_six(char *text, struct sockaddr_in6 *ret)
{
	char *close = text[0] == '[' ? strchr(text, ']') : NULL;
	unsigned long scope = 0;
	unsigned long port = 0;
	char *percent;

	if (text[0] == '[' && !close)
		return false;
	if (close && close[1] &&
	    (close[1] != ':' || !cut_number(close + 1, 65535, &port)))
		return false;
	if (close) {
		*close = 0;
		text++;
	}
	percent = strchr(text, '%');
	if (percent && !cut_number(percent, UINT32_MAX, &scope))
		return false;
	ret->sin6_family = WINDOWS_AF_INET6;
	ret->sin6_port = htons((uint16_t)port);
	ret->sin6_scope_id = (uint32_t)scope;
	return inet_pton(AF_INET6, text, &ret->sin6_addr) == 1;
}

static INT
tell_address(const char *text, INT family, LPSOCKADDR address, LPINT size)
{
	struct sockaddr_in6 made = {0};
	char copy[TEXT_MAX];
	bool six = linux_family(family) == AF_INET6;
	INT needed = six ? sizeof(made) : sizeof(struct sockaddr_in);
	INT room;

	if (wsa_missing())
		return SOCKET_ERROR;
	if (!text || usermem_read(&room, size, sizeof(room)) < 0)
		return wsa_fail(EFAULT);
	usermem_write(size, &needed, sizeof(needed));
	if ((!six && family != AF_INET) || strlen(text) >= sizeof(copy))
		return wsa_fail(EINVAL);
	if (room < needed)
		return wsa_fail(EFAULT);
	strcpy(copy, text);
	if (six ? !text_to_six(copy, &made)
		: !text_to_four(copy, (struct sockaddr_in *)(void *)&made))
		return wsa_fail(EINVAL);
	return usermem_write(address, &made, (size_t)needed) < 0
		       ? wsa_fail(EFAULT)
		       : 0;
}

INT WSAAPI
WSAStringToAddressA(LPSTR AddressString, INT AddressFamily,
		    LPWSAPROTOCOL_INFOA lpProtocolInfo, LPSOCKADDR lpAddress,
		    LPINT lpAddressLength)
{
	(void)lpProtocolInfo;
	return tell_address(AddressString, AddressFamily, lpAddress,
			    lpAddressLength);
}

INT WSAAPI
WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily,
		    LPWSAPROTOCOL_INFOW lpProtocolInfo, LPSOCKADDR lpAddress,
		    LPINT lpAddressLength)
{
	char text[TEXT_MAX] = "";

	(void)lpProtocolInfo;
	for (size_t i = 0; AddressString && AddressString[i]; i++) {
		/* Too long, or no address: no text at all is none either. */
		if (i == sizeof(text) - 1 || AddressString[i] > 0x7f) {
			text[0] = 0;
			break;
		}
		text[i] = (char)AddressString[i];
		text[i + 1] = 0;
	}
	return tell_address(AddressString ? text : NULL, AddressFamily,
			    lpAddress, lpAddressLength);
}
