/* SPDX-License-Identifier: MIT */
/* The lease lives exactly as long as the open socket, however that travels. */
#include "core/pool/lease.h"

#include "core/kernel/sock.h"
#include "tests/books.h"
#include "tests/kernel.h"
#include "tests/peer.h"
#include "tests/rig.h"

static struct pool_file *file;

/* A slot whose owning socket is `fd`, with its lease held. */
static struct slot *
owned_slot(int fd)
{
	struct slot *slot;

	if (!file) {
		file = books_new();
		file->header.sequence = books_sequence();
	}
	slot = books_add(file, PROTOCOL_TCP, 5000, 1);
	slot->fd = fd;
	slot->pid = (uint32_t)getpid();
	cr_assert_eq(sock_cookie(&sys_kernel, fd, &slot->cookie), 0);
	cr_assert_eq(lease_hold(&sys_kernel, fd, slot), 0);
	return slot;
}

static bool
alive(const struct slot *slot)
{
	return rig_alive(slot);
}

CHECK(lease, lives_from_hold_to_drop)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);

	cr_assert(alive(slot));
	lease_drop(&sys_kernel, fd, slot->token);
	cr_assert_not(alive(slot));
	lease_drop(&sys_kernel, fd, slot->token);
	cr_assert_eq(lease_hold(&sys_kernel, fd, slot), 0);
	cr_assert(alive(slot));
	close(fd);
	cr_assert_not(alive(slot));
}

CHECK(lease, drop_takes_one_off_and_leaves_the_others)
{
	int fd = tcp_socket();
	struct slot *a = owned_slot(fd), *b = owned_slot(fd);
	struct slot *c = owned_slot(fd);

	lease_drop(&sys_kernel, fd, b->token);
	cr_assert(alive(a) && !alive(b) && alive(c));
	close(fd);
	cr_assert(!alive(a) && !alive(c));
}

/*
 * Slot 8191 and then slot 0 gives tokens without a gap between them, and the
 * kernel joins adjoining locks of one socket into one.
 */
CHECK(lease, adjoining_tokens_live_on_their_own)
{
	int fd = tcp_socket();
	struct slot *last, *first;

	owned_slot(fd);
	file->header.slot_hint = SLOT_COUNT - 1;
	last = owned_slot(fd);
	file->header.slot_hint = 0;
	slot_free(file, &file->slot[0]);
	lease_drop(&sys_kernel, fd, file->slot[0].token);
	first = owned_slot(fd);
	cr_assert_eq(last - file->slot, SLOT_COUNT - 1);
	cr_assert_eq(first - file->slot, 0);
	cr_assert(alive(last));
	cr_assert(alive(first), "tokens %lx and %lx", last->token,
		  first->token);
	lease_drop(&sys_kernel, fd, last->token);
	cr_assert(alive(first) && !alive(last));
	close(fd);
}

CHECK(lease, follows_dup)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	close(fd);
	cr_assert(alive(slot));
	close(copy);
	cr_assert_not(alive(slot));
}

CHECK(lease, follows_fork)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		child_assert(alive(slot));
		peer_hear(&peer);
		child_assert(alive(slot));
		_exit(0);
	}
	close(fd);
	cr_assert(alive(slot));
	peer_tell(&peer);
	peer_verdict(peer_end(&peer));
	cr_assert_not(alive(slot));
}

CHECK(lease, ends_with_a_killed_process)
{
	struct peer peer;
	struct slot *slot;
	int fd = tcp_socket();

	slot = owned_slot(fd);
	peer = peer_fork();
	if (peer.pid == 0) {
		peer_tell(&peer);
		pause();
		_exit(0);
	}
	close(fd);
	cr_assert(peer_hear(&peer));
	cr_assert(alive(slot));
	peer_kill(&peer);
	cr_assert_not(alive(slot));
}

CHECK(lease, follows_an_inherited_descriptor_through_exec)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);
	struct peer peer = peer_fork();
	char c;

	if (peer.pid == 0) {
		dup2(fd, 99); /* without close-on-exec */
		dup2(peer.in, 0);
		dup2(peer.out, 1);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	close(fd);
	/* cat answers: the new program is there, the old copies are gone. */
	peer_tell(&peer);
	cr_assert_eq(read(peer.in, &c, 1), 1);
	cr_assert(alive(slot));
	peer_verdict(peer_end(&peer));
	cr_assert_not(alive(slot));
}

CHECK(lease, ends_at_exec_of_a_close_on_exec_socket)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);
	struct peer peer = peer_fork();
	char c;

	if (peer.pid == 0) {
		dup2(peer.in, 0);
		dup2(peer.out, 1);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	close(fd);
	peer_tell(&peer);
	cr_assert_eq(read(peer.in, &c, 1), 1);
	cr_assert_not(alive(slot));
	peer_verdict(peer_end(&peer));
}

/* Neither a process nor a descriptor has the socket: a message does. */
CHECK(lease, lives_in_a_message_in_flight)
{
	char room[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int pair[2], fd = tcp_socket();
	struct slot *slot = owned_slot(fd);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	cr_assert_eq(sendmsg(pair[0], &message, 0), 1);
	close(fd);
	cr_assert(alive(slot));
	cr_assert_eq(lease_holder(&sys_kernel, slot), -ENOENT);
	close(pair[0]);
	cr_assert(alive(slot));
	cr_assert_eq(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC), 1);
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	cr_assert(alive(slot));
	close(fd);
	cr_assert_not(alive(slot));
	close(pair[1]);
}

CHECK(lease, a_socket_may_have_many)
{
	enum { N = 300 };
	int fd = tcp_socket();
	struct slot *slot[N];

	for (int i = 0; i < N; i++)
		slot[i] = owned_slot(fd);
	for (int i = 0; i < N; i += 13)
		cr_assert(alive(slot[i]), "the %dth", i);
	for (int i = 1; i < N; i += 2)
		lease_drop(&sys_kernel, fd, slot[i]->token);
	for (int i = 0; i < N; i += 7)
		cr_assert_eq(alive(slot[i]), i % 2 == 0, "the %dth", i);
	close(fd);
	cr_assert_not(alive(slot[0]));
}

/* A kernel that a writer is quicker than: while it is asked where the socket
 * is, the slot is picked anew, for a block that its guard does not have yet. */
struct kernel_overtaken {
	struct sys_ops ops;
	struct slot *slot;
	int asked;
};

static long
overtaken(const struct sys_ops *sys, long nr, const long arg[6])
{
	struct kernel_overtaken *self = (struct kernel_overtaken *)(void *)sys;

	if (nr == SYS_readlinkat) {
		uint64_t token = atomic_load(&self->slot->token);

		atomic_store(&self->slot->token,
			     token + ((uint64_t)2 << TOKEN_SHIFT));
	}
	if (nr != SYS_setsockopt)
		return kernel_real(nr, arg);
	self->asked++;
	return -ENOENT;
}

CHECK(lease, a_slots_successor_is_not_asked_about)
{
	int fd = tcp_socket();
	struct slot *slot = owned_slot(fd);
	struct kernel_overtaken kernel = {{.call = overtaken}, slot, 0};

	slot->fd = 700; /* it has moved */
	atomic_store(&slot->guard, 5);
	cr_assert_eq(lease_judge(&kernel.ops, &rig_forks, file), 0);
	cr_assert_not(slot_is_dead(slot));
	cr_assert_eq(kernel.asked, 0);
	close(fd);
}
