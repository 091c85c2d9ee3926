/* SPDX-License-Identifier: MIT */
/* portres run: the blocks for a command. */
#ifndef PORTRES_CLI_RUN_H
#define PORTRES_CLI_RUN_H

#include "core/pool/store.h"

#define RUN_BLOCKS_MAX 64 /* --both takes two */

enum { STATUS_NO_PORTS = 75, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND };

struct run {
	struct block block[RUN_BLOCKS_MAX]; /* start 0 until acquired: any */
	bool twin[RUN_BLOCKS_MAX]; /* has the ports of the block before it */
	uint64_t token[RUN_BLOCKS_MAX];
	bool joined[RUN_BLOCKS_MAX]; /* is in a persistent block */
	size_t count;
	uint32_t align; /* of those that may be anywhere; 0: none */
	uint32_t wait;	/* seconds to wait for a busy block */
};

/* Acquires all blocks on sockets that stay open in the command. Returns 0; or
 * STATUS_NO_PORTS, or STATUS_USAGE for a port that is asked for twice, after a
 * message. */
int run_acquire(struct run *run);

/* The ports in order, from 1 on; 0 after the last. */
uint32_t run_port(const struct run *run, uint32_t number);

/* Replaces each {1}, {2} … that names a port; a new string. */
char *run_replace(const struct run *run, const char *argument);

/* PORTRES_PORT, PORTRES_PORTS unless that is too long, PORTRES_RANGES,
 * PORTRES_TOKENS. Returns 0, or STATUS_NO_PORTS after a message. */
int run_environment(const struct run *run);

/*
 * Writes the ports to a file, one a line, which is there when it is complete.
 * 0, or STATUS_REFUSED having said why.
 */
int run_write_ports(const struct run *run, const char *path);

#endif
