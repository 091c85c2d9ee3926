/* SPDX-License-Identifier: MIT */
/* Mutexes that have handles. All of it is called inside the monitor. */
#ifndef PORTRES_WINSOCK_MUTEX_H
#define PORTRES_WINSOCK_MUTEX_H

#include "winsock/handle.h"
#include "winsock/thread.h"

/* Nobody's, or the thread's own already. */
bool mutex_is_free(const struct handle *mutex, const struct thread *thread);

/* Makes the thread the owner, once more. Returns whether another owner ended
 * without letting it go. */
bool mutex_take(struct handle *mutex, struct thread *thread);

/* Its handle is about to be closed. */
void mutex_forget(struct handle *mutex);

#endif
