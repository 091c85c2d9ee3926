/* SPDX-License-Identifier: MIT */
/* The words by which the dynamic linker is told what to preload. */
#ifndef PORTRES_CLI_PRELOADS_H
#define PORTRES_CLI_PRELOADS_H

#include <stdbool.h>

/* Calls `each` for the words of LD_PRELOAD until it returns true. */
bool preloads_any(bool (*each)(const char *word, void *context), void *context);

/* Does so for /etc/ld.so.preload, which counts for every program. */
bool preloads_any_everywhere(bool (*each)(const char *word, void *context),
			     void *context);

#endif
