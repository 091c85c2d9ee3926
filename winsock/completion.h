/* SPDX-License-Identifier: MIT */
/*
 * The end of an overlapped request, and whom to tell of it: the program's
 * structure, and an event, a routine of some thread, or a completion port.
 */
#ifndef PORTRES_WINSOCK_COMPLETION_H
#define PORTRES_WINSOCK_COMPLETION_H

#include "winsock/port.h"
#include "winsock/thread.h"
#include "winsock2.h"

/* Whom to tell of the end. */
struct overlapped_party {
	LPWSAOVERLAPPED overlapped;
	LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
	HANDLE event;	/* NULL when there is a routine */
	HANDLE thread;	/* that the routine is for; NULL: the caller's own */
	bool no_packet; /* the program has marked the event */
};

/* A part of each request, which owns the whole of it from its end on. */
struct completion {
	struct apc apc; /* first: the queue hands back a pointer to it */
	struct packet packet;
	struct overlapped_party party;
	struct thread *issuer;
	struct thread *target; /* NULL without a routine */
	struct port *port;     /* NULL without a packet */
	void (*destroy)(struct completion *completion);
};

/* 0 or the code of what is wrong. Reads the event from the structure. */
int completion_check(struct overlapped_party *party);

/*
 * The following are called inside the monitor.
 */

/* 0, or the code why not; completion_drop() undoes either. Resets the event.
 * The port, if the socket has one, gets a packet with the key at the end. */
int completion_begin(struct completion *completion,
		     const struct overlapped_party *party, struct port *port,
		     ULONG_PTR key);

/* Waits for the end of some request, until then at most. */
void completion_wait(uint64_t until);

/* A request that has failed at once: nobody is told. Calls `destroy`. */
void completion_drop(struct completion *completion);

/* Tells whom there is to tell. The structure has been written. `at_once`: the
 * call itself tells the program, which may have asked to be spared the rest. */
void completion_end(struct completion *completion, int code, DWORD bytes,
		    bool at_once, int fd);

/* Writes the structure, Internal last, because programs look at that by
 * themselves. No check: it was read when the request was made, and may not go
 * away meanwhile. */
void completion_store(LPWSAOVERLAPPED overlapped, int code, DWORD bytes);

#endif
