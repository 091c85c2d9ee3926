/* SPDX-License-Identifier: MIT */
/*
 * Which boot of the machine is this? A pool on a disk outlives the kernel that
 * its announcements and its half-done writes belong to.
 */
#ifndef PORTRES_CORE_KERNEL_BOOT_H
#define PORTRES_CORE_KERNEL_BOOT_H

#include "core/kernel/sys.h"

/* The kernel's random boot id. Returns 0 or -Exxx. */
int boot_id(const struct sys_ops *sys, uint64_t ret[2]);

#endif
