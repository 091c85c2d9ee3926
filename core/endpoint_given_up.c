/* SPDX-License-Identifier: MIT */
/* Ports that the kernel shows and the socket no longer has. */
#include "core/endpoint.h"

#include <netinet/tcp.h>

static bool
is_any(const struct sockaddr_in6 *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

	return address->sin6_family == AF_INET
		       ? v4->sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(&address->sin6_addr);
}

/* TCP, neither connected nor listening; its address and port as shown. */
static bool
is_closed(const struct sys_ops *sys, int fd, struct sockaddr_in6 *ret)
{
	uint8_t state = 0;
	socklen_t size = sizeof(state);
	uint16_t port;

	return sys_getsockopt(sys, fd, IPPROTO_TCP, TCP_INFO, &state, &size) >=
		       0 &&
	       state == TCP_CLOSE &&
	       endpoint_port(sys, fd, &port, ret, &size) == 0;
}

bool
endpoint_port_unsure(const struct sys_ops *sys, int fd)
{
	struct sockaddr_in6 own;

	return is_closed(sys, fd, &own) && !is_any(&own);
}

/*
 * Only a socket without a port can be bound, and with the choice put off that
 * changes nothing; but an address of its own would be the socket's for good.
 */
bool
endpoint_gave_up_port(const struct sys_ops *sys, int fd)
{
	struct sockaddr_in6 own;
	bool off;
	int r;

	if (!is_closed(sys, fd, &own) || !is_any(&own))
		return false;
	off = endpoint_puts_port_off(sys, fd);
	endpoint_put_port_off(sys, fd, true);
	if (!endpoint_puts_port_off(sys, fd))
		return false; /* it does not know the option */
	endpoint_set_port((struct sockaddr *)&own, 0);
	r = sys_bind(sys, fd, &own, sizeof(own));
	endpoint_put_port_off(sys, fd, off);
	return r == 0;
}
