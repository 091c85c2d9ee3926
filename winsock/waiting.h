/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait in the kernel for a socket. Windows ends them when another
 * thread closes it; here the kernel keeps the socket, its port and its
 * connection until they return. So they are counted, and closesocket() makes
 * them return first: those that wait for this one socket by shutdown(), those
 * that wait for several by a datagram, to a socket that they wait for, too.
 */
#ifndef PORTRES_WINSOCK_WAITING_H
#define PORTRES_WINSOCK_WAITING_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Calls that wait for what others do, accept() and connect() among them; those
 * that wait to send; those that wait for several sockets. */
enum waiting_for { WAITING_TO_HEAR, WAITING_TO_SEND, WAITING_FOR_SOME };

/*
 * A call that may wait: waiting_begin(), the call unless that said false,
 * waiting_end(). False: the socket is being closed, or has been meanwhile, and an
 * answer that the call would not have had otherwise is none.
 */
struct waiting {
	int fd;
	enum waiting_for what;
	uint32_t generation; /* of the count that it is in */
};
bool waiting_begin(struct waiting *waiting, int fd, enum waiting_for what);
bool waiting_end(const struct waiting *waiting);

/* A new socket has the number: nobody waits for it yet, whatever was left of
 * another one that had it. */
void waiting_new(int fd);

/* The socket is being closed; for those who wait for the monitor's word. */
bool waiting_is_closing(int fd);

/*
 * As poll(), until then at most, of monitor_clock(). A socket that is closed
 * meanwhile is POLLNVAL. The array has room for one more. `aside`: a negative
 * number is -1 less that of a socket that is put aside, which is looked at for
 * that alone.
 */
int waiting_poll(struct pollfd *polled, unsigned int n, bool aside,
		 uint64_t until);

/*
 * The socket is going to be closed: from waiting_close() on no call begins,
 * waiting_expel() makes those return that have, and waiting_closed() is told
 * when it is closed, with what waiting_close() said.
 */
uint64_t waiting_close(int fd);
void waiting_expel(int fd);
void waiting_closed(int fd, uint64_t which);

/* All calls return that wait for any socket. */
void waiting_expel_all(void);

#endif
