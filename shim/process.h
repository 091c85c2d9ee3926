/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_SHIM_PROCESS_H
#define PORTRES_SHIM_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * What belongs to this process and not to those that it forks: it is in memory
 * which the kernel clears in each forked child, whichever call made the child
 * (fork, _Fork, clone). A child of vfork is in its parent's memory and shares
 * all of it.
 */

/*
 * A number that this process shares with none of its parents, nor with its
 * forked children: no load of a thread's memory survives a fork unnoticed. 0
 * where the kernel cannot do it.
 */
uint32_t process_number(void);

/* Its pid, for humans: a child of vfork gets the parent's. */
uint32_t process_id(void);

/* The gate of its pools (core/pool.h): open in a child, whoever was inside. */
_Atomic uint32_t *process_gate(void);

#endif
