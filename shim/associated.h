/* SPDX-License-Identifier: MIT */
/*
 * Binding sockets that are associated with a reservation.
 */
#ifndef PORTRES_SHIM_ASSOCIATED_H
#define PORTRES_SHIM_ASSOCIATED_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Binds the socket inside its reservation and stores bind()'s answer (-1 with
 * errno) in ret_answer. False, and nothing done, when the socket is not
 * associated, or its reservation has ended: then it is a socket like others.
 * Writes the chosen port into `address`.
 */
bool associated_bind(int fd, struct sockaddr *address, socklen_t size,
		     int *ret_answer);

#endif
