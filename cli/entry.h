/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CLI_ENTRY_H
#define PORTRES_CLI_ENTRY_H

#include "core/pool/reserve.h"

struct holder {
	uint32_t pid;
	char command[17];
};

#define UID_UNKNOWN UINT32_MAX

/* One live reservation, copied out of the pool. */
struct entry {
	enum protocol protocol;
	struct range range;
	enum reservation_kind kind;
	uint32_t pid;	/* of a process that has or uses it, 0: not known */
	uint32_t uid;	/* that process' user */
	int fd;		/* the owning socket's number there, or -1 */
	uint32_t inode; /* of the owning socket */
	uint32_t device;
	uint64_t token;
	uint64_t since;
	char command[17];
	bool own; /* we may know the token */
	bool guarded; /* the kernel has it, too */
	/* The processes that were started with a persistent block. */
	struct holder *users;
	size_t user_count;
};

#endif
