/* SPDX-License-Identifier: MIT */
/*
 * A listener that binds its port again at once, as it does on Windows, over the
 * connections that the one before has left in TIME_WAIT.
 *
 * The kernel lets it when both sockets have SO_REUSEADDR, the dead one too, and
 * asks again in listen(). So our sockets get it when they listen or connect,
 * and their connections with them; for their successors. Two sockets that have
 * it may share a port until one of them listens: so no socket of ours has it
 * between bind() and listen() but for the moment of a call, and such calls for
 * one port come one after the other.
 */
#ifndef PORTRES_WINSOCK_RESTART_H
#define PORTRES_WINSOCK_RESTART_H

#include <sys/socket.h>

/* bind() and listen(), in Winsock's errors. */
int restart_bind(int fd, const struct sockaddr *address, socklen_t size);
int restart_listen(int fd, int backlog);

/* The socket is connected, or will be. */
void restart_connected(int fd);

#endif
