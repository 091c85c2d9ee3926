/* SPDX-License-Identifier: MIT */
/* Was that the socket's last descriptor? A wrong "yes" ends a living block. */
#include "core/kernel/last_close.h"

#include <fcntl.h>

#include <pthread.h>
#include <sched.h>

#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

/* Closes fd under watch. */
static bool
gone(const struct sys_ops *sys, int fd)
{
	struct last_close watch;

	last_close_begin(sys, fd, &watch);
	close(fd);
	return last_close_end(sys, &watch);
}

/* By kcmp, where that is forbidden, and without a set, which knows nothing. */
static void
expect(bool wanted, int (*make)(void), void (*end)(int), const char *what)
{
	struct kernel_refusing way[] = {
		kernel_refusing(-1, 0, NULL),
		kernel_refusing(SYS_kcmp, -EPERM, NULL),
		kernel_refusing(SYS_epoll_create1, -EMFILE, NULL),
	};

	for (int i = 0; i < 3; i++) {
		int fd = tcp_socket(), other;

		cr_assert_eq(dup2(fd, 500), 500);
		close(fd);
		other = make();
		cr_assert_eq(gone(&way[i].ops, 500), wanted && i < 2,
			     "%s, way %d", what, i);
		cr_assert_eq(way[i].asked, i != 0);
		end(other);
	}
}

static int
nothing(void)
{
	return -1;
}

static void
no_end(int fd)
{
	(void)fd;
}

static int
duplicate(void)
{
	return fcntl(500, F_DUPFD_CLOEXEC, 600);
}

static void
close_end(int fd)
{
	close(fd);
}

static struct peer child;

static int
fork_it(void)
{
	child = peer_fork();
	if (child.pid == 0) {
		peer_hear(&child);
		_exit(0);
	}
	return -1;
}

static void
child_end(int fd)
{
	(void)fd;
	peer_tell(&child);
	peer_verdict(peer_end(&child));
}

static int pair[2];

static int
send_it(void)
{
	char room[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &(int){500}, sizeof(int));
	cr_assert_eq(sendmsg(pair[0], &message, 0), 1);
	return -1;
}

static void
pair_end(int fd)
{
	(void)fd;
	close(pair[0]);
	close(pair[1]);
}

CHECK(watch, sees_the_last_close_and_no_other)
{
	expect(true, nothing, no_end, "only descriptor");
	expect(false, duplicate, close_end, "dup");
	expect(false, fork_it, child_end, "child");
	expect(false, send_it, pair_end, "message in flight");
}

/* The number has another socket by then. */
CHECK(watch, is_not_fooled_by_who_comes_next)
{
	for (int copies = 0; copies < 2; copies++) {
		int fd = tcp_socket(), other = tcp_socket();
		int copy = copies ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		struct last_close watch;

		last_close_begin(&sys_kernel, fd, &watch);
		cr_assert_eq(dup2(other, fd), fd);
		cr_assert_eq(last_close_end(&sys_kernel, &watch), !copies);
		close(fd);
		close(copy);
		close(other);
	}
}

/* A thread may have a descriptor table of its own. */
static void *
alone(void *result)
{
	int fd;

	cr_assert_eq(unshare(CLONE_FILES), 0);
	fd = fcntl(tcp_socket(), F_DUPFD_CLOEXEC, 700);
	*(bool *)result = gone(&sys_kernel, fd);
	return NULL;
}

CHECK(watch, goes_by_the_threads_own_descriptors)
{
	pthread_t thread;
	bool result = true;

	cr_assert_eq(pthread_create(&thread, NULL, alone, &result), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_not(result, "the other number is still there");
}

CHECK(watch, knows_nothing_where_it_may_not_look)
{
	struct kernel_refusing epoll =
		kernel_refusing(SYS_epoll_create1, -EMFILE, NULL);
	struct kernel_refusing add =
		kernel_refusing(SYS_epoll_ctl, -ENOSPC, NULL);
	struct kernel_refusing some[] = {
		kernel_refusing(SYS_openat, -EACCES, "/proc/"),
		kernel_refusing(SYS_read, -EIO, NULL),
	};

	cr_assert_not(gone(&epoll.ops, tcp_socket()));
	cr_assert_not(gone(&add.ops, tcp_socket()));
	for (int i = 0; i < 2; i++) {
		struct kernel_refusing kcmp =
			kernel_refusing(SYS_kcmp, -EPERM, NULL);

		/* Two refusals at once. */
		kcmp.behind = &some[i].ops;
		cr_assert_not(gone(&kcmp.ops, tcp_socket()));
		cr_assert_eq(kcmp.asked, 1);
		cr_assert_eq(some[i].asked, 1);
	}
}

/* A daemon closes all descriptors while another of its threads closes one. */
CHECK(watch, a_set_that_was_closed_by_others)
{
	struct last_close watch;
	int fd = tcp_socket();

	last_close_begin(&sys_kernel, fd, &watch);
	close(fd);
	close(watch.epoll);
	cr_assert_not(last_close_end(&sys_kernel, &watch));
	/* And its number is another file's. */
	cr_assert_eq(fcntl(0, F_DUPFD, watch.epoll), watch.epoll);
	cr_assert_not(last_close_end(&sys_kernel, &watch));
	cr_assert_geq(fcntl(watch.epoll, F_GETFD), 0);
	close(watch.epoll);
}
