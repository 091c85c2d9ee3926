/* SPDX-License-Identifier: MIT */
/*
 * The kernel's word that sockets are ready, from epoll. A completion port has a
 * reactor, which the threads that wait for its packets lead one at a time: what
 * comes is served by them, without a change of threads. The sockets of no port
 * have one, and network events have one: those are led by a thread of ours,
 * which also looks after ports whose threads have other things to do for long.
 *
 * All of it is called inside the monitor.
 */
#ifndef PORTRES_WINSOCK_REACTOR_H
#define PORTRES_WINSOCK_REACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Serves one socket. The tag is whatever it was watched with. */
typedef void reactor_ready(uint64_t tag, uint32_t events);

struct reactor {
	reactor_ready *ready;
	bool ours; /* our thread leads it */
	int epoll; /* -1: not opened */
	int bell;  /* an eventfd that ends a wait; -1 where it is ours */
	bool led;
	bool rung;
	unsigned int pending;	    /* requests that wait for its sockets */
	unsigned int looked;	    /* at which look our thread was here */
	pthread_cond_t *free_again; /* NULL: nobody waits to lead it */
	struct reactor *next;
};

/* An unopened one. */
#define REACTOR(function, is_ours)                                             \
	{                                                                      \
		.ready = (function), .ours = (is_ours), .epoll = -1,           \
		.bell = -1                                                     \
	}

/* Opens it unless it is open; our thread too, if it is for that. False without
 * descriptors or memory. */
bool reactor_open(struct reactor *reactor);
/* Nobody leads it afterwards. */
void reactor_close(struct reactor *reactor);

/* As epoll_ctl(): 0 or -1 with errno. */
int reactor_watch(struct reactor *reactor, int operation, int fd,
		  uint32_t events, uint64_t tag);

/* Leads it until sockets were served, the bell rang, or the time, as of
 * monitor_clock(), has come; leaves the monitor meanwhile. False if somebody
 * else leads. */
bool reactor_lead(struct reactor *reactor, uint64_t until);

/* Ends the wait of the thread that leads. */
void reactor_ring(struct reactor *reactor);

/* If requests are pending and no thread leads it, ours looks after it. */
void reactor_unled(struct reactor *reactor);

#endif
