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
 * For `flags` of the acquires. Ours: where there is a guard (below), processes
 * that have the socket at the same number, this one and those that inherit it,
 * bind inside the block as they like, under the library or not. Without a guard
 * nothing keeps those from it that are not under the library.
 */
#define PORTRES_HEIRS 2

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

/*
 * The guard: the same for every program of the machine, under the library or
 * not, where the administrator has put it (portres-guard(8)). It is asked by
 *
 *	setsockopt(fd, PORTRES_GUARD, PORTRES_GUARD_..., &request,
 *		   sizeof(request))
 *
 * by the library for its own blocks, and by any program that has none: a block
 * is reserved by ACQUIRE, by a look whether its ports are in use (bind a socket
 * of the same process to each, without reuse options), and by COMMIT. From
 * ACQUIRE on no program can bind the ports, in any pool, container or user's
 * name; but one can that holds them bound already, and until COMMIT those of
 * the calling process. From COMMIT on only associated sockets and heirs bind.
 * The block ends with the open socket `fd`, however that happens. portres(7)
 * has an example in C and one in Go. All of it is ours; Windows has no need of
 * it.
 *
 * Errors that all have:
 *
 * EFAULT	bad pointer
 * EINVAL	another size than that of the request; an unknown operation;
 *		`reserved` is not 0. But for NUMBER, which does not look at
 *		them: no token, no ports, or past 65535; or `protocol` is not 0
 *		where it is no QUERY
 * ENOPROTOOPT	there is no guard here, or the caller is a 32-bit program
 * EOPNOTSUPP	not a TCP or UDP socket of IPv4 or IPv6
 */
#define PORTRES_GUARD 0x5052

struct portres_guard {
	uint64_t token;	     /* names the block: any number but 0 */
	uint64_t number;     /* COMMIT, QUERY, NUMBER: see there. Otherwise 0 */
	int32_t fd;	     /* the owning socket's number, or -1: see below */
	uint16_t start_port; /* network byte order; 1 to 65535 */
	uint16_t number_of_ports; /* host byte order */
	uint32_t protocol;	  /* QUERY: IPPROTO_TCP or _UDP. Otherwise 0 */
	uint32_t uid;		  /* KEEP, ADOPT */
	uint32_t gid;		  /* KEEP; PORTRES_GUARD_NOBODY for none */
	uint32_t reserved;	  /* 0 */
};

#define PORTRES_GUARD_NOBODY ((uint32_t)-1)

/*
 * Marks the ports for the socket. A process and its children whose descriptor
 * `fd` is that socket are its heirs, and bind inside the block as they like;
 * with -1 there are none. Two guards, of a cgroup and of one above it, may differ:
 * a block that one has refused is to be released, or its socket closed.
 *
 * EADDRINUSE	part of it is reserved, by whomever
 * ENOBUFS	more than the guard has room for, or than one user may have
 *		(portres-guard(8)); or below
 *		net.ipv4.ip_unprivileged_port_start, without
 *		CAP_NET_BIND_SERVICE
 */
#define PORTRES_GUARD_ACQUIRE 1

/*
 * Ends the time in which the calling process binds as it likes.
 *
 * EALREADY	it has ended
 * ENOENT	the socket owns no block of that token, start and number
 * ESTALE	it is done, but `number` is neither 0 nor this guard's
 */
#define PORTRES_GUARD_COMMIT 2

/* Ends the block, as the last close of the socket does. ENOENT as above. */
#define PORTRES_GUARD_RELEASE 3

/*
 * Lets the unbound socket bind inside the block. The right is the owning
 * socket, which the caller must have as descriptor `fd`; the token is none, for
 * it can be read by all. In a persistent block the right to the store will do,
 * with -1 for `fd`.
 *
 * EACCES	the caller's descriptor `fd` is not the owning socket
 * EINVAL	also: the socket is bound
 * EOPNOTSUPP	also: a socket of MPTCP, as Go's net package makes them for
 *		listeners from 1.24 on (ListenConfig.SetMultipathTCP(false)).
 *		It is refused the ports as any; an heir's is not
 * ENOENT	no block of that token, start and number in this protocol
 */
#define PORTRES_GUARD_ASSOCIATE 4

/*
 * Asked of any socket: does the block live? `number` is that which NUMBER told
 * when the block was made. ENOENT: it does not. ESTALE: this guard cannot know,
 * because `number` is not its own in this namespace.
 */
#define PORTRES_GUARD_QUERY 5

/*
 * Tells the guard's number in this network namespace, which no other guard has
 * had: 33 bits, in three requests. Each fails, because setsockopt() answers in
 * no other way, and errno is PORTRES_GUARD_NUMBER_FROM + 11 bits of it, those
 * that `number` selects: 0 the lowest, 1 the next, 2 the last. Token, ports and
 * protocol are not looked at.
 *
 * EINVAL	`number` is more than 2, or `reserved` is not 0
 */
#define PORTRES_GUARD_NUMBER 6
#define PORTRES_GUARD_NUMBER_FROM 1025

/*
 * Persistent blocks, which no socket owns. KEEP makes one for the owner `uid`
 * and the group `gid` of a store; DROP ends it; JOIN makes the socket a
 * co-owner: a process that has it, as descriptor `fd`, may associate, and its
 * heirs bind. Errors as above, and
 *
 * EACCES	no right to the store, which root has by CAP_NET_ADMIN or
 *		CAP_SYS_ADMIN; to KEEP one for another: not root, with
 *		CAP_SYS_ADMIN
 * EALREADY	the block is kept: from now on for `uid` and `gid` (KEEP)
 * EBUSY	the socket is in another block, which lives (JOIN)
 * ENOBUFS	also: not in the network namespace in which the guard was put on
 *		(KEEP); its co-owners have 16 other numbers already (JOIN)
 */
#define PORTRES_GUARD_KEEP 7
#define PORTRES_GUARD_DROP 8
#define PORTRES_GUARD_JOIN 9

/* ACQUIRE and COMMIT in one, for a block of user `uid` that was reserved before
 * there was a guard. EACCES: not root, with CAP_SYS_ADMIN. */
#define PORTRES_GUARD_ADOPT 10

#ifdef __cplusplus
}
#endif

#endif
