/* SPDX-License-Identifier: MIT */
/*
 * Sockets, ports and pools for tests.
 */
#ifndef PORTRES_TESTS_RIG_H
#define PORTRES_TESTS_RIG_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/kernel/guard.h"
#include "core/pool/acquire.h"
#include "core/pool/lease.h"
#include "core/pool/pool.h"
#include "core/pool/slot.h"
#include "tests/books.h"
#include "tests/check.h"

/* Ports */

/* Away from those of integration/: some tests leave connections in TIME_WAIT.
 */
#define PORTS_FROM 12400u
#define PORTS_OWN 40u /* a test's own ones; 100 blocks up to 16399 */

static inline int
socket_of(enum protocol protocol, int domain)
{
	int type = protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

static inline int
tcp_socket(void)
{
	return socket_of(PROTOCOL_TCP, AF_INET);
}

static inline int
bind_to(int fd, int domain, const char *address, uint32_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port)};

	if (domain == AF_INET) {
		cr_assert_eq(inet_pton(AF_INET, address, &v4.sin_addr), 1);
		return bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	}
	cr_assert_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return bind(fd, (struct sockaddr *)&v6, sizeof(v6));
}

static inline bool
port_free(enum protocol protocol, uint32_t port)
{
	int fd = socket_of(protocol, AF_INET6);
	bool free = bind_to(fd, AF_INET6, "::", port) == 0;

	close(fd);
	return free;
}

/*
 * The first of PORTS_OWN ports that nobody uses. Tests run in parallel, so
 * each looks at another block first, by its process id.
 */
static inline uint32_t
own_ports(void)
{
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t block = ((uint32_t)getpid() + i * 7) % 100;
		uint32_t first = PORTS_FROM + block * PORTS_OWN;
		uint32_t n = 0;

		while (n < PORTS_OWN && port_free(PROTOCOL_TCP, first + n) &&
		       port_free(PROTOCOL_UDP, first + n))
			n++;
		if (n == PORTS_OWN)
			return first;
	}
	cr_assert_fail("no free ports between 12400 and 16399");
	return 0;
}

struct connection {
	int listener, client, server;
};

/* On 127.0.0.1. */
static inline struct connection
connect_over(uint32_t port, uint32_t client_port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct connection c = {.listener = tcp_socket(),
			       .client = tcp_socket()};
	int yes = 1;

	/* As servers do; or nobody could bind beside TIME_WAIT afterwards. */
	setsockopt(c.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	cr_assert_eq(bind_to(c.listener, AF_INET, "127.0.0.1", port), 0);
	cr_assert_eq(listen(c.listener, 1), 0);
	cr_assert_eq(bind_to(c.client, AF_INET, "127.0.0.1", client_port), 0);
	cr_assert_eq(connect(c.client, (struct sockaddr *)&to, sizeof(to)), 0);
	c.server = accept4(c.listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(c.server, 0);
	return c;
}

/* Pools */

#define RIG_NETNS 7

static _Atomic uint32_t rig_gate;

static inline _Atomic uint32_t *
rig_word(void)
{
	return &rig_gate;
}

static const struct fork_block rig_forks = {.word = rig_word};

static inline const char *
rig_file(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/pool-%d", temp_dir(), RIG_NETNS);
	return path;
}

/* Has the kernel a guard over this process? */
static inline bool
rig_guarded(void)
{
	const struct guarded any = {.token = GUARDED_KEPT, .range = {1, 1}};
	int fd = tcp_socket();
	int r = guard_lives(&sys_kernel, fd, &any);

	close(fd);
	return r != -ENOPROTOOPT;
}

/* A guard has persistent blocks until it is told otherwise: they are in the
 * next test's way. */
static inline void
rig_forget_persistent(void)
{
	struct pool_file *file = malloc(sizeof(*file));
	int pool = open(rig_file(), O_RDONLY | O_CLOEXEC);

	if (pool >= 0 && rig_guarded() &&
	    read(pool, file, sizeof(*file)) == sizeof(*file))
		for (uint32_t i = 0; i < SLOT_COUNT; i++) {
			struct guarded block = slot_guarded(&file->slot[i]);
			int fd;

			if (!block.kept || !slot_live(&file->slot[i]))
				continue;
			fd = socket_of(block.protocol, AF_INET);
			guard_drop(&sys_kernel, fd, &block);
			close(fd);
		}
	if (pool >= 0)
		close(pool);
	free(file);
}

static void __attribute__((constructor)) rig_clean_also(void)
{
	check_clean_also = rig_forget_persistent;
}

/* So that the next pool there is a new one. */
static inline void
rig_remove_pool(void)
{
	rig_forget_persistent();
	unlink(rig_file());
}

static inline int
rig_open_with(const struct sys_ops *sys, struct pool *ret)
{
	return pool_open(sys, temp_dir(), false, NULL, RIG_NETNS, &rig_forks,
			 ret);
}

static inline struct pool
rig_pool(void)
{
	struct pool pool;

	cr_assert_eq(rig_open_with(&sys_kernel, &pool), 0);
	if (pool.file->header.sequence >> 48 == 0)
		pool.file->header.sequence = books_sequence();
	return pool;
}

static inline struct pool_lock
rig_enter(struct pool *pool)
{
	struct pool_lock lock;
	int r = pool_enter(pool, POOL_WAIT, &lock);

	cr_assert_eq(r, 0, "pool_enter: %d", r);
	return lock;
}

/* The table as slots alone would have it: is that what the marks say? */
static inline bool
rig_marks_right(const struct pool_file *file)
{
	struct pool_file *copy = malloc(sizeof(*copy));
	bool right;

	memcpy(copy, file, sizeof(*copy));
	slot_rebuild(copy);
	copy->header.sequence = file->header.sequence;
	copy->header.generation = file->header.generation;
	right = memcmp(copy, file, sizeof(*copy)) == 0;
	free(copy);
	return right;
}

static inline uint32_t
rig_live_slots(const struct pool_file *file)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOT_COUNT; i++)
		n += slot_live(&file->slot[i]);
	return n;
}

