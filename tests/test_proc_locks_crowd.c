/* SPDX-License-Identifier: MIT */
/*
 * The real /proc/locks with 20,000 locks of others, of which a thousand come
 * and go all the time: who is killed is gone, who lives is there.
 */
#include "core/kernel/proc_locks.h"

#include <sys/resource.h>

#include "tests/locks_stay.h"
#include "tests/peer.h"

#define QUIET 20000
#define EACH 100 /* on one socket: the kernel looks through all of a file's */
#define TIMES 10
#define ENOUGH_NS 15000000000u

/* Takes a thousand locks and drops them at once, and again. */
static void
take_and_drop(const struct peer *peer)
{
	int flags = fcntl(peer->in, F_GETFL);

	child_assert(fcntl(peer->in, F_SETFL, flags | O_NONBLOCK) == 0);
	peer_tell(peer);
	while (!peer_hear(peer)) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		for (uint32_t n = 0; n < 1000; n++)
			child_assert(hold(fd, token(100000 + n)) == 0);
		close(fd);
	}
}

/* Holds one lease until it is killed. */
static struct peer
owner(uint64_t lease)
{
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		child_assert(hold(tcp_socket(), lease) == 0);
		peer_tell(&peer);
		peer_hear(&peer);
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	return peer;
}

static void
make_crowd(int *fd)
{
	const struct rlimit many = {4096, 4096};

	setrlimit(RLIMIT_NOFILE, &many);
	for (uint32_t i = 0; i < QUIET / EACH; i++) {
		fd[i] = tcp_socket();
		for (uint32_t n = 0; n < EACH; n++)
			cr_assert_eq(hold(fd[i], token(200000 + i * EACH + n)),
				     0);
	}
}

CHECK(locklist_crowd, tells_the_dead_from_the_living)
{
	uint64_t began = sys_clock(&sys_kernel, CLOCK_MONOTONIC);
	int *crowd = calloc(QUIET / EACH, sizeof(*crowd));
	struct peer busy = peer_fork();
	int fd = stay();

	if (busy.pid == 0) {
		take_and_drop(&busy);
		_exit(0);
	}
	cr_assert(peer_hear(&busy));
	make_crowd(crowd);
	for (uint32_t i = 0; i < TIMES; i++) {
		struct seen seen = {.first = token(0)};
		struct seen dead = {.first = token(1000 + 2 * STAY * i)};
		struct seen *both[] = {&seen, &dead, NULL};
		struct peer victim = owner(dead.first);

		peer_kill(&victim);
		cr_assert_eq(proc_locks_read(&sys_kernel, NULL, note_all, both),
			     0);
		cr_assert_eq(missing(&seen), 0, "%u", missing(&seen));
		cr_assert_eq(dead.times[0], 0);
		if (sys_clock(&sys_kernel, CLOCK_MONOTONIC) - began > ENOUGH_NS)
			break;
	}
	peer_tell(&busy);
	peer_verdict(peer_end(&busy));
	for (uint32_t i = 0; i < QUIET / EACH; i++)
		close(crowd[i]);
	free(crowd);
	close(fd);
}
