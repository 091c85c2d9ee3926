/* SPDX-License-Identifier: MIT */
/*
 * The memory that Winsock has of a socket, by descriptor. A descriptor may be
 * another socket's by now, closed and made behind our back: so the open
 * socket's cookie is kept too, and another's memory is as if it never was.
 */
#ifndef PORTRES_WINSOCK_STATE_H
#define PORTRES_WINSOCK_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum state_flag {
	STATE_NOT_OVERLAPPED = 1,   /* made without the attribute */
	STATE_RECEIVE_SHUT = 2,	    /* by our own shutdown() */
	STATE_SEND_SHUT = 4,	    /* so as well */
	STATE_EXCLUSIVE = 8,	    /* SO_EXCLUSIVEADDRUSE */
	STATE_REUSE = 16,	    /* SO_REUSEADDR, by the program */
	STATE_QUIET_REUSE = 32,	    /* SO_REUSEADDR, by us: restart.h */
	STATE_NO_RESETS = 64,	    /* SIO_UDP_CONNRESET is off */
	STATE_SKIP_PACKET = 128,    /* no packet for what is done at once */
	STATE_SKIP_EVENT = 256,	    /* nor is an event set */
	STATE_QUIET_NONBLOCK = 512, /* it blocks, as far as the program knows */
	STATE_LEAF = 1024,	    /* for WSAJoinLeaf() */
	STATE_ATTEMPT = 2048,	    /* a connect whose outcome nobody knows */
	STATE_CONNECT_UNTOLD = 4096, /* FD_CONNECT is to be told of one */
	STATE_WAS_BOUND = 8192,	     /* when a ConnectEx failed */
	STATE_UNBOUND = 16384,	     /* it had no port when last looked at */
	STATE_RESET = 32768,	     /* its connection was reset */
};

/* Those of the flags in `mask` that the socket has. Loads, and no system call,
 * for sockets that have none of them. */
uint32_t state_flags(int fd, uint32_t mask);

/* Without memory, nothing is remembered. */
void state_change(int fd, uint32_t add, uint32_t remove);

/*
 * The engine's part of the socket (channel.h), or NULL; a load, for calls that
 * have nothing to do without one. The channel belongs to the monitor, and may
 * be an older socket's.
 */
struct channel;
struct channel *state_channel(int fd);

/* Inside the monitor. False without memory. */
bool state_set_channel(int fd, struct channel *channel);

/* Calls it with each channel that there is, inside the monitor. */
void state_each_channel(void (*visit)(struct channel *channel, void *context),
			void *context);

/* Calls that wait for the socket with that number: waiting.h. Zeroes at first;
 * NULL where there is none, or no memory. */
struct state_waiting {
	_Atomic uint64_t count[3]; /* by enum waiting_for; and a generation */
	_Atomic uint64_t closing;  /* its cookie; 0 = it is not being closed */
	_Atomic bool line[2];	   /* by direction: requests stand in it */
	_Atomic bool shut;	   /* it is to be shut down behind them */
};
struct state_waiting *state_waiting(int fd, bool make);
void state_each_waiting(void (*visit)(int fd, struct state_waiting *waiting));

#endif
