/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses, with Windows' errors and its number of AF_INET6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock2.h"

static const struct {
	int linux_code;
	int windows_code;
} codes[] = {
	{EAI_AGAIN, WSATRY_AGAIN},
	{EAI_BADFLAGS, WSAEINVAL},
	{EAI_FAIL, WSANO_RECOVERY},
	{EAI_FAMILY, WSAEAFNOSUPPORT},
	{EAI_MEMORY, WSA_NOT_ENOUGH_MEMORY},
	{EAI_NONAME, WSAHOST_NOT_FOUND},
	{EAI_NODATA, WSANO_DATA},
	{EAI_ADDRFAMILY, WSANO_DATA},
	{EAI_SERVICE, WSATYPE_NOT_FOUND},
	{EAI_SOCKTYPE, WSAESOCKTNOSUPPORT},
	{EAI_OVERFLOW, ERROR_INSUFFICIENT_BUFFER},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Returns the code, which is the last error as well. */
static int
fail(int r)
{
	int code = r == EAI_SYSTEM ? wsa_code(errno) : WSANO_RECOVERY;

	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].linux_code == r)
			code = codes[i].windows_code;
	WSASetLastError(code);
	return code;
}

int
portres_getaddrinfo(const char *node, const char *service,
		    const struct addrinfo *hints, struct addrinfo **ret)
{
	int before = errno;
	struct addrinfo ours;
	int r;

	if (hints) {
		ours = *hints;
		ours.ai_family = linux_family(ours.ai_family);
		hints = &ours;
	}
	r = getaddrinfo(node, service, hints, ret);
	if (r)
		return fail(r);
	errno = before;
	return 0;
}

int
portres_getnameinfo(const struct sockaddr *address, socklen_t size, char *node,
		    socklen_t node_size, char *service, socklen_t service_size,
		    int flags)
{
	struct sockaddr_storage room;
	int before = errno;
	int r = getnameinfo(linux_address(address, size, &room), size, node,
			    node_size, service, service_size, flags);

	if (r)
		return fail(r);
	errno = before;
	return 0;
}

const char *
portres_gai_strerror(int code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].windows_code == code)
			return gai_strerror(codes[i].linux_code);
	return "Unknown error";
}

int
portres_inet_pton(int family, const char *text, void *ret)
{
	return (int)wsa_plain(inet_pton(linux_family(family), text, ret));
}

const char *
portres_inet_ntop(int family, const void *address, char *text, socklen_t size)
{
	const char *made = inet_ntop(linux_family(family), address, text, size);

	if (!made)
		wsa_no_beside();
	return made;
}
