/* SPDX-License-Identifier: MIT */
/*
 * portres: reserve blocks of TCP or UDP ports, for programs written for Linux.
 * (Programs written for Winsock include <winsock2.h> and <mstcpip.h>.)
 *
 *	struct portres_instance block = {0};
 *
 *	block.number_of_ports = 3;
 *	if (portres_acquire(fd, &block, 0) == 0)
 *		... ntohs(block.start_port), block.token
 *
 * The reservation lives as long as the open socket `fd`, through dup, fork and
 * exec, and ends with it, however that happens. Until then no other program
 * under portres can bind its ports.
 *
 * There are two ways to ask. The three codes are ioctl() requests: a program
 * that uses them needs nothing at link time, and without the library the kernel
 * refuses them with ENOTTY. The functions are libportres.so's (link with
 * -lportres); they do the same and more.
 *
 * Start ports are in network byte order, as in sockaddr_in, numbers of ports in
 * host byte order, times in none. All functions return 0, or -1 with errno; a
 * success leaves errno alone. They may be called from any thread; from a signal
 * handler, none but portres_refusal(). portres(3) is the same text for humans.
 *
 * Layouts, codes and rules are those of Windows' <mstcpip.h> and <iphlpapi.h>;
 * a row that is ours says so. Codes may be passed as sign-extended ints: only
 * the low 32 bits count.
 */
#ifndef PORTRES_H
#define PORTRES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct portres_range {
	uint16_t start_port;	  /* network byte order; 0 = wildcard */
	uint16_t number_of_ports; /* host byte order */
};

struct portres_instance {
	uint16_t start_port;	  /* network byte order */
	uint16_t number_of_ports; /* host byte order */
	uint32_t reserved;
	uint64_t token; /* never 0, never used twice */
};

#define PORTRES_INVALID_TOKEN ((uint64_t)0)

/*
 * The ioctl() requests. ACQUIRE takes a struct portres_instance *, in and out;
 * the others take a uint64_t *, the token. They are the functions below with
 * flags 0.
 */
#ifndef SIO_ACQUIRE_PORT_RESERVATION
#define SIO_ACQUIRE_PORT_RESERVATION 0x98000064u
#define SIO_RELEASE_PORT_RESERVATION 0x98000065u
#define SIO_ASSOCIATE_PORT_RESERVATION 0x98000066u
#endif

#define PORTRES_API __attribute__((__visibility__("default")))

/*
 * For `flags`. Ours: fails with EAGAIN, and has done nothing, when another
 * process has the pool's lock. Without the flag a call waits up to 5 s, and a
 * signal handler that was installed without SA_RESTART ends the wait.
 */
#define PORTRES_NOWAIT 1

/*
 * For `flags` of the acquires. Ours: where the start is for us to choose it is
 * a multiple of n (2: pairs, as of RTP and RTCP); n is 1 to 65535, and 0 for
 * any.
 */
#define PORTRES_ALIGN(n) ((unsigned int)(n) << 16)

/*
 * Errors that all three have:
 *
 * EAGAIN	the pool is busy, and PORTRES_NOWAIT was given (ours)
 * EBADF	not a descriptor
 * EINTR	a signal handler ran while the pool was busy
 * EINVAL	unknown flags (ours)
 * EMFILE, ENFILE  no descriptor left for the moment of the call (ours)
 * ENETDOWN	the pool cannot be used; or it was busy for 5 s (ours)
 * ENOTSOCK	not a socket
 * EOPNOTSUPP	not a TCP or UDP socket
 */

/*
 * Reserves a block for the socket: number_of_ports from start_port on, or, if
 * start_port is 0, wherever they fit. Fills in all of *block. One socket may
 * own several.
 *
 * EADDRINUSE	part of the block is reserved, or bound by anybody;
 *		portres_refusal() tells
 * EFAULT	bad pointer
 * EINVAL	no ports, or past 65535; or a start that is no multiple of
 *		PORTRES_ALIGN (ours)
 * ENOBUFS	no free run of that length; or the pool is full (ours)
 */
PORTRES_API int portres_acquire(int fd, struct portres_instance *block,
				unsigned int flags);

/*
 * The same ports of both protocols, or none: as DNS, SIP and HTTP/3 want them.
 * blocks[0] is the request; then it has the block and token of the TCP socket,
 * blocks[1] that of the UDP socket. They are two blocks from then on. Errors as
 * portres_acquire(). Ours.
 *
 * EINVAL	also: the sockets are of two network namespaces
 * EOPNOTSUPP	also: `tcp` is no TCP socket, or `udp` no UDP socket
 */
