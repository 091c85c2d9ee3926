/* SPDX-License-Identifier: MIT */
/* A request that sends or receives an array of buffers. */
#ifndef PORTRES_WINSOCK_TRANSFER_H
#define PORTRES_WINSOCK_TRANSFER_H

#include <sys/uio.h>

#include "winsock/channel.h"

struct transfer {
	struct io io; /* first */
	int flags;    /* Linux' */
	int stage;    /* of what comes before, for extension.c */
	size_t done;  /* bytes of pieces that are behind `piece` */
	size_t sum;   /* of all pieces */
	struct sockaddr_storage to;
	socklen_t to_size;     /* 0: no address */
	struct sockaddr *from; /* the program's, or NULL */
	LPINT from_size;
	LPDWORD ret_flags;
	LPWSAMSG message;    /* the program's, to be told flags and lengths */
	struct msghdr *head; /* the same, of a call */
	void *control;
	size_t control_size;
	size_t piece; /* the first that is not done */
	size_t pieces;
	struct iovec vector[];
};

/* One with room for so many pieces, all zero; NULL without memory. */
struct transfer *transfer_make(int fd, enum direction direction, size_t pieces);

/* Makes the call, as a request where it stands in line: returns when it has
 * ended, as message_send() or message_receive(). */
long transfer_call(int fd, enum direction direction, struct msghdr *message,
		   int flags);

/* The attempts, for either direction. */
int transfer_attempt(struct io *io, DWORD *ret_bytes, bool *ret_more);

#endif
