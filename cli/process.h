/* SPDX-License-Identifier: MIT */
/*
 * Processes and their descriptors, as far as /proc shows them to us.
 */
#ifndef PORTRES_CLI_PROCESS_H
#define PORTRES_CLI_PROCESS_H

#include "cli/entry.h"

/* The process's name, or "?" when it cannot be read. */
void process_name(uint32_t pid, char to[17]);

/* The effective user, UID_UNKNOWN where it cannot be read. */
uint32_t process_user(uint32_t pid);

/*
 * Finds the processes that have the owning sockets now, and those that use
 * persistent blocks. The pool names the acquirers; a child may have outlived
 * one. An entry is ours if we may look into the process that has it.
 */
void process_find_owners(struct entry *entries, size_t count);

/* Called with each descriptor of each process that we may look into. */
typedef void process_seen(void *context, uint32_t pid, int fd);
void process_each_fd(process_seen *seen, void *context);

/* The inode of the socket that the descriptor is, 0 when it is none. */
uint64_t process_socket(uint32_t pid, int fd);

#endif
