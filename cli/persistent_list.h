/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_CLI_PERSISTENT_LIST_H
#define PORTRES_CLI_PERSISTENT_LIST_H

#include <stdbool.h>

/* portres persistent list: the exit status. */
int persistent_list(bool json);

#endif
