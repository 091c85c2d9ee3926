/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CORE_KERNEL_DIRECTORY_H
#define PORTRES_CORE_KERNEL_DIRECTORY_H

#include "core/kernel/sys.h"

/* Makes it, as mkdir() does; but whoever makes it may use it, whatever the
 * umask says. 0 or -Exxx. */
int directory_make(const struct sys_ops *sys, const char *path, mode_t mode)
	__attribute__((cold));

#endif
