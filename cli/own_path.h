/* SPDX-License-Identifier: MIT */
/* The file that this command is. */
#ifndef PORTRES_CLI_OWN_PATH_H
#define PORTRES_CLI_OWN_PATH_H

#include <limits.h>
#include <stdbool.h>

/* Asks /proc, and where there is none, by which name the kernel was told to
 * start it. False: neither leads there. */
bool own_path(char to[PATH_MAX]);

/* Is there no /proc to ask? */
bool own_path_lacks_proc(void);

#endif
