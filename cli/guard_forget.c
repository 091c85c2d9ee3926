/* SPDX-License-Identifier: MIT */
#include "cli/guard_forget.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "cli/guard.h"
#include "cli/guard_adopt.h"
#include "core/kernel/guard.h"

struct search {
	struct block block;
	bool found;
};

static void
see(void *context, const struct guard_block *one)
{
	struct search *search = context;
	const struct block *block = &search->block;

	search->found |= one->state == GUARD_KEPT &&
			 one->udp == (block->protocol == PROTOCOL_UDP) &&
			 one->start == block->range.start &&
			 one->count == block->range.count;
}

static bool
has(const char *pins, struct block block, char cgroup[PATH_MAX])
{
	struct search search = {.block = block};
	struct guard_pinned pinned;

	if (guard_open(pins, &pinned) < 0)
		return false;
	/* Persistent blocks are in that namespace, and in no other. */
	if (pinned.config.store_namespace == guard_namespace())
		guard_each_block(&pinned, see, &search);
	guard_close(&pinned);
	snprintf(cgroup, PATH_MAX, "%s", pinned.config.cgroup);
	return search.found;
}

#define TRIES 2000
#define TRY_NS 1000000

/* The cgroup may be frozen, and then its processes do not go on. */
static void
wait_for(pid_t child)
{
	for (int i = 0; i < TRIES; i++) {
		if (waitpid(child, NULL, WNOHANG) != 0)
			return;
		sys_nanosleep(&sys_kernel, TRY_NS);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* By a process of its own, whose socket is made in that cgroup. */
static void
drop_in(const char *cgroup, struct block block)
{
	struct guarded guarded = {.token = GUARDED_KEPT,
				  .kept = true,
				  .protocol = block.protocol,
				  .range = block.range};
	int type = block.protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	pid_t child = fork();
	int fd;

	if (child == 0) {
		if (guard_adopt_join(cgroup) &&
		    (fd = socket(AF_INET, type | SOCK_CLOEXEC, 0)) >= 0)
			guard_drop(&sys_kernel, fd, &guarded);
		_exit(0);
	}
	if (child > 0) {
		wait_for(child);
		guard_adopt_left(cgroup, child);
	}
}

bool
guard_forget(struct block block)
{
	DIR *guards = opendir(GUARD_PINS);
	char pins[PATH_MAX], cgroup[PATH_MAX];
	struct dirent *entry;
	bool done = true;

	while (guards && (entry = readdir(guards))) {
		snprintf(pins, sizeof(pins), GUARD_PINS "/%s", entry->d_name);
		if (*entry->d_name < '0' || *entry->d_name > '9' ||
		    !has(pins, block, cgroup))
			continue;
		drop_in(cgroup, block);
		done &= !has(pins, block, cgroup);
	}
	if (guards)
		closedir(guards);
	return done;
}
