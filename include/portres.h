/* SPDX-License-Identifier: MIT */
/*
 * portres: reserve blocks of TCP or UDP ports, for programs written for
 * Linux. (Programs written for Winsock include <winsock2.h> and <mstcpip.h>.)
 *
 * The three codes are ioctl() requests on a TCP or UDP socket, IPv4 or IPv6.
 * They are answered when the program runs with libportres.so preloaded or
 * linked; without it the kernel refuses them with ENOTTY.
 *
 *	struct portres_instance block = {0};
 *
 *	block.number_of_ports = 3;
 *	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) == 0)
 *		... ntohs(block.start_port), block.token
 *
 * The reservation lives as long as the open socket `fd`, through dup, fork
 * and exec, and ends with it, however that happens. Until then nobody else
 * who is under portres can bind its ports.
 *
 * Layouts and codes are those of Windows' <mstcpip.h>. Codes may be passed as
 * sign-extended ints: only the low 32 bits count.
 */
#ifndef PORTRES_H
#define PORTRES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In: start_port and number_of_ports; start_port 0 leaves the choice to
 * portres. Out: the block, and its token. Takes struct portres_instance *.
 *
 * EADDRINUSE	part of the block is reserved, or bound by anybody
 * EINVAL	no ports, or past 65535
 * ENOBUFS	no free run of that length; or the pool is full
 * EOPNOTSUPP	not a TCP or UDP socket
 * EFAULT	bad pointer
 * ENETDOWN	the pool cannot be used
 * EMFILE	no descriptor left
 * EINTR	a signal handler ran while the pool was busy
 */
#ifndef SIO_ACQUIRE_PORT_RESERVATION
#define SIO_ACQUIRE_PORT_RESERVATION 0x98000064u

/*
 * Gives a block back; the owner's sockets keep the ports they have bound.
 * Takes uint64_t * (the token). EINVAL: not a block of this process, or of
 * the other protocol.
 */
#define SIO_RELEASE_PORT_RESERVATION 0x98000065u

/*
 * Gives the unbound socket ports of a block: bind() to port 0 takes any free
 * one of it, or names one. Takes uint64_t * (the token). EINVAL: bound
 * already, or unknown token; EACCES: another process's block.
 */
#define SIO_ASSOCIATE_PORT_RESERVATION 0x98000066u
#endif

struct portres_range {
	uint16_t start_port; /* network byte order; 0 = wildcard */
	uint16_t number_of_ports; /* host byte order */
};

struct portres_instance {
	uint16_t start_port; /* network byte order */
	uint16_t number_of_ports; /* host byte order */
	uint32_t reserved;
	uint64_t token; /* never 0, never used twice */
};

#define PORTRES_INVALID_TOKEN ((uint64_t)0)

#ifdef __cplusplus
}
#endif

#endif
