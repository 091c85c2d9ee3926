/* SPDX-License-Identifier: MIT */
/*
 * The ports that the kernel hands out by itself, of this thread's network
 * namespace.
 */
#ifndef PORTRES_CORE_EPHEMERAL_H
#define PORTRES_CORE_EPHEMERAL_H

#include "core/port_set.h"
#include "core/sys.h"

#define EPHEMERAL_USUAL ((struct range){32768, 60999 - 32768 + 1})

/* net.ipv4.ip_local_port_range. Returns 0, or -Exxx. */
int ephemeral_read(const struct sys_ops *sys, struct range *ret);

/* The same, and the usual one where it cannot be read. */
struct range ephemeral_range(const struct sys_ops *sys);

/*
 * net.ipv4.ip_local_reserved_ports, which an administrator wants left alone.
 * Empty where it cannot be read.
 */
void ephemeral_reserved(const struct sys_ops *sys, struct port_set *ret);

#endif
