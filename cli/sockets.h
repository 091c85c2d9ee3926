/* SPDX-License-Identifier: MIT */
/*
 * Bound sockets and the processes that have them, under portres or not.
 */
#ifndef PORTRES_CLI_SOCKETS_H
#define PORTRES_CLI_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/entry.h"

struct bound {
	enum protocol protocol;
	uint32_t port;
	char address[64]; /* 127.0.0.1:5000, [::1]:5000 */
	const char *state;
	uint32_t user;
	uint64_t inode;
	struct holder *holders; /* more than one after fork */
	size_t count;		/* 0: we may not see them */
};

struct sockets {
	struct bound *bound;
	size_t count;
};

/* Adds the sockets on these ports. Returns 0 or -Exxx. */
int sockets_find(enum protocol protocol, struct range range,
		 struct sockets *to);

/* Finds the processes of all of them, in one walk through /proc. */
void sockets_find_holders(struct sockets *sockets);

/* Has the kernel yet to close it? Its process may be gone. */
bool bound_closes(const struct bound *bound);

void sockets_free(struct sockets *sockets);

#endif