/*
 * Is the slot's lease in the kernel's list? Judged in books of their own, so
 * that the slot's are left alone. 1, 0 or -Exxx.
 */
static inline int
rig_lease(const struct sys_ops *sys, const struct slot *slot)
{
	struct pool_file *file = books_new();
	uint64_t token = atomic_load(&slot->token) & ~TOKEN_DEAD;
	struct slot *copy = &file->slot[token_slot(token)];
	int r;

	*copy = *slot;
	atomic_store(&copy->token, token);
	atomic_store(&copy->state, SLOT_LIVE);
	copy->kind = KIND_RUNTIME;
	copy->fd = -1;		       /* or the list would not be asked */
	atomic_store(&copy->guard, 0); /* likewise */
	r = lease_judge(sys, NULL, file);
	free(file);
	return r < 0 ? r : r == 0;
}

static inline bool
rig_alive(const struct slot *slot)
{
	int r = rig_lease(&sys_kernel, slot);

	cr_assert_geq(r, 0, "the list of locks: %d", r);
	return r;
}

/* Reservations */

static const struct range_list rig_nowhere;

static inline struct acquire
rig_wanted(int fd, uint32_t start, uint32_t count)
{
	return (struct acquire){
		.protocol = PROTOCOL_TCP,
		.range = {start, count},
		.fd = fd,
		.wildcard = &rig_nowhere,
		.now = sys_clock(&sys_kernel, CLOCK_REALTIME),
	};
}

static inline int
rig_acquire_once(struct pool *pool, const struct acquire *wanted,
		 struct reservation *ret)
{
	struct pool_lock lock = rig_enter(pool);
	int r = reserve_acquire(pool, wanted, ret);

	pool_leave(pool, &lock);
	return r;
}

/* Enters, acquires, leaves; judges who is in the way, as callers do. */
static inline int
rig_acquire(struct pool *pool, const struct acquire *wanted,
	    struct reservation *ret)
{
	struct acquire again = *wanted;
	int r;

	do
		r = rig_acquire_once(pool, &again, ret);
	while (r == -EAGAIN && (r = reserve_judge_for(pool, &again)) == 0);
	return r;
}

/* Judges all, and frees the dead; how many were there? */
static inline uint32_t
rig_sweep(struct pool *pool)
{
	struct pool_lock lock;
	uint32_t n;

	reserve_judge(pool);
	lock = rig_enter(pool);
	n = reserve_sweep(pool);
	pool_leave(pool, &lock);
	return n;
}

/* Does a living reservation cover the TCP port? */
static inline bool
rig_reserved(struct pool *pool, uint32_t port)
{
	const struct slot *slot = slot_by_port(pool->file, PROTOCOL_TCP, port);

	return slot && reserve_lives(pool, atomic_load(&slot->token)) != 0;
}

/* A block that must be had. */
static inline struct reservation
rig_reserve(struct pool *pool, int fd, uint32_t start, uint32_t count)
{
	const struct acquire wanted = rig_wanted(fd, start, count);
	struct reservation got;
	int r = rig_acquire(pool, &wanted, &got);

	cr_assert_eq(r, 0, "%u+%u: %d", start, count, r);
	return got;
}

static inline int
rig_find(struct pool *pool, enum protocol protocol, uint64_t token,
	 int *ret_holder)
{
	struct pool_lock lock = rig_enter(pool);
	struct reservation found;
	int r = reserve_find(pool, protocol, token, &found, ret_holder);

	pool_leave(pool, &lock);
	return r;
}

static inline int
rig_release(struct pool *pool, const struct reservation *reservation)
{
	struct pool_lock lock = rig_enter(pool);
	struct reservation found;
	int holder;
	int r = reserve_find(pool, reservation->protocol, reservation->token,
			     &found, &holder);

	if (r == 0)
		reserve_release(pool, &found, holder);
	pool_leave(pool, &lock);
	return r == -EACCES ? -EINVAL : r; /* as the shim has it */
}

#endif
