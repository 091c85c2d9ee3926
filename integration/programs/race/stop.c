/* SPDX-License-Identifier: MIT */
/*
 * Members of two.c that are stopped at a moment of chance, and what the
 * acquirer makes of it.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stop.h"

#define STUCK_NS 10000000000u

struct watch *watch;

void
note_worst(_Atomic uint64_t *worst, uint64_t ns)
{
	if (ns > *worst)
		*worst = ns;
}

/* Until the acquirer has had so many answers; returns how long that was. */
static uint64_t
await_answers(uint64_t count)
{
	_Atomic uint64_t *done = &page->member[0].done[ANSWERED];
	uint64_t began = now(), end = *done + count;

	while (*done < end && now() - began < STUCK_NS && !page->over)
		sched_yield();
	if (now() - began >= STUCK_NS)
		wrong("the acquirer is stuck");
	return now() - began;
}

/* Is the stopped process about to ask, or inside the pool? The pool is open
 * then, and only then. */
static bool
in_pool(pid_t pid)
{
	char path[64], target[256];
	bool found = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target,
				       sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found |= strstr(target, "/pool-") != NULL;
	}
	if (dir)
		closedir(dir);
	return found;
}

void
stop_one(pid_t pid)
{
	int status;

	if (pid <= 0) /* to all, to kill() */
		return;
	kill(pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		wrong("not stopped: %#x", (unsigned)status);
	watch->stops++;
	/* A process that is stopped inside makes all wait: documented, not
	 * judged. */
	if (in_pool(pid)) {
		watch->inside++;
		kill(pid, SIGCONT);
		return;
	}
	/* One acquire may be under way already, one begins now. */
	note_worst(&watch->worst_stopped_ns, await_answers(2));
	kill(pid, SIGCONT);
	await_answers(2);
}
