/* SPDX-License-Identifier: MIT */
/*
 * A child that can be held before any of its instructions: between any two a
 * death, a signal or another processor may come.
 */
#ifndef PORTRES_TESTS_STEPS_H
#define PORTRES_TESTS_STEPS_H

#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "tests/peer.h"

/* Memory that parent and child see. */
static inline void *
steps_shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	return at;
}

/* Says the child: what comes now is what counts. */
static inline void
steps_begin(void)
{
	child_assert(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	raise(SIGSTOP);
}

/* Each step wakes the other one: on one processor that is quick. */
static inline void
steps_stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

/* The child, as soon as `what` has said steps_begin(). */
static inline pid_t
steps_fork(void (*what)(void *), void *context)
{
	pid_t pid;
	int status;

	steps_stay_here();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		what(context);
		_exit(0);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		SKIP("ptrace is not allowed here");
	return pid;
}

/* So many instructions on; false when the child has come to its end. */
static inline bool
steps_go(pid_t pid, int steps)
{
	int status;

	while (steps-- > 0) {
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			peer_verdict(status);
			return false;
		}
	}
	return true;
}

static inline void
steps_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
}

/* The first step after which it is so. Each further one costs 10 us, so tests
 * begin not far from there. */
static inline int
steps_until(bool (*is_so)(const void *), void (*what)(void *), void *context)
{
	pid_t pid = steps_fork(what, context);
	int steps = 0;

	do {
		cr_assert(steps_go(pid, 1), "never, in %d steps", steps);
		steps++;
	} while (!is_so(context));
	steps_kill(pid);
	return steps;
}

#define STEPS_BEFORE 60 /* that much comes before it, in any build */

/* Lets it go to its end. */
static inline void
steps_let_go(pid_t pid)
{
	int status;

	cr_assert_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	peer_verdict(status);
}

#endif
