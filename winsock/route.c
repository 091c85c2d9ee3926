/* SPDX-License-Identifier: MIT */
#include "winsock/route.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "winsock/error.h"
#include "winsock2.h"

#define DISCARD 9 /* some port: connect() to 0 has none to look up */

/* Both families have it at one place. */
static void
set_port(struct sockaddr_storage *address, in_port_t port)
{
	((struct sockaddr_in *)address)->sin_port = port;
}

/* The kernel tells by connecting a datagram socket, which sends nothing. */
int
route_query(const struct sockaddr_storage *to,
	    struct sockaddr_storage *ret_from, socklen_t *ret_size)
{
	struct sockaddr_storage peer = *to;
	socklen_t size = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : sizeof(struct sockaddr_in);
	int code = 0;
	int fd;

	if (to->ss_family != AF_INET && to->ss_family != AF_INET6)
		return WSAEAFNOSUPPORT;
	fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return wsa_code(errno);
	set_port(&peer, htons(DISCARD));
	*ret_size = size;
	if (connect(fd, (struct sockaddr *)&peer, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret_from, ret_size) < 0)
		code = wsa_code(errno);
	else
		set_port(ret_from, 0);
	close(fd);
	return code;
}
