/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses in wide strings. Names of hosts, services and addresses
 * are ASCII; one that is not does not exist.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "winsock/ported.h"
#include "ws2tcpip.h"

#define NAME_MAX_BYTES 1025 /* NI_MAXHOST */

static bool
narrow(char to[NAME_MAX_BYTES], const wchar_t *from)
{
	for (size_t i = 0; i < NAME_MAX_BYTES; i++) {
		if ((unsigned long)from[i] > 0x7f)
			return false;
		to[i] = (char)from[i];
		if (!from[i])
			return true;
	}
	return false;
}

/* False when there is not room for it and the end. */
static bool
widen(wchar_t *to, const char *from, size_t room)
{
	size_t n = strlen(from) + 1;

	if (n > room)
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)from[i];
	return true;
}

/* One block: the structure, the address, the name. */
static ADDRINFOW *
copy(const struct addrinfo *from)
{
	size_t name = from->ai_canonname ? strlen(from->ai_canonname) + 1 : 0;
	ADDRINFOW *to = calloc(1, sizeof(*to) + sizeof(SOCKADDR_STORAGE) +
					  name * sizeof(wchar_t));

	if (!to)
		return NULL;
	to->ai_flags = from->ai_flags;
	to->ai_family = from->ai_family;
	to->ai_socktype = from->ai_socktype;
	to->ai_protocol = from->ai_protocol;
	to->ai_addrlen = from->ai_addrlen;
	to->ai_addr = (struct sockaddr *)(to + 1);
	memcpy(to->ai_addr, from->ai_addr, from->ai_addrlen);
	if (name) {
		to->ai_canonname = (wchar_t *)((char *)(to + 1) +
					       sizeof(SOCKADDR_STORAGE));
		widen(to->ai_canonname, from->ai_canonname, name);
	}
	return to;
}

static int
failed(int code)
{
	WSASetLastError(code);
	return code;
}

INT WSAAPI
GetAddrInfoW(PCWSTR pNodeName, PCWSTR pServiceName, const ADDRINFOW *pHints,
	     PADDRINFOW *ppResult)
{
	char node[NAME_MAX_BYTES];
	char service[NAME_MAX_BYTES];
	struct addrinfo hints = {0};
	struct addrinfo *found;
	ADDRINFOW *first = NULL;
	ADDRINFOW **last = &first;
	int r;

	if ((pNodeName && !narrow(node, pNodeName)) ||
	    (pServiceName && !narrow(service, pServiceName)))
		return failed(WSAHOST_NOT_FOUND);
	if (pHints) {
		hints.ai_flags = pHints->ai_flags;
		hints.ai_family = pHints->ai_family;
		hints.ai_socktype = pHints->ai_socktype;
		hints.ai_protocol = pHints->ai_protocol;
	}
	r = portres_getaddrinfo(pNodeName ? node : NULL,
				pServiceName ? service : NULL, &hints, &found);
	if (r)
		return r;
	for (struct addrinfo *at = found; at; at = at->ai_next) {
		*last = copy(at);
		if (!*last) {
			FreeAddrInfoW(first);
			freeaddrinfo(found);
			return failed(WSA_NOT_ENOUGH_MEMORY);
		}
		last = &(*last)->ai_next;
	}
	freeaddrinfo(found);
	*ppResult = first;
	return 0;
}

void WSAAPI
FreeAddrInfoW(PADDRINFOW pAddrInfo)
{
	while (pAddrInfo) {
		ADDRINFOW *next = pAddrInfo->ai_next;

		free(pAddrInfo);
		pAddrInfo = next;
	}
}

INT WSAAPI
GetNameInfoW(const SOCKADDR *pSockaddr, socklen_t SockaddrLength,
	     PWCHAR pNodeBuffer, DWORD NodeBufferSize, PWCHAR pServiceBuffer,
	     DWORD ServiceBufferSize, INT Flags)
{
	char node[NAME_MAX_BYTES] = "";
	char service[NAME_MAX_BYTES] = "";
	int r = portres_getnameinfo(
		pSockaddr, SockaddrLength, node,
		pNodeBuffer && NodeBufferSize ? sizeof(node) : 0, service,
		pServiceBuffer && ServiceBufferSize ? sizeof(service) : 0,
		Flags);

	if (r)
		return r;
	if ((pNodeBuffer && NodeBufferSize &&
	     !widen(pNodeBuffer, node, NodeBufferSize)) ||
	    (pServiceBuffer && ServiceBufferSize &&
	     !widen(pServiceBuffer, service, ServiceBufferSize)))
		return failed(ERROR_INSUFFICIENT_BUFFER);
	return 0;
}

BOOL WSAAPI
WSAConnectByNameW(SOCKET s, LPWSTR nodename, LPWSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	char node[NAME_MAX_BYTES];
	char service[NAME_MAX_BYTES];

	if ((nodename && !narrow(node, nodename)) ||
	    (servicename && !narrow(service, servicename))) {
		WSASetLastError(WSAHOST_NOT_FOUND);
		return FALSE;
	}
	return WSAConnectByNameA(
		s, nodename ? node : NULL, servicename ? service : NULL,
		LocalAddressLength, LocalAddress, RemoteAddressLength,
		RemoteAddress, timeout, Reserved);
}

int WSAAPI
GetHostNameW(PWSTR name, int namelen)
{
	char own[NAME_MAX_BYTES];

	if (portres_gethostname(own, sizeof(own)) < 0)
		return SOCKET_ERROR;
	if (name && namelen > 0 && widen(name, own, (size_t)namelen))
		return 0;
	WSASetLastError(WSAEFAULT);
	return SOCKET_ERROR;
}

INT WSAAPI
InetPtonW(INT Family, PCWSTR pszAddrString, PVOID pAddrBuf)
{
	char text[NAME_MAX_BYTES];

	if (!pszAddrString || !pAddrBuf) {
		WSASetLastError(WSAEFAULT);
		return -1;
	}
	return narrow(text, pszAddrString)
		       ? portres_inet_pton(Family, text, pAddrBuf)
		       : 0;
}

PCWSTR WSAAPI
InetNtopW(INT Family, const VOID *pAddr, PWSTR pStringBuf, size_t StringBufSize)
{
	char text[INET6_ADDRSTRLEN];

	if (!portres_inet_ntop(Family, pAddr, text, sizeof(text)))
		return NULL;
	if (pStringBuf && widen(pStringBuf, text, StringBufSize))
		return pStringBuf;
	WSASetLastError(WSA_INVALID_PARAMETER);
	return NULL;
}

/* Not for several threads at once, on Windows neither. */
WCHAR *WSAAPI
gai_strerrorW(int ecode)
{
	static WCHAR text[128];

	widen(text, portres_gai_strerror(ecode), sizeof(text) / sizeof(*text));
	return text;
}