PORTRES_API int portres_acquire_both(int tcp, int udp,
				     struct portres_instance blocks[2],
				     unsigned int flags);

/*
 * Releases a block of this process, by any socket of the same protocol. Sockets
 * keep the ports that they have bound.
 *
 * EINVAL	not a block of this process, or persistent, or of the other
 *		protocol (ours)
 */
PORTRES_API int portres_release(int fd, uint64_t token, unsigned int flags);

/*
 * Associates the unbound socket with a block: bind() to port 0 takes any free
 * one of its ports; bind() to one of them takes that one.
 *
 * EACCES	another process's block; or a persistent one, without the right
 *		to the store; portres_refusal() tells whose
 * EINVAL	bound already; or no such block, or of the other protocol (ours)
 * ENOBUFS	too many associated sockets in this process (ours)
 */
PORTRES_API int portres_associate(int fd, uint64_t token, unsigned int flags);

/*
 * Blocks that no socket owns: they outlive every process, and come back with
 * the machine. `protocol` is IPPROTO_TCP or IPPROTO_UDP. The right to write
 * the store is the right to create, delete and associate.
 *
 * create	reserves the block for good, and stores its token
 * delete	ends it; only a block of exactly these numbers
 * find		stores its token, the same for everybody until the pool is made
 *		anew; needs no right
 *
 * Create and delete wait for the pool up to 5 s, and are not interrupted. They
 * return 1 when it is done and the disk did not confirm it: a power failure
 * may undo it (ours).
 *
 * EACCES	no right to write the store (create, delete)
 * EBUSY	another process keeps the store locked (create, delete; ours)
 * EADDRINUSE	overlaps a reservation, or a port is in use (create);
 *		portres_refusal() tells
 * EFAULT	bad pointer
 * EINVAL	start or number 0, past 65535; or another protocol
 * EMFILE, ENFILE  no descriptor left (ours)
 * ENETDOWN	the pool cannot be used (ours)
 * ENOBUFS	the pool is full (create; ours)
 * ENOENT	no block of exactly these numbers (delete, find)
 * ENOSPC, EDQUOT, EIO, ...  the store cannot be written (EMEDIUMTYPE: what
 *		stands in its place is none); nothing has changed (ours)
 */
PORTRES_API int portres_persistent_create(int protocol, uint16_t start_port,
					  uint16_t number_of_ports,
					  uint64_t *token);
PORTRES_API int portres_persistent_delete(int protocol, uint16_t start_port,
					  uint16_t number_of_ports);
PORTRES_API int portres_persistent_find(int protocol, uint16_t start_port,
					uint16_t number_of_ports,
					uint64_t *token);

/* Reasons. */
#define PORTRES_NOT_OURS 0  /* the error is the kernel's, or needs no reason */
#define PORTRES_RESERVED 1  /* the port is in a block, or it is another's */
#define PORTRES_IN_USE 2    /* a socket has the port; see ss(8) */
#define PORTRES_EXHAUSTED 3 /* the socket's own block has no port left */

struct portres_refusal {
	int32_t error; /* the errno that it explains, or 0 */
	uint32_t reason;
	uint16_t port;	     /* network byte order; 0: no certain one */
	uint16_t start_port; /* the block, network byte order; 0: not known */
	uint16_t number_of_ports; /* host byte order */
	uint16_t persistent;	  /* 1: a persistent block, without an owner */
	int32_t pid;		  /* the process that acquired it, or 0 */
	char command[16];	  /* its name then: printable, 0 at the end */
	uint32_t reserved[3];	  /* 0 */
};

/*
 * Why was the last call of this thread refused? To be called right after one of
 * bind(), connect(), listen(), sendto(), sendmsg(), sendmmsg(), the three
 * ioctl() requests and the functions above has failed, while errno is still
 * that call's: it selects the reason. Ours.
 *
 * pid is a number of the pid namespace in which the block was acquired, and
 * that process need not live: a block lives on with a child that has its
 * socket. Makes no system call but to check the pointer.
 *
 * EFAULT	bad pointer
 */
PORTRES_API int portres_refusal(struct portres_refusal *ret);

#ifdef __cplusplus
}
#endif

#endif
