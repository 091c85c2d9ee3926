/* SPDX-License-Identifier: MIT */
/* The same against the real /proc/locks, which everybody here changes. */
#include "core/kernel/proc_locks.h"

#include "tests/locks_stay.h"
#include "tests/peer.h"

/* Takes and drops locks on sockets of its own until it is told to end, and
 * works a little in between, as programs with locks do. */
static void
disturb(const struct peer *peer)
{
	static char work[1 << 20];
	struct dice dice = dice_from(22);
	int fd[20], flags = fcntl(peer->in, F_GETFL);
	uint64_t next = token(1000);

	for (int i = 0; i < 20; i++)
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
	child_assert(fcntl(peer->in, F_SETFL, flags | O_NONBLOCK) == 0);
	peer_tell(peer);
	while (!peer_hear(peer)) {
		uint32_t i = dice_below(&dice, 20);

		for (int n = 0; n < 5; n++)
			hold(fd[i], next += 2);
		i = dice_below(&dice, 20);
		close(fd[i]); /* all its locks at once */
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		memset(work, (int)i, sizeof(work));
		__asm__ volatile("" : : "r"(work) : "memory");
	}
}

CHECK(locklist_real, no_gaps_while_locks_come_and_go)
{
	int fd = stay(), complete = 0;
	struct peer peer = peer_fork();

	if (peer.pid == 0) {
		disturb(&peer);
		_exit(0);
	}
	cr_assert(peer_hear(&peer));
	for (int round = 0; round < 25; round++) {
		struct seen seen = {.first = token(0)};

		if (proc_locks_read(&sys_kernel, NULL, note, &seen) < 0)
			continue;
		complete++;
		cr_assert_eq(missing(&seen), 0, "round %d: %u", round,
			     missing(&seen));
	}
	cr_assert_gt(complete, 2);
	peer_tell(&peer);
	peer_verdict(peer_end(&peer));
	close(fd);
}
