/* SPDX-License-Identifier: MIT */
/*
 * An attempt to connect that is under way when its call returns. Windows'
 * socket may be tried again as soon as one has failed; the kernel's next
 * connect() would but tell of the one before.
 */
#ifndef PORTRES_WINSOCK_ATTEMPT_H
#define PORTRES_WINSOCK_ATTEMPT_H

#include <stdbool.h>

/* Before connect(): forgets an attempt that has failed. 0, or the errno of one
 * that has succeeded. */
int attempt_prepare(int fd);

/* The socket is connected, or `pending`: FD_CONNECT will be told of it. */
void attempt_begun(int fd, bool pending);

/* Has the attempt failed? Not so one that had succeeded and was reset since.
 * The socket has an error. */
bool attempt_failed(int fd);

/* It has failed, or is given up: the socket is as if it had not been. */
void attempt_forget(int fd);

#endif
