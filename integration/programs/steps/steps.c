/* SPDX-License-Identifier: MIT */
/*
 *	race_steps tcp|udp PORT [COUNT]
 *
 * A child binds PORT, or with COUNT leaves the choice to the system, whose
 * ephemeral range must be that many ports from PORT on; it is held at its first
 *system call on the way, then, in another child, at the second, and so on; each
 *time the ports are acquired before it may go on. Says for each what came of
 *it, "acquire bind" by errno.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portres.h"

static int type, port, count = 1, bound;
static struct portres_instance block;

static int
acquire(int fd)
{
	block = (struct portres_instance){
		.start_port = htons((uint16_t)port),
		.number_of_ports = (uint16_t)count,
	};
	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0 ? errno : 0;
}

/* In words: where a close ends a block, the next bind looks twice. */
static void
give_back(int fd)
{
	ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token);
	close(fd);
}

static int
bind_it(int fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)bound)};

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

/* The child, about to bind. */
static pid_t
binder(void)
{
	int status, fd = socket(AF_INET, type, 0);
	pid_t child = fork();

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(255);
		raise(SIGSTOP);
		_exit(bind_it(fd));
	}
	close(fd);
	waitpid(child, &status, 0);
	if (!WIFSTOPPED(status))
		exit(3);
	return child;
}

/* One step: to a system call, or out of it. False when it is the child's end.
 */
static int
step(pid_t child, int *ret_status)
{
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	waitpid(child, ret_status, 0);
	return WIFSTOPPED(*ret_status);
}

int
main(int argc, char **argv)
{
	int status = 0, owner, answer;

	if (argc != 3 && argc != 4)
		return 2;
	type = strcmp(argv[1], "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	bound = port = atoi(argv[2]);
	if (argc == 4) {
		count = atoi(argv[3]);
		bound = 0;
	}
	/* Work that is done only once has been done. */
	owner = socket(AF_INET, type, 0);
	acquire(owner);
	give_back(owner);
	for (int steps = 1;; steps++) {
		pid_t child = binder();

		for (int i = 0; i < steps; i++)
			if (!step(child, &status))
				return 0;
		owner = socket(AF_INET, type, 0);
		answer = acquire(owner);
		ptrace(PTRACE_DETACH, child, NULL, NULL);
		waitpid(child, &status, 0);
		printf("%d %d\n", answer, WEXITSTATUS(status));
		give_back(owner);
	}
}
