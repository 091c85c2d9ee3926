/* SPDX-License-Identifier: MIT */
/*
 * What the control codes do, apart from how they are called. All return 0 or
 * a Winsock code, and never touch errno.
 */
#ifndef PORTRES_WINSOCK_IOCTL_H
#define PORTRES_WINSOCK_IOCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pool/pool.h"
#include "winsock2.h"

/* A call as it came. */
struct ioctl_buffers {
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
};

/* A call whose input was read and found good. */
struct ioctl {
	int fd;
	DWORD code;
	void *out;
	size_t out_size;
	union {
		struct range range;
		uint64_t token;
		unsigned long number;
		uint32_t keepalive[3];
	} in;
};

/* What a successful one did; token and cookie are 0 where no block was made. */
struct ioctl_result {
	DWORD bytes;
	uint64_t token;
	uint64_t cookie;
};

/* Instead of a Winsock code: the pool is busy, and nothing was done. */
#define IOCTL_BUSY (-1)

bool ioctl_known(DWORD code);
/* May it have to wait for the pool? */
bool ioctl_blocks(DWORD code);

/* FIONBIO or FIONREAD, by either number: ioctlsocket() has them too. */
bool ioctl_is_simple(DWORD code);

/* Reads the input and looks at the buffers; fd and code of ret are set. */
int ioctl_decode(const struct ioctl_buffers *buffers, struct ioctl *ret);

int ioctl_perform(const struct ioctl *ioctl, enum pool_wait wait,
		  struct ioctl_result *ret);

/* Gives back what was made, when nobody can be told of it. */
void ioctl_undo(const struct ioctl *ioctl, const struct ioctl_result *result);

#endif
