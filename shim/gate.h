/* SPDX-License-Identifier: MIT */
/*
 * The gate to this process' pools (core/pool.h): forks wait until no thread is
 * inside.
 */
#ifndef PORTRES_SHIM_GATE_H
#define PORTRES_SHIM_GATE_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint32_t gate_of_process __attribute__((visibility("hidden")));

/*
 * The gate that this thread goes in by: the process' or, while the thread is
 * forking and has shut that one, another, for fork handlers of other libraries
 * that call us meanwhile.
 */
_Atomic uint32_t *gate_here(void);

/* Called once by the constructor. */
void gate_register_fork(void);

#endif
