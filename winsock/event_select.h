/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect: network events, recorded once and then not again until the
 * function is called that enables each (again). Its callers tell here what they
 * did; for sockets that nobody has selected that is a load.
 */
#ifndef PORTRES_WINSOCK_EVENT_SELECT_H
#define PORTRES_WINSOCK_EVENT_SELECT_H

#include <stdbool.h>

/* A call was made that enables these FD_ bits: FD_WRITE only if it would have
 * blocked. */
void event_select_again(int fd, long events);

void event_select_listening(int fd);
void event_select_connecting(int fd);

/* The new socket has the listening one's events. */
void event_select_accepted(int listener, int made);

/* The socket with this number was replaced by another. Inside the monitor. */
void event_select_replaced(int fd);

/* Such a socket may not be made to block. */
bool event_select_active(int fd);

/* It is about to be closed. */
void event_select_end(int fd);

#endif
