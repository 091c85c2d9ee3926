/* SPDX-License-Identifier: MIT */
/* WSAJoinLeaf: a socket of UDP, made a leaf, becomes a member of a group. */
#include <errno.h>
#include <string.h>

#include "winsock/address.h"
#include "winsock/error.h"
#include "winsock/socket.h"
#include "winsock/startup.h"
#include "winsock/state.h"
#include "winsock2.h"

/* On the interface of its own address, or that it sends to groups by. */
static int
join_four(int fd, const struct sockaddr_in *group)
{
	struct ip_mreq wanted = {.imr_multiaddr = group->sin_addr};
	struct sockaddr_in own = {0};
	socklen_t size = sizeof(own);

	if (!IN_MULTICAST(ntohl(group->sin_addr.s_addr)))
		return EADDRNOTAVAIL;
	getsockname(fd, (struct sockaddr *)&own, &size);
	wanted.imr_interface = own.sin_addr;
	size = sizeof(wanted.imr_interface);
	if (wanted.imr_interface.s_addr == htonl(INADDR_ANY))
		getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF,
			   &wanted.imr_interface, &size);
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wanted,
			  sizeof(wanted)) < 0
		       ? errno
		       : 0;
}

static int
join_six(int fd, const struct sockaddr_in6 *group)
{
	struct ipv6_mreq wanted = {.ipv6mr_multiaddr = group->sin6_addr,
				   .ipv6mr_interface = group->sin6_scope_id};
	socklen_t size = sizeof(wanted.ipv6mr_interface);

	if (!IN6_IS_ADDR_MULTICAST(&group->sin6_addr))
		return EADDRNOTAVAIL;
	if (!wanted.ipv6mr_interface)
		getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF,
			   &wanted.ipv6mr_interface, &size);
	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &wanted,
			  sizeof(wanted)) < 0
		       ? errno
		       : 0;
}

static int
join(int fd, const struct sockaddr *name, int size)
{
	struct sockaddr_storage room;
	int err;

	if (address_is_short(name, (socklen_t)size))
		return WSAEFAULT;
	name = linux_address(name, (socklen_t)size, &room);
	if (name->sa_family != socket_family(fd))
		return WSAEAFNOSUPPORT;
	err = name->sa_family == AF_INET ? join_four(fd, (const void *)name)
					 : join_six(fd, (const void *)name);
	if (err == EADDRINUSE)
		return WSAEISCONN;
	return err ? wsa_code(err) : 0;
}

static int
join_leaf(SOCKET s, const struct sockaddr *name, int size, const void *data,
	  DWORD flags)
{
	int fd = socket_of(s);

	if (!wsa_started())
		return WSANOTINITIALISED;
	if (fd < 0)
		return wsa_code(-fd);
	if (!state_flags(fd, STATE_LEAF) || flags < JL_SENDER_ONLY ||
	    flags > JL_BOTH || flags == (JL_SENDER_ONLY | JL_RECEIVER_ONLY))
		return WSAEINVAL;
	if (data)
		return WSAEPROTONOSUPPORT;
	return flags == JL_SENDER_ONLY ? 0 : join(fd, name, size);
}

SOCKET WSAAPI
WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int namelen,
	    LPWSABUF lpCallerData, LPWSABUF lpCalleeData, LPQOS lpSQOS,
	    LPQOS lpGQOS, DWORD dwFlags)
{
	int before = errno;

	(void)lpCalleeData;
	(void)lpSQOS;
	(void)lpGQOS;
	return wsa_end(join_leaf(s, name, namelen, lpCallerData, dwFlags),
		       before) == 0
		       ? s
		       : INVALID_SOCKET;
}
