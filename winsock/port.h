/* SPDX-License-Identifier: MIT */
/*
 * Completion ports: a queue of packets, and the reactor of its sockets, which
 * the threads that wait for packets lead.
 *
 * All of it is called inside the monitor.
 */
#ifndef PORTRES_WINSOCK_PORT_H
#define PORTRES_WINSOCK_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "windows.h"
#include "winsock/reactor.h"

/* The end of a request, on its way to the program. */
struct packet {
	struct packet *next;
	ULONG_PTR key;
	LPOVERLAPPED overlapped;
	int code;
	DWORD bytes;
	void (*destroy)(struct packet *packet);
};

struct port;

/* A new one, and its handle; NULL without memory or places. */
HANDLE port_open(reactor_ready *ready);

/* With one reference more; NULL if it is no port. */
struct port *port_find(HANDLE handle);
struct port *port_again(struct port *port);
void port_let_go(struct port *port);

/* False if the handle is not a port's. Waits end. */
bool port_close(HANDLE handle);

struct reactor *port_reactor(struct port *port);

void port_push(struct port *port, struct packet *packet);

/*
 * Takes the first packet, waiting for it until then. NULL: the time has come,
 * or the port was closed, which ret_closed tells.
 */
struct packet *port_take(struct port *port, uint64_t until, bool *ret_closed);

/* Takes the first packet if there is one. */
struct packet *port_take_more(struct port *port);

#endif
