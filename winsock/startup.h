/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_STARTUP_H
#define PORTRES_WINSOCK_STARTUP_H

#include <stdbool.h>

/* Is a WSAStartup of this process without its WSACleanup yet? */
bool wsa_started(void);

void wsa_start(void);

/* Undoes one start; the last one ends all pending requests. False when there
 * was none. */
bool wsa_stop(void);

#endif
