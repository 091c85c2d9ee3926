/* SPDX-License-Identifier: MIT */
/*
 * One overlapped request, and how those who are to be told of its end are
 * told. All of it is called inside the monitor.
 */
#ifndef PORTRES_WINSOCK_OPERATION_H
#define PORTRES_WINSOCK_OPERATION_H

#include "winsock/overlapped.h"
#include "winsock/thread.h"

struct operation {
	struct apc apc; /* first: the queue hands back a pointer to it */
	struct operation *next;
	struct ioctl ioctl;
	struct overlapped_party party;
	struct thread *issuer;
	struct thread *target; /* NULL without a routine */
	uint64_t cookie;       /* the descriptor may be another socket's now */
	uint64_t until;
	int code;
	DWORD bytes;
};

/* NULL, and the code why. */
struct operation *operation_create(const struct ioctl *ioctl,
				   const struct overlapped_party *party,
				   int *ret_code);
void operation_destroy(struct operation *operation);

/* Tells whoever is to be told. Ends the operation. */
void operation_complete(struct operation *operation, int code, DWORD bytes);

/* Writes the program's structure: 0 or WSAEFAULT. Needs no monitor. */
int operation_store(const struct overlapped_party *party, int status,
		    DWORD bytes);

#endif
