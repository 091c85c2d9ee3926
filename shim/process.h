/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_SHIM_PROCESS_H
#define PORTRES_SHIM_PROCESS_H

#include <stdint.h>

/*
 * A number that this process shares with none of its parents, nor with its
 * forked children: no load of a thread's memory survives a fork unnoticed,
 * whichever call made the child (fork, _Fork, clone). A child of vfork is in
 * its parent's memory and has its number. 0 where the kernel cannot do it.
 */
uint32_t process_number(void);

#endif
