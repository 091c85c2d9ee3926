/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_STARTUP_H
#define PORTRES_WINSOCK_STARTUP_H

#include <stdbool.h>

/* Is a WSAStartup of this process without its WSACleanup yet? */
bool wsa_started(void);

/* The same, for the first line of a call: if there is none, that is the last
 * error. */
bool wsa_missing(void);

void wsa_start(void);

/* Undoes one start. False when there was none. */
bool wsa_stop(bool *ret_last);

#endif
