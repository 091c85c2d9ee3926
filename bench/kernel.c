/* SPDX-License-Identifier: MIT */
/*
 * usage: kernel DIRECTORY
 *
 * What we ask of the kernel, each in nanoseconds: the figures of docs/design.md
 * and docs/limits.md that are about a call, not about ours beside libc's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/locks.h"
#include "core/kernel/last_close.h"
#include "core/kernel/sockdiag.h"

enum { TIMES = 50 };

static const char *directory;
static int sock;
static char link_path[64];

static void
nothing(void)
{
	syscall(SYS_getppid);
}

static void
lease(void)
{
	struct flock lock = {.l_type = F_RDLCK, .l_start = 1, .l_len = 1};

	if (fcntl(sock, F_OFD_SETLK, &lock) < 0)
		die("F_OFD_SETLK");
}

static void
where_it_was(void)
{
	char text[64];

	if (readlink(link_path, text, sizeof(text)) < 0)
		die(link_path);
}

static void
readable(void)
{
	uint64_t word = 0;

	syscall(SYS_rt_sigprocmask, -1, &word, NULL, sizeof(word));
}

static void
dup_close(void)
{
	close(dup(sock));
}

static void
watched_close(void)
{
	struct last_close watch;
	int fd = dup(sock);

	last_close_begin(&sys_kernel, fd, &watch);
	close(fd);
	if (last_close_end(&sys_kernel, &watch))
		die("it was the last");
}

static void
trial_bind(void)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
				  .sin6_port = htons(BENCH_FREE_PORT)};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	bind(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
}

static void
list_of_sockets(void)
{
	struct sockdiag_count count;

	if (sockdiag_count(&sys_kernel, PROTOCOL_TCP, BENCH_FREE_PORT, &count) <
	    0)
		die("sock_diag");
}

static double
took(void (*act)(void), int times)
{
	double values[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		for (int i = 0; i < times; i++)
			act();
		values[round] = (now() - start) / times;
	}
	return typical(values);
}

static void
print(const char *name, double value)
{
	printf("%s\t%.0f\n", name, value);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct rlimit files = {20000, 20000};

	if (argc != 2)
		return 2;
	directory = argv[1];
	setrlimit(RLIMIT_NOFILE, &files);
	sock = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", sock);
	print("a call that does nothing", took(nothing, TIMES));
	print("a lease on the socket, fcntl", took(lease, TIMES));
	print("is the owner there, readlink", took(where_it_was, TIMES));
	print("is this readable, rt_sigprocmask", took(readable, TIMES));
	print("was it the last close, epoll",
	      took(watched_close, TIMES) - took(dup_close, TIMES));
	print("trial bind and its socket", took(trial_bind, TIMES));
	print("the kernel's list of sockets", took(list_of_sockets, 1));
	print("the list of locks", took(read_locks, 1));
	lock_files(directory, 4000);
	print("the list of locks, beside 4,000", took(read_locks, 1));
	lock_files(directory, 20000);
	{
		double start = now();

		read_locks();
		print("the list of locks, beside 20,000", now() - start);
	}
	return 0;
}
