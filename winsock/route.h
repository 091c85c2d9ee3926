/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_ROUTE_H
#define PORTRES_WINSOCK_ROUTE_H

#include <sys/socket.h>

/*
 * The address of this machine that datagrams to `to` come from, its port 0, in
 * Linux' numbers. Returns 0 or Winsock's code.
 */
int route_query(const struct sockaddr_storage *to,
		struct sockaddr_storage *ret_from, socklen_t *ret_size);

#endif
