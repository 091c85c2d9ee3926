/* SPDX-License-Identifier: MIT */
/*
 * A second process that a test talks to by single bytes. No test sleeps: who
 * must be somewhere first says so.
 */
#ifndef PORTRES_TESTS_PEER_H
#define PORTRES_TESTS_PEER_H

#include <sys/prctl.h>

#include "tests/check.h"

struct peer {
	pid_t pid; /* 0 in the child */
	int in, out;
};

static inline struct peer
peer_fork(void)
{
	int down[2], up[2];
	struct peer peer;

	cr_assert_eq(pipe2(down, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(up, O_CLOEXEC), 0);
	peer.pid = fork();
	cr_assert_geq(peer.pid, 0);
	if (peer.pid == 0) {
		/* A test that fails does not come to end us. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(down[1]);
		close(up[0]);
		peer.in = down[0];
		peer.out = up[1];
	} else {
		close(down[0]);
		close(up[1]);
		peer.in = up[0];
		peer.out = down[1];
	}
	return peer;
}

static inline void
peer_tell(const struct peer *peer)
{
	ssize_t n = write(peer->out, "!", 1);

	(void)n;
}

/* Waits for the other's word; false when it is gone instead. */
static inline bool
peer_hear(const struct peer *peer)
{
	char c;
	ssize_t n;

	do
		n = read(peer->in, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Waits for the child's end and returns its status. */
static inline int
peer_end(const struct peer *peer)
{
	int status;

	close(peer->out);
	while (waitpid(peer->pid, &status, 0) < 0)
		cr_assert_eq(errno, EINTR);
	close(peer->in);
	return status;
}

static inline void
peer_kill(const struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	cr_assert_eq(peer_end(peer), SIGKILL);
}

/* Was what the child found right? Its exit code says so: 0. */
#define peer_verdict(end)                                                      \
	do {                                                                   \
		int status_ = (end);                                           \
                                                                               \
		cr_assert(WIFEXITED(status_) && WEXITSTATUS(status_) == 0,     \
			  "the child ended with %#x", (unsigned)status_);      \
	} while (0)

/* An assertion for children: Criterion's would unwind into the runner. */
#define child_assert(condition)                                                \
	do {                                                                   \
		if (!(condition))                                              \
			_exit(__LINE__ % 255 + 1);                             \
	} while (0)

#endif
