/* SPDX-License-Identifier: MIT */
#include "winsock/address.h"

#include <netinet/in.h>

#include "winsock/socket.h"
#include "winsock/usermem.h"

const struct sockaddr *
linux_address(const struct sockaddr *address, socklen_t size,
	      struct sockaddr_storage *room)
{
	if (size < sizeof(sa_family_t) || size > sizeof(*room) ||
	    usermem_get(room, address, size) < 0 ||
	    room->ss_family != WINDOWS_AF_INET6)
		return address;
	room->ss_family = AF_INET6;
	return (struct sockaddr *)room;
}

void
windows_address(struct sockaddr *address, socklen_t size)
{
	if (address && size >= sizeof(sa_family_t) &&
	    address->sa_family == AF_INET6)
		address->sa_family = WINDOWS_AF_INET6;
}

static socklen_t
size_of_family(int family)
{
	switch (linux_family(family)) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return sizeof(sa_family_t);
	}
}

bool
address_is_short(const struct sockaddr *address, socklen_t size)
{
	sa_family_t family;

	return (int)size < (int)sizeof(family) ||
	       usermem_get(&family, address, sizeof(family)) < 0 ||
	       size < size_of_family(family);
}

bool
address_is_any(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET)
		return four->sin_addr.s_addr == INADDR_ANY;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
}

bool
address_lacks_port(const struct sockaddr *address)
{
	const struct sockaddr_in *either = (const void *)address;

	return (address->sa_family == AF_INET ||
		address->sa_family == AF_INET6) &&
	       either->sin_port == 0;
}

bool
address_fits(int fd, const struct sockaddr *address, const socklen_t *size)
{
	socklen_t room;

	if (!address)
		return true;
	if (usermem_get(&room, size, sizeof(room)) < 0 || (int)room < 0)
		return false;
	/* Nearly all ask with one of the two, or with more than both. */
	return room >= sizeof(struct sockaddr_in6) ||
	       room >= size_of_family(socket_family(fd));
}
