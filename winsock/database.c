/* SPDX-License-Identifier: MIT */
/*
 * The old functions that look up hosts, services and protocols by name. Their
 * errors are last errors, where Linux has h_errno or none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <unistd.h>

#include "winsock/error.h"
#include "winsock/ported.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock2.h"

static struct hostent *
told(struct hostent *found)
{
	if (!found) {
		switch (h_errno) {
		case HOST_NOT_FOUND:
			wsa_refuse(WSAHOST_NOT_FOUND);
			break;
		case TRY_AGAIN:
			wsa_refuse(WSATRY_AGAIN);
			break;
		case NO_DATA:
			wsa_refuse(WSANO_DATA);
			break;
		default:
			wsa_refuse(WSANO_RECOVERY);
		}
		return NULL;
	}
	found->h_addrtype = windows_family(found->h_addrtype);
	return found;
}

/* No name, or an empty one, is the machine's own. */
struct hostent *
portres_gethostbyname(const char *name)
{
	char own[256] = "";

	if (wsa_missing())
		return NULL;
	if (!name || !*name) {
		gethostname(own, sizeof(own) - 1);
		name = own;
	}
	return told(gethostbyname(name));
}

struct hostent *
portres_gethostbyaddr(const void *address, socklen_t size, int family)
{
	size_t needed = linux_family(family) == AF_INET6 ? 16 : 4;

	if (wsa_missing())
		return NULL;
	if (!address || size < needed) {
		wsa_fail(EFAULT);
		return NULL;
	}
	return told(gethostbyaddr(address, size, linux_family(family)));
}

/* The entry that is found, or NULL with the last error. */
#define FOUND(look)                                                            \
	do {                                                                   \
		if (wsa_missing())                                             \
			return NULL;                                           \
		found = (look);                                                \
		if (!found)                                                    \
			wsa_refuse(WSANO_DATA);                                \
		return found;                                                  \
	} while (0)

struct servent *
portres_getservbyname(const char *name, const char *protocol)
{
	struct servent *found;

	FOUND(getservbyname(name, protocol));
}

struct servent *
portres_getservbyport(int port, const char *protocol)
{
	struct servent *found;

	FOUND(getservbyport(port, protocol));
}

struct protoent *
portres_getprotobyname(const char *name)
{
	struct protoent *found;

	FOUND(getprotobyname(name));
}

struct protoent *
portres_getprotobynumber(int number)
{
	struct protoent *found;

	FOUND(getprotobynumber(number));
}
