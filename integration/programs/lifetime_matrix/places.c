/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "places.h"

extern char **environ;

/* A pipe that ends when this process lets it. */
struct gate {
	int wait, open;
};

static struct gate
gate(void)
{
	int ends[2];

	MUST(pipe(ends));
	MUST(fcntl(ends[1], F_SETFD, FD_CLOEXEC));
	return (struct gate){ends[0], ends[1]};
}

void
gate_wait(int fd)
{
	char c;

	if (read(fd, &c, 1) != 0)
		fail("gate");
	close(fd);
}

/* The words of a new image's command line. */
struct image {
	char number[5][24];
	char *argument[12];
};

static void
image_of(const char *what, struct copy copy, int wait, struct image *ret)
{
	char *argument[] = {"lifetime_matrix", (char *)what,
			    (char *)row.where, (char *)row.dup,
			    (char *)row.close, NULL};
	int n = 5;

	memcpy(ret->argument, argument, sizeof(argument));
	for (int i = 0; i < 5; i++)
		ret->argument[n++] = ret->number[i];
	ret->argument[n] = NULL;
	snprintf(ret->number[0], 24, "%d", row.start);
	snprintf(ret->number[1], 24, "%d", row.count);
	snprintf(ret->number[2], 24, "%lu", (unsigned long)row.token);
	snprintf(ret->number[3], 24, "%d,%d,%d", copy.fd, copy.pair[0],
		 copy.pair[1]);
	snprintf(ret->number[4], 24, "%d", wait);
}

void
become(const char *what, struct copy copy)
{
	struct image image;

	image_of(what, copy, -1, &image);
	execv("/proc/self/exe", image.argument);
	fail("exec");
}

static void
wait_for(pid_t child)
{
	int status;

	MUST(waitpid(child, &status, 0));
	if (status != 0)
		fail("child");
}

/* Our copy goes, the other process' stays. */
static void
leave(int fd)
{
	close_by(fd);
	expect_owner(EACCES);
	step("left");
	expect_owner(EACCES);
}

void
by_fork(int fd)
{
	struct gate g = gate();
	pid_t child;

	MUST(child = fork());
	if (child == 0) {
		close(g.open);
		gate_wait(g.wait);
		hold(fd);
		_exit(0);
	}
	leave(fd);
	close(g.open);
	wait_for(child);
}

void
by_fork_child_first(int fd)
{
	pid_t child;

	MUST(child = fork());
	if (child == 0) {
		vanish(fd);
		expect_owner(EACCES);
		_exit(0);
	}
	wait_for(child);
	step("left");
	hold(fd);
}

void
by_vfork(int fd)
{
	pid_t child;

	MUST(child = vfork());
	if (child == 0) {
		vanish(fd);
		_exit(0);
	}
	wait_for(child);
	step("left");
	hold(fd);
}

/* As Python's subprocess with pass_fds. */
void
by_vfork_exec(int fd)
{
	struct copy self = {fd, {-1, -1}};
	struct gate g = gate();
	struct image image;
	pid_t child;

	image_of("hold", self, g.wait, &image);
	MUST(child = vfork());
	if (child == 0) {
		fcntl(fd, F_SETFD, 0);
		close_range((unsigned)fd + 1, ~0u, 0);
		execv("/proc/self/exe", image.argument);
		_exit(127);
	}
	leave(fd);
	close(g.open);
	wait_for(child);
}

void
by_spawn(int fd)
{
	struct copy moved = {SPAWN_COPY, {-1, -1}};
	struct gate g = gate();
	posix_spawn_file_actions_t actions;
	struct image image;
	pid_t child;

	image_of("hold", moved, g.wait, &image);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, SPAWN_COPY);
	posix_spawn_file_actions_addclose(&actions, fd);
	errno = posix_spawn(&child, "/proc/self/exe", &actions, NULL,
			    image.argument, environ);
	MUST(-errno);
	leave(fd);
	close(g.open);
	wait_for(child);
}
