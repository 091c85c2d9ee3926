/* SPDX-License-Identifier: MIT */
/*
 * A request about a persistent block is under way while that block ends and
 * another takes its place, with the same numbers:
 *
 *	meanwhile associate | join | drop  ROUNDS
 *
 * The asker has the right to the first block, by the last of so many groups
 * that the guard takes its time, and none to the second. Prints how often it
 * came so, and how often the asker was let in there, or ended it. Needs a guard
 * without blocks, and two processors.
 */
#include <arpa/inet.h>
#include <grp.h>
#include <portres.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES 8192 /* of a guard: all but two are filled */
#define FILLED 10000
#define BEFORE 8000 /* has the place before */
#define PORT 9000
#define GROUPS 1024 /* of a user, as many as a guard looks at */
#define ENOUGH 20

static struct {
	_Atomic int go, begun, taken, checked; /* the round */
	_Atomic int met, let_in;
} * shared;

static int what;

static int
tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
ask(int fd, int request, int owner, int port, unsigned gid)
{
	struct portres_guard block = {
		.token = 1,
		.fd = owner,
		.start_port = htons((uint16_t)port),
		.number_of_ports = 1,
		.gid = gid,
	};

	return setsockopt(fd, PORTRES_GUARD, request, &block, sizeof(block));
}

static int
hold(int port)
{
	int fd = tcp();

	if (ask(fd, PORTRES_GUARD_ACQUIRE, -1, port, 0) < 0 ||
	    ask(fd, PORTRES_GUARD_COMMIT, -1, port, 0) < 0)
		exit(3);
	return fd;
}

static void
wait_for(_Atomic int *round, int value)
{
	for (int i = 0; atomic_load(round) < value; i++)
		if (i > 100000)
			sched_yield();
}

/* Is the socket let in, or another by it? */
static int
is_let_in(int fd)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_port = htons(PORT)};
	int inside = what == PORTRES_GUARD_JOIN ? tcp() : dup(fd);
	int r = 0;

	if (what == PORTRES_GUARD_JOIN)
		r = ask(inside, PORTRES_GUARD_ASSOCIATE, fd, PORT, 0);
	if (r == 0 && what != PORTRES_GUARD_DROP)
		r = bind(inside, (struct sockaddr *)&here, sizeof(here));
	else
		r = -1;
	close(inside);
	return r == 0;
}

static void
asker(int rounds)
{
	static gid_t groups[GROUPS];

	/* The kernel sorts them. */
	for (gid_t i = 0; i < GROUPS; i++)
		groups[i] = i + 1;
	if (setgroups(GROUPS, groups) < 0 ||
	    setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		exit(3);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user has none */
	for (int round = 1; round <= rounds; round++) {
		int fd = tcp(), r;

		wait_for(&shared->go, round);
		atomic_store(&shared->begun, round);
		r = ask(fd, what, what == PORTRES_GUARD_JOIN ? fd : -1, PORT,
			0);
		if (r == 0 && atomic_load(&shared->taken) == round)
			atomic_fetch_add(&shared->met, 1);
		wait_for(&shared->taken, round);
		atomic_fetch_add(&shared->let_in, is_let_in(fd));
		close(fd);
		atomic_store(&shared->checked, round);
	}
	exit(0);
}

/* The block of others. */
static int
take(int fd)
{
	if (what == PORTRES_GUARD_JOIN)
		return ask(fd, PORTRES_GUARD_KEEP, -1, PORT,
			   PORTRES_GUARD_NOBODY);
	return ask(fd, PORTRES_GUARD_ACQUIRE, -1, PORT, 0);
}

static int
let_go(int fd)
{
	return ask(fd,
		   what == PORTRES_GUARD_JOIN ? PORTRES_GUARD_DROP
					      : PORTRES_GUARD_RELEASE,
		   -1, PORT, 0);
}

/* A guard looks for a free place behind the one that it took last. */
static void
play(int round)
{
	int fd = tcp();

	close(hold(BEFORE));
	if (ask(fd, PORTRES_GUARD_KEEP, -1, PORT, GROUPS) < 0)
		exit(3);
	close(hold(BEFORE));
	atomic_store(&shared->go, round);
	wait_for(&shared->begun, round);
	for (volatile int i = 0; i < round % 64 * 50; i++)
		;
	ask(fd, PORTRES_GUARD_DROP, -1, PORT, 0);
	if (take(fd) != 0)
		exit(3);
	atomic_store(&shared->taken, round);
	wait_for(&shared->checked, round);
	if (let_go(fd) != 0)
		atomic_fetch_add(&shared->let_in, 1);
	close(fd);
}

int
main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0, filler = tcp();
	pid_t pid;

	if (rounds == 0)
		return 2;
	what = strcmp(argv[1], "associate") == 0 ? PORTRES_GUARD_ASSOCIATE
	       : strcmp(argv[1], "join") == 0	 ? PORTRES_GUARD_JOIN
						 : PORTRES_GUARD_DROP;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	alarm(100);
	pid = fork();
	if (pid == 0)
		asker(rounds);
	for (int i = 0; i < PLACES - 2; i++)
		if (ask(filler, PORTRES_GUARD_ACQUIRE, -1, FILLED + i, 0) < 0)
			return 3;
	for (int round = 1; round <= rounds; round++) {
		play(round);
		if (atomic_load(&shared->met) >= ENOUGH)
			break;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%d %d\n", shared->met, shared->let_in);
	return 0;
}
