/* SPDX-License-Identifier: MIT */
/*
 * Sockets that leave the choice to the system, for tests: a kernel that is
 * watched, and a network namespace where nobody else takes ports.
 */
#ifndef PORTRES_TESTS_AUTOBIND_H
#define PORTRES_TESTS_AUTOBIND_H

#include <sched.h>

#include "core/kernel/ephemeral.h"
#include "core/pool/marks.h"
#include "shim/autobind.h"
#include "shim/real.h"
#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/rig.h"

#define OPTION 51 /* IP_LOCAL_PORT_RANGE */
#define SEEN_MAX 70000

/* Writes down what is asked of it; fails what it is told to. */
struct kernel_watched {
	struct sys_ops ops;
	bool old;	/* does not know the option */
	bool fixed;	/* does not let it be set */
	bool no_files;	/* no descriptor is left */
	int bind_error; /* -Exxx instead of each bind */
	int windows, binds;
	struct range window[128]; /* as the option said, in turn */
	uint16_t bind[SEEN_MAX];  /* ports, in turn */
};

static struct kernel_watched kernel;
static struct pool pool;
static struct range ephemeral;
static uint32_t pools;

static inline struct range
option_range(uint32_t option)
{
	uint32_t first = option & 0xffff;

	return (struct range){first, (option >> 16) - first + 1};
}

static inline uint32_t
range_option(uint32_t first, uint32_t last)
{
	return last << 16 | first;
}

static inline void
note_window(uint32_t option)
{
	if (option != 0 && kernel.windows < 128)
		kernel.window[kernel.windows++] = option_range(option);
}

static inline long
kernel_watch(const struct sys_ops *sys, long nr, const long arg[6])
{
	bool option = (nr == SYS_getsockopt || nr == SYS_setsockopt) &&
		      arg[1] == IPPROTO_IP && arg[2] == OPTION;

	(void)sys;
	if (option && kernel.old)
		return -ENOPROTOOPT;
	if (option && nr == SYS_setsockopt && kernel.fixed)
		return -EPERM;
	if (nr == SYS_openat && kernel.no_files)
		return -EMFILE;
	if (option && nr == SYS_setsockopt)
		note_window(*(const uint32_t *)arg[3]);
	return kernel_real(nr, arg);
}

/* In the place of libc's. */
static inline int
watched_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	const struct sockaddr_in *at = (const void *)address;

	if (kernel.binds < SEEN_MAX)
		kernel.bind[kernel.binds++] = ntohs(at->sin_port);
	errno = -kernel.bind_error;
	return kernel.bind_error ? -1
				 : (int)syscall(SYS_bind, fd, address, size);
}

static inline void
write_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "w");
	cr_assert_not_null(f, "%s: %s", path, strerror(errno));
	fputs(value, f);
	cr_assert_eq(fclose(f), 0, "%s: %s", path, strerror(errno));
}

static inline uint32_t
own_option(int fd)
{
	uint32_t value = 0;
	socklen_t size = sizeof(value);

	getsockopt(fd, IPPROTO_IP, OPTION, &value, &size);
	return value;
}

static inline int
set_own_option(int fd, uint32_t value)
{
	return setsockopt(fd, IPPROTO_IP, OPTION, &value, sizeof(value));
}

/* A kernel without the option is tested the other way. */
static inline bool
has_option(void)
{
	int fd = tcp_socket();
	int r = set_own_option(fd, 0);

	close(fd);
	return r == 0;
}

/*
 * Root gets a network namespace with `ports` to choose from; others test in
 * the machine's own, and `ports` must not matter: NULL.
 */
static inline void
set_up(const char *ports, bool old)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.ops.call = kernel_watch;
	real_bind = watched_bind;
	kernel.old = old || !has_option();
	pool = (struct pool){.sys = &kernel.ops, .file = books_new()};
	/* The memory may be that of another one before. */
	pool.file->header.generation = ++pools << 16;
	if (unshare(CLONE_NEWNET) == 0) {
		if (ports)
			write_sysctl("ip_local_port_range", ports);
	} else if (ports) {
		free(pool.file);
		SKIP("needs a network namespace");
	}
	ephemeral = ephemeral_range(&sys_kernel);
}

static inline void
reserve(enum protocol protocol, uint32_t first, uint32_t count)
{
	books_add(pool.file, protocol, first, count);
}

static inline long
call_bind(const struct call *call)
{
	return real_bind(call->fd, (const struct sockaddr *)&call->local,
			 call->local_size) < 0
		       ? -errno
		       : 0;
}

static inline int
choose(enum protocol protocol, int domain, int fd)
{
	struct call call = {
		.verb = VERB_BIND,
		.fd = fd,
		.real = call_bind,
		.local = {.ss_family = (sa_family_t)domain},
		.local_size = domain == AF_INET ? sizeof(struct sockaddr_in)
						: sizeof(struct sockaddr_in6),
	};
	bool none;
	long r = autobind(&pool, protocol, &call, &none);

	cr_assert_eq(none, r == -EADDRINUSE);
	return (int)r;
}

static inline uint32_t
port_of(int fd)
{
	struct sockaddr_in6 at = {0};
	socklen_t size = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin6_port);
}

/* A socket with a chosen port, or -Exxx. */
static inline int
chosen_socket(enum protocol protocol, int domain)
{
	int fd = socket_of(protocol, domain);
	int r = choose(protocol, domain, fd);

	if (r == 0)
		return fd;
	cr_assert_eq(port_of(fd), 0);
	close(fd);
	return r;
}

static inline void
close_all(int *fd, int n)
{
	for (int i = 0; i < n; i++)
		close(fd[i]);
	free(pool.file);
}

#endif
