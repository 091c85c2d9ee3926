/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_STARTUP_H
#define PORTRES_WINSOCK_STARTUP_H

#include <stdbool.h>

/* Is a WSAStartup of this process without its WSACleanup yet? */
bool wsa_started(void);

/* No startup? Then that is the last error. For the first line of a call. */
bool wsa_missing(void);

void wsa_start(void);

/* Undoes one start. False when there was none. */
bool wsa_stop(bool *ret_last);

#endif
