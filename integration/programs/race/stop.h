/* SPDX-License-Identifier: MIT */
#ifndef RACE_STOP_H
#define RACE_STOP_H

#include "kit.h"

enum { TAKEN, REFUSED, ANSWERED };

/* Told by the acquirer, and of it. */
extern struct watch {
	_Atomic uint64_t worst_ns, worst_stopped_ns, stops, inside, kills;
} * watch;

void note_worst(_Atomic uint64_t *worst, uint64_t ns);
void stop_one(pid_t pid);

#endif
