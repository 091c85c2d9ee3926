/* SPDX-License-Identifier: MIT */
/* Threads of ours in a program. */
#ifndef PORTRES_WINSOCK_WORKER_H
#define PORTRES_WINSOCK_WORKER_H

#include <stdbool.h>

/* Starts one that nobody joins, and that no signal interrupts: the program's
 * own threads handle them. False without memory, or where no more may be. */
bool worker_start(void *(*work)(void *unused));

#endif
