/* SPDX-License-Identifier: MIT */
/*
 * Addresses on their way in and out: two numbers for AF_INET6, and Windows'
 * WSAEFAULT for those that are too short, which the kernel calls invalid, cuts,
 * or lets pass.
 */
#ifndef PORTRES_WINSOCK_ADDRESS_H
#define PORTRES_WINSOCK_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Gives the address Linux' number of its family: returns itself, or a copy in
 * `room` when the number was Windows'. Whatever cannot be read is left to the
 * kernel to refuse.
 */
const struct sockaddr *linux_address(const struct sockaddr *address,
				     socklen_t size,
				     struct sockaddr_storage *room);

/* Gives an address that goes to the program Windows' number of its family. */
void windows_address(struct sockaddr *address, socklen_t size);

/* Is it unreadable, or too short for its family? */
bool address_is_short(const struct sockaddr *address, socklen_t size);

/* Is it INADDR_ANY, which nobody has as a peer, but which the kernel takes for
 * the machine itself? Does it say no port? False of other families. */
bool address_is_any(const struct sockaddr *address);
bool address_lacks_port(const struct sockaddr *address);

/* Has the program room for an address of this socket's family? Needs none if
 * address is NULL. */
bool address_fits(int fd, const struct sockaddr *address,
		  const socklen_t *size);

#endif
