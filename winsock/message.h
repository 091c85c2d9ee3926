/* SPDX-License-Identifier: MIT */
/*
 * One message or piece of a stream, sent or received: in Winsock's errors, and
 * with network events enabled again. Returns bytes, or -1 with errno.
 */
#ifndef PORTRES_WINSOCK_MESSAGE_H
#define PORTRES_WINSOCK_MESSAGE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "winsock/channel.h"

/* For requests, which keep their own order. An address in it is Linux'. */
long message_send(int fd, const struct msghdr *message, int flags);

/*
 * An address that it tells is Windows'. A message that did not fit fails with
 * EMSGSIZE, and what did fit is there.
 */
long message_receive(int fd, struct msghdr *message, int flags);

/*
 * Calls are made no longer than the socket is open. A call that waits stands in
 * line behind pending requests, and is made as a request (transfer.h); a quick
 * one fails with WSAEWOULDBLOCK.
 */
bool message_stands_in_line(int fd, enum direction direction, int flags);
long message_call(int fd, enum direction direction, struct msghdr *message,
		  int flags);

#endif
