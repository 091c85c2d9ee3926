/* SPDX-License-Identifier: MIT */
/*
 * Races for a guarded block.
 *
 * racer spin SECONDS: acquires while three processes bind its ports all the
 * time, so long, and until it got the block 101 times; says how often it did,
 * and how often one of them had a port of it then, or its owner could not bind
 * one. A bind that began before the block did may have the port for as long as
 * the kernel takes to refuse it: the owner tries again once those have ended,
 * and fails for no other reason.
 *
 * racer overlap ROUNDS: eight processes ask for blocks that overlap; says the
 * rounds, the winners, and the most of one round.
 */
#include <arpa/inet.h>
#include <portres.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST 6000
#define PORTS 4
#define RACERS 8
#define STRANGERS 3

static struct {
	atomic_bool lives;	       /* the block */
	atomic_long had;	       /* by a stranger then */
	atomic_ulong binds[STRANGERS]; /* odd: one is under way */
} * common;

static int
ask(int fd, int what, int owner)
{
	struct portres_guard request = {
		.token = 7,
		.fd = owner,
		.start_port = htons(FIRST),
		.number_of_ports = PORTS,
	};

	return setsockopt(fd, PORTRES_GUARD, what, &request, sizeof(request));
}

/* Binds a socket to it, and closes it. */
static int
try(int port, int owner)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	int r = owner >= 0 ? ask(fd, PORTRES_GUARD_ASSOCIATE, owner) : 0;

	if (r == 0)
		r = bind(fd, (struct sockaddr *)&any, sizeof(any));
	close(fd);
	return r;
}

static void
spin_alone(int self)
{
	for (unsigned k = 0;; k++) {
		struct sockaddr_in here = {
			.sin_family = AF_INET,
			.sin_port = htons((uint16_t)(FIRST + k % PORTS)),
		};
		int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, r;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		common->binds[self]++;
		r = bind(fd, (struct sockaddr *)&here, sizeof(here));
		common->binds[self]++;
		if (r == 0) {
			common->had += common->lives;
			for (volatile unsigned j = 0; j < k % 64 * 40; j++)
				;
		}
		close(fd);
	}
}

static int
all(int owner)
{
	int lost = 0;

	for (int i = 0; i < PORTS; i++)
		lost += try(FIRST + i, owner) < 0;
	return lost;
}

/* Attempts under way when the block began have ended, once and for all. Was
 * there any? */
static bool
wait_for(unsigned long *binds)
{
	bool any = false;

	for (int i = 0; i < STRANGERS; i++) {
		any |= binds[i] % 2;
		while (binds[i] % 2 && common->binds[i] == binds[i])
			;
		binds[i] = 0;
	}
	return any;
}

/* How many ports the owner lacks, although no bind is older than the block. */
static int
lacks(int owner, unsigned long *binds)
{
	int lost = all(owner);

	return lost && wait_for(binds) ? all(owner) : lost;
}

static int
spin(int seconds)
{
	time_t end = time(NULL) + seconds;
	long got = 0, violations = 0;
	pid_t strangers[STRANGERS];

	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < STRANGERS; i++)
		if ((strangers[i] = fork()) == 0)
			spin_alone(i);
	while (time(NULL) < end || got <= 100) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		unsigned long binds[STRANGERS];

		if (ask(fd, PORTRES_GUARD_ACQUIRE, -1) < 0)
			return 1;
		for (int i = 0; i < STRANGERS; i++)
			binds[i] = common->binds[i];
		if (all(-1) == 0) {
			ask(fd, PORTRES_GUARD_COMMIT, -1);
			got++;
			common->lives = true;
			for (int i = 0; i < 20; i++)
				violations += lacks(fd, binds);
			common->lives = false;
		}
		close(fd);
	}
	for (int i = 0; i < STRANGERS; i++) {
		kill(strangers[i], SIGKILL);
		waitpid(strangers[i], NULL, 0);
	}
	printf("%ld %ld\n", got, violations + common->had);
	return 0;
}

static int
overlap(int rounds)
{
	struct {
		pthread_barrier_t barrier;
		int winners[RACERS];
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t between;
	int total = 0, most = 0;
	int self = 0;

	pthread_barrierattr_init(&between);
	pthread_barrierattr_setpshared(&between, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &between, RACERS);
	for (int i = 1; i < RACERS && self == 0; i++)
		if (fork() == 0)
			self = i;
	for (int round = 0; round < rounds; round++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		pthread_barrier_wait(&shared->barrier);
		shared->winners[self] = ask(fd, PORTRES_GUARD_ACQUIRE, -1) == 0;
		pthread_barrier_wait(&shared->barrier);
		if (self == 0) {
			int n = 0;

			for (int i = 0; i < RACERS; i++)
				n += shared->winners[i];
			total += n;
			most = n > most ? n : most;
		}
		close(fd);
		pthread_barrier_wait(&shared->barrier);
	}
	if (self)
		_exit(0);
	while (wait(NULL) > 0)
		;
	printf("%d %d %d\n", rounds, total, most);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	return strcmp(argv[1], "spin") == 0 ? spin(atoi(argv[2]))
					    : overlap(atoi(argv[2]));
}
