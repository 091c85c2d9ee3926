/* SPDX-License-Identifier: MIT */
/*
 * The real /proc/locks with a lock that many wait for. In a program of its
 * own, because such a lock is in everybody's way.
 */
#include "core/kernel/proc_locks.h"

#include <sched.h>

#include "tests/locks_stay.h"
#include "tests/peer.h"

#define WAITERS_MAX 120

/* Waits until so many lines of the list are those of waiters for `inode`. */
static void
await_waiters(ino_t inode, int wanted)
{
	char needle[32], line[512];
	int n = 0;

	snprintf(needle, sizeof(needle), ":%lu 0 EOF", (unsigned long)inode);
	while (n < wanted) {
		FILE *list = fopen("/proc/locks", "re");

		for (n = 0; fgets(line, sizeof(line), list);)
			n += strstr(line, "-> ") && strstr(line, needle);
		fclose(list);
		sched_yield();
	}
}

/* A file with a lock, and as many processes that want it. */
static int
make_popular(struct peer *peer, int waiters)
{
	char path[128];
	struct stat st;
	int file;

	snprintf(path, sizeof(path), "%s/popular", temp_dir());
	file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	cr_assert_eq(fstat(file, &st), 0);
	cr_assert_eq(flock(file, LOCK_EX), 0);
	for (int i = 0; i < waiters; i++) {
		peer[i] = peer_fork();
		if (peer[i].pid == 0) {
			file = open(path, O_RDWR | O_CLOEXEC);
			flock(file, LOCK_EX);
			_exit(0);
		}
	}
	await_waiters(st.st_ino, waiters);
	return file;
}

static void
check_behind(int waiters)
{
	struct peer peer[WAITERS_MAX];
	int fd = stay();
	int file = make_popular(peer, waiters);
	int filler = tcp_socket();
	int read = 0, wrong = 0;

	/* The record of the popular lock moves over all of a page. */
	for (uint32_t i = 0; i < 80; i++) {
		struct seen seen = {.first = token(0)};

		cr_assert_eq(hold(filler, token(500 + i)), 0);
		if (i % 4)
			continue;
		if (proc_locks_read(&sys_kernel, NULL, note, &seen) < 0)
			continue;
		read++;
		wrong += missing(&seen) > 0;
	}
	for (int i = 0; i < waiters; i++)
		peer_kill(&peer[i]);
	close(filler);
	close(file);
	close(fd);
	cr_expect_eq(wrong, 0, "%d waiters: %d of %d lists ended too early",
		     waiters, wrong, read);
	/* A list that cannot be read counts as alive. */
	cr_expect(read >= 20, "%d waiters: %d of 20 were read", waiters, read);
}

/*
 * A lock and all who wait for it are one record of the list. One that does
 * not fit on a page any more ends the page early, and not the list.
 */
CHECK(locklist_waiters, hide_no_lock_behind_theirs)
{
	cpu_set_t one;

	/* One CPU, one list: what was locked last stands first. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	check_behind(1);
	check_behind(12);
	check_behind(30);
	check_behind(45);
	check_behind(WAITERS_MAX);
}
