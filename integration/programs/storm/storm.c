/* SPDX-License-Identifier: MIT */
/*
 *	storm processes|threads FIRST SECONDS
 *
 * Eight members do what chance says with the 64 ports from FIRST on: acquire,
 * associate, bind, listen, connect, send, release, fork, close. Processes are
 * killed and begun anew meanwhile. Each checks after every success that nobody
 * else believes to have the port. At the end, when all are gone, both windows
 * are acquired as a whole. Says what was done, "name number" a line, after a
 * line for everything that was wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

static void *
thread_main(void *me)
{
	work(me);
	return NULL;
}

/* Takes connections and ends them; the clients keep their ports until they
 * close, because a peer that is gone does not close them. */
static pid_t
serve(void)
{
	int fd = open_socket(AF_INET6, 0);
	pid_t pid;

	if (bind_to(fd, AF_INET6, false, SERVER) < 0 || listen(fd, 100) < 0)
		wrong("server: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pid == 0)
		close(accept(fd, NULL, NULL));
	close(fd);
	return pid;
}

static void
run_processes(uint64_t end)
{
	struct member chance = {.seed = now()};
	pid_t pid[MEMBERS];
	long kills = 0;

	for (int i = 0; i < MEMBERS; i++)
		pid[i] = member_fork(&page->member[i], work);
	for (; now() < end && !page->over; kills++) {
		unsigned i = dice(&chance, MEMBERS);

		pass(dice(&chance, 60000000));
		member_kill(&page->member[i], pid[i]);
		pid[i] = member_fork(&page->member[i], work);
	}
	page->over = true;
	printf("kills %ld\n", kills);
}

static void
run_threads(uint64_t end)
{
	pthread_t thread[MEMBERS];

	for (int i = 0; i < MEMBERS; i++)
		if (pthread_create(&thread[i], NULL, thread_main,
				   &page->member[i]))
			wrong("pthread_create");
	while (now() < end && !page->over)
		pass(10000000);
	page->over = true;
	for (int i = 0; i < MEMBERS; i++)
		pthread_join(thread[i], NULL);
}

static void
take_all(int protocol)
{
	int fd = open_socket(AF_INET, protocol);
	struct portres_instance block;
	uint64_t began = now();

	if (acquire(fd, first, WINDOW, &block) < 0)
		wrong("all of %s: %s", protocol ? "udp" : "tcp",
		      strerror(errno));
	printf("all-%s-us %lu\n", protocol ? "udp" : "tcp",
	       (now() - began) / 1000);
	close(fd);
}

static void
tell(void)
{
	for (int d = 0; d < DEED_COUNT; d++) {
		uint64_t n = 0;

		for (int i = 0; i < MEMBERS; i++)
			n += page->member[i].done[d];
		printf("%s %lu\n", deeds[d], n);
	}
}

int
main(int argc, char **argv)
{
	uint64_t end;
	pid_t server;

	if (argc != 4)
		return 2;
	page_make();
	first = atoi(argv[2]);
	for (int i = 0; i < MEMBERS; i++)
		page->member[i].seed = now() + (uint64_t)i;
	end = now() + (uint64_t)(atof(argv[3]) * 1e9);
	/* The children of the killed become ours, to be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	server = serve();
	if (argv[1][0] == 't')
		run_threads(end);
	else
		run_processes(end);
	if (server > 0)
		kill(server, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	take_all(0);
	take_all(1);
	tell();
	return page->wrong != 0;
}
