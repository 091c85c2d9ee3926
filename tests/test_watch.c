/* SPDX-License-Identifier: MIT */
/* Was that the socket's last descriptor? A wrong "yes" ends a living block. */
#include "core/watch.h"

#include "core/lease.h"
#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

static uint64_t
token(uint32_t n)
{
	static uint64_t first;

	if (!first)
		first = books_sequence() << SLOT_BITS;
	return first + 2 * n;
}

static int
hold(int fd, uint64_t lease)
{
	uint32_t inode;

	return lease_hold(&sys_kernel, fd, lease, &inode);
}

/* Closes fd under watch: by the lease `lease` (0: none), lists long or not. */
static bool
gone(const struct sys_ops *sys, int fd, uint64_t lease, _Atomic bool *many)
{
	struct watch watch;

	watch_begin(sys, fd, lease, many, &watch);
	close(fd);
	return watch_end(sys, &watch, many);
}

/* The three ways: no lease known, few locks, many locks. */
static void
expect(bool wanted, int (*make)(void), void (*end)(int), const char *what)
{
	for (int way = 0; way < 3; way++) {
		_Atomic bool many = way == 2;
		uint64_t lease = token(0);
		int fd = tcp_socket(), other;

		cr_assert_eq(hold(fd, lease), 0);
		cr_assert_eq(dup2(fd, 500), 500);
		close(fd);
		other = make();
		cr_assert_eq(gone(&sys_kernel, 500, way ? lease : 0, &many),
			     wanted, "%s, way %d", what, way);
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

/* One read shows a part of a long list only, and the lease is in another. */
CHECK(watch, is_not_fooled_by_a_long_list)
{
	for (int locks = 10; locks <= 400; locks += 30) {
		_Atomic bool many = false;
		int fd = tcp_socket(), copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		int filler = tcp_socket();

		cr_assert_eq(hold(fd, token(0)), 0);
		for (int i = 0; i < locks; i++)
			cr_assert_eq(hold(filler, token(10 + (uint32_t)i)), 0);
		cr_assert_not(gone(&sys_kernel, fd, token(0), &many),
			      "%d other locks", locks);
		/* The lease is there: did the answer come from seeing it? */
		cr_assert(many || locks < 150, "%d other locks", locks);
		many = true;
		cr_assert(gone(&sys_kernel, copy, token(0), &many));
		close(filler);
	}
}

/* It was short when the close began, and is long when it has ended. */
CHECK(watch, is_not_blinded_by_a_list_that_grows)
{
	for (int copies = 0; copies < 2; copies++) {
		_Atomic bool many = false;
		int fd = tcp_socket(), filler = tcp_socket();
		int copy = copies ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		struct watch watch;

		cr_assert_eq(hold(fd, token(0)), 0);
		watch_begin(&sys_kernel, fd, token(0), &many, &watch);
		close(fd);
		for (uint32_t i = 0; i < 100; i++)
			cr_assert_eq(hold(filler, token(10 + i)), 0);
		cr_assert_eq(watch_end(&sys_kernel, &watch, &many), !copies);
		cr_assert(many);
		close(copy);
		close(filler);
	}
}

CHECK(watch, knows_nothing_where_it_may_not_look)
{
	struct kernel_refusing proc =
		kernel_refusing(SYS_openat, -EACCES, "/proc/");
	struct kernel_refusing epoll =
		kernel_refusing(SYS_epoll_create1, -EMFILE, NULL);
	struct kernel_refusing add =
		kernel_refusing(SYS_epoll_ctl, -ENOSPC, NULL);
	struct kernel_refusing read = kernel_refusing(SYS_read, -EIO, NULL);

	for (int many_locks = 0; many_locks < 2; many_locks++) {
		_Atomic bool many = many_locks;

		cr_assert_not(gone(&proc.ops, tcp_socket(), 0, &many));
		cr_assert_not(gone(&epoll.ops, tcp_socket(), 0, &many));
		cr_assert_not(gone(&add.ops, tcp_socket(), 0, &many));
		cr_assert_not(gone(&read.ops, tcp_socket(), 0, &many));
		cr_assert_not(gone(&proc.ops, tcp_socket(), token(0), &many));
		cr_assert_not(gone(&read.ops, tcp_socket(), token(0), &many));
	}
}
