/* SPDX-License-Identifier: MIT */
#include "winsock/port.h"

#include <pthread.h>
#include <stdlib.h>

#include "winsock/handle.h"
#include "winsock/monitor.h"

struct port {
	struct port *next;
	struct port **at; /* that points to it */
	unsigned int references;
	bool closed;
	struct packet *first;
	struct packet **last;
	struct reactor reactor;
	unsigned int waiting; /* threads, beside the one that leads */
	pthread_cond_t arrived;
};

static struct port *ports;

static void
drop_packets(struct port *port)
{
	while (port->first) {
		struct packet *packet = port->first;

		port->first = packet->next;
		packet->destroy(packet);
	}
	port->last = &port->first;
}

/* Packets that were queued end requests of the parent. */
static void
forget(void)
{
	for (struct port *port = ports; port; port = port->next) {
		drop_packets(port);
		port->waiting = 0;
		monitor_condition(&port->arrived);
	}
}

HANDLE
port_open(reactor_ready *ready)
{
	struct port *port = calloc(1, sizeof(*port));
	struct handle *handle;
	HANDLE made;

	if (!port)
		return NULL;
	port->reactor = (struct reactor)REACTOR(ready, false);
	port->reactor.free_again = &port->arrived;
	port->last = &port->first;
	made = reactor_open(&port->reactor) ? handle_open(HANDLE_PORT, &handle)
					    : NULL;
	if (!made) {
		reactor_close(&port->reactor);
		free(port);
		return NULL;
	}
	monitor_in_child(forget);
	monitor_condition(&port->arrived);
	handle->port = port;
	port->references = 1; /* the handle's */
	port->next = ports;
	port->at = &ports;
	if (ports)
		ports->at = &port->next;
	ports = port;
	return made;
}

struct port *
port_find(HANDLE handle)
{
	struct handle *found = handle_find(handle, HANDLE_PORT);

	/* After a fork its reactor is closed. */
	return found && reactor_open(&found->port->reactor)
		       ? port_again(found->port)
		       : NULL;
}

struct port *
port_again(struct port *port)
{
	port->references++;
	return port;
}

void
port_let_go(struct port *port)
{
	if (--port->references > 0)
		return;
	reactor_close(&port->reactor);
	drop_packets(port);
	*port->at = port->next;
	if (port->next)
		port->next->at = port->at;
	pthread_cond_destroy(&port->arrived);
	free(port);
}

bool
port_close(HANDLE handle)
{
	struct handle *found = handle_find(handle, HANDLE_PORT);
	struct port *port;

	if (!found)
		return false;
	port = found->port;
	port->closed = true;
	pthread_cond_broadcast(&port->arrived);
	reactor_ring(&port->reactor);
	handle_close(found);
	/* Nobody can take them, and theirs are references to the port. */
	drop_packets(port);
	port_let_go(port);
	return true;
}

struct reactor *
port_reactor(struct port *port)
{
	return &port->reactor;
}

/* Some thread that waits looks again. */
static void
wake_one(struct port *port)
{
	if (port->waiting)
		pthread_cond_signal(&port->arrived);
	else
		reactor_ring(&port->reactor);
}

void
port_push(struct port *port, struct packet *packet)
{
	if (port->closed) {
		packet->destroy(packet);
		return;
	}
	packet->next = NULL;
	*port->last = packet;
	port->last = &packet->next;
	wake_one(port);
}

struct packet *
port_take_more(struct port *port)
{
	struct packet *packet = port->first;

	if (packet) {
		port->first = packet->next;
		if (!port->first)
			port->last = &port->first;
	}
	return packet;
}

struct packet *
port_take(struct port *port, uint64_t until, bool *ret_closed)
{
	struct packet *packet;
	bool time = true;

	while (!port->first && !port->closed && time) {
		time = until == MONITOR_FOR_EVER || monitor_clock() < until;
		if (reactor_lead(&port->reactor, until))
			continue;
		port->waiting++;
		monitor_wait_for(&port->arrived, until);
		port->waiting--;
	}
	*ret_closed = port->closed;
	packet = port->closed ? NULL : port_take_more(port);
	/* A thread that was woken once may have been woken for two. */
	if (port->first)
		wake_one(port);
	else if (port->waiting && !port->reactor.led)
		pthread_cond_signal(&port->arrived);
	if (!port->waiting)
		reactor_unled(&port->reactor);
	return packet;
}
