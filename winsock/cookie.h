/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_COOKIE_H
#define PORTRES_WINSOCK_COOKIE_H

#include <stdint.h>

/* The open socket's number, never used twice; 0 when fd is no socket. */
uint64_t socket_cookie(int fd);

#endif
