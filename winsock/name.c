/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses, with Windows' errors and its number of AF_INET6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
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
fail_code(int code)
{
	WSASetLastError(code);
	return code;
}

static int
fail(int r)
{
	int code = r == EAI_SYSTEM ? wsa_code(errno) : WSANO_RECOVERY;

	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].linux_code == r)
			code = codes[i].windows_code;
	return fail_code(code);
}

/* Is it the kernel's list of types for an address that came before? */
static bool
seen(const struct addrinfo *first, const struct addrinfo *at)
{
	for (; first != at; first = first->ai_next)
		if (first->ai_addrlen == at->ai_addrlen &&
		    memcmp(first->ai_addr, at->ai_addr, at->ai_addrlen) == 0)
			return true;
	return false;
}

/*
 * One result an address for programs that take any type: without a type, where
 * glibc has one for each. The others are linked in glibc's own way, and those
 * that go are freed so.
 */
static void
any_type(struct addrinfo *first, int protocol)
{
	struct addrinfo **at = &first;

	while (*at) {
		struct addrinfo *one = *at;

		if (one != first && seen(first, one)) {
			*at = one->ai_next;
			one->ai_next = NULL;
			freeaddrinfo(one);
			continue;
		}
		at = &one->ai_next;
	}
	for (; first; first = first->ai_next) {
		first->ai_socktype = 0;
		first->ai_protocol = protocol;
	}
}

/* A number that is no port: glibc takes what 16 bits hold of it. */
static bool
beyond_ports(const char *service)
{
	char *end;
	unsigned long port = strtoul(service, &end, 10);

	return end != service && !*end && port > 65535;
}

int
portres_getaddrinfo(const char *node, const char *service,
		    const struct addrinfo *hints, struct addrinfo **ret)
{
	int before = errno;
	struct addrinfo ours = {0};
	char own[256] = "";
	int r;

	if (!wsa_started())
		return fail_code(WSANOTINITIALISED);
	if (hints) {
		ours = *hints;
		ours.ai_family = linux_family(ours.ai_family);
		hints = &ours;
	}
	if (service && beyond_ports(service))
		return fail_code(WSATYPE_NOT_FOUND);
	if (node && !*node) {
		gethostname(own, sizeof(own) - 1);
		node = own;
	}
	r = getaddrinfo(node, service, hints, ret);
	if (r)
		return fail(r);
	if (!ours.ai_socktype)
		any_type(*ret, ours.ai_protocol);
	for (struct addrinfo *at = *ret; at; at = at->ai_next) {
		at->ai_family = windows_family(at->ai_family);
		windows_address(at->ai_addr, at->ai_addrlen);
	}
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
	int r;

	if (!wsa_started())
		return fail_code(WSANOTINITIALISED);
	if (address_is_short(address, size))
		return fail_code(WSAEFAULT);
	r = getnameinfo(linux_address(address, size, &room), size, node,
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
	if (!text || !ret)
		return wsa_fail(EFAULT);
	return (int)wsa_plain(inet_pton(linux_family(family), text, ret));
}

const char *
portres_inet_ntop(int family, const void *address, char *text, socklen_t size)
{
	const char *made = address && text ? inet_ntop(linux_family(family),
						       address, text, size)
					   : NULL;

	if (!made && (!address || !text || errno == ENOSPC))
		WSASetLastError(WSA_INVALID_PARAMETER);
	else if (!made)
		wsa_no_beside();
	return made;
}

unsigned int
portres_inet_addr(const char *text)
{
	return text ? inet_addr(text) : INADDR_NONE;
}
