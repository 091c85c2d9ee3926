/* SPDX-License-Identifier: MIT */
/*
 * The work of the control codes, apart from how they are called. All return 0
 * or a Winsock code; errno is theirs to spoil.
 */
#ifndef PORTRES_WINSOCK_IOCTL_H
#define PORTRES_WINSOCK_IOCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "portres.h"
#include "winsock/extension.h"
#include "winsock2.h"

/* A call as it came. */
struct ioctl_buffers {
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
};

/* A call whose input was read and found good. */
struct request {
	int fd;
	DWORD code;
	void *out;
	size_t out_size;
	union {
		struct portres_range range;
		uint64_t token;
		unsigned long number;
		uint32_t keepalive[3];
		struct sockaddr_storage address;
		extension_function *function;
	} in;
};

/* The outcome of a successful one; the token is 0 where no block was made. */
struct ioctl_result {
	DWORD bytes;
	uint64_t token;
};

/* Instead of a Winsock code: the pool is busy, and nothing was done. */
#define IOCTL_BUSY (-1)

bool ioctl_known(DWORD code);
/* May it have to wait for the pool? */
bool ioctl_blocks(DWORD code);

/* FIONBIO or FIONREAD, by either number: ioctlsocket() has them too. */
bool ioctl_is_simple(DWORD code);

/* Reads the input and looks at the buffers; fd and code of ret are set. */
int ioctl_decode(const struct ioctl_buffers *buffers, struct request *ret);

/* `flags` are portres.h's; with PORTRES_NOWAIT it may be IOCTL_BUSY. */
int ioctl_perform(const struct request *request, unsigned int flags,
		  struct ioctl_result *ret);

/* Gives back what was made, when nobody can be told of it. */
void ioctl_undo(const struct request *request,
		const struct ioctl_result *result);

#endif
