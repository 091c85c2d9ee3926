/* SPDX-License-Identifier: MIT */
/*
 * Kills at random moments.
 *
 *	storm_kill loop SECONDS FIRST PORTS SEED
 *		forks a child that reserves, binds and gives back in a circle,
 *		kills it at a random moment, takes its range at once, and again;
 *		at least 250 times, on slow machines too
 *	storm_kill fresh TIMES FIRST PORTS SEED DIRECTORY
 *		the same with a new image and a new pool each time, so that
 *		death also comes while the pool is being made
 *	storm_kill circle FIRST COUNT KIND TURNS
 *		the victim of `fresh`; 0 turns = for ever
 *
 * Prints "kills N", after a line for everything that went wrong.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "portres.h"

#define LONGEST_LIFE_NS 1000000
#define KILLS_LEAST 250

struct block {
	int start, count;
	int domain, type;
};

static int bad;

static void
wrong(const char *what, struct block block)
{
	printf("%s of %d+%d: %s\n", what, block.start, block.count,
	       strerror(errno));
	bad++;
}

static unsigned
dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
open_socket(struct block block)
{
	return socket(block.domain, block.type, 0);
}

static int
acquire(int fd, struct block block, uint64_t *token)
{
	struct portres_instance instance = {
		.start_port = htons((uint16_t)block.start),
		.number_of_ports = (uint16_t)block.count,
	};
	int r = ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &instance);

	*token = instance.token;
	return r;
}

static int
bind_to(int fd, struct block block, int port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in at4 = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port)};

	if (block.domain == AF_INET)
		return bind(fd, (struct sockaddr *)&at4, sizeof(at4));
	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

/* One turn; every answer of it is certain, whoever was killed before. */
static bool
turn(struct block block, unsigned way)
{
	int owner = open_socket(block), user = open_socket(block);
	int stranger = open_socket(block);
	int before = bad;
	uint64_t token;

	if (acquire(owner, block, &token) < 0)
		wrong("acquire", block);
	else if (ioctl(user, SIO_ASSOCIATE_PORT_RESERVATION, &token) < 0)
		wrong("associate", block);
	else if (bind_to(user, block, 0) < 0)
		wrong("bind inside", block);
	if (bind_to(stranger, block, block.start) == 0 || errno != EADDRINUSE)
		wrong("a stranger's bind", block);
	close(user);
	close(stranger);
	if (way % 3 == 0 && ioctl(owner, SIO_RELEASE_PORT_RESERVATION, &token))
		wrong("release", block);
	if (way % 3 == 1)
		syscall(SYS_close, owner);
	else
		close(owner);
	return bad == before;
}

static struct block
any_block(uint64_t *seed, int first, int ports)
{
	struct block block = {.count = 1 + (int)(dice(seed) % 20)};

	block.start = first + (int)(dice(seed) % (unsigned)(ports - 20));
	block.domain = dice(seed) % 2 ? AF_INET : AF_INET6;
	block.type = dice(seed) % 2 ? SOCK_STREAM : SOCK_DGRAM;
	return block;
}

static void
kill_later(pid_t child, unsigned long life)
{
	uint64_t end = now() + life;

	while (now() < end)
		;
	kill(child, SIGKILL);
}

/* A victim ends by the signal; one that ended by itself saw something. */
static void
bury(pid_t child, struct block block)
{
	int status;

	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		wrong("victim", block);
}

static long
loop(double seconds, int first, int ports, uint64_t seed)
{
	uint64_t end = now() + (uint64_t)(seconds * 1e9);
	long kills = 0;

	for (; (now() < end || kills < KILLS_LEAST) && !bad; kills++) {
		struct block block = any_block(&seed, first, ports);
		unsigned long life = dice(&seed) % LONGEST_LIFE_NS;
		pid_t child = fork();

		if (child == 0) {
			for (unsigned way = 0; turn(block, way); way++)
				;
			fflush(stdout);
			_exit(1);
		}
		kill_later(child, life);
		bury(child, block);
		/* Half of the time only one port of it: what else the victim
		 * left behind, nobody writes over. */
		if (dice(&seed) % 2)
			block.count = 1;
		turn(block, dice(&seed));
	}
	return kills;
}

static pid_t
run_circle(const char *pool, struct block block, const char *turns)
{
	char start[16], count[16], kind[16];
	pid_t child;

	snprintf(start, sizeof(start), "%d", block.start);
	snprintf(count, sizeof(count), "%d", block.count);
	snprintf(kind, sizeof(kind), "%d", block.type);
	child = fork();
	if (child == 0) {
		setenv("PORTRES_POOL", pool, 1);
		execl("/proc/self/exe", "storm_kill", "circle", start, count,
		      kind, turns, NULL);
		_exit(127);
	}
	return child;
}

static long
fresh(long times, int first, int ports, uint64_t seed, const char *directory)
{
	long kills = 0;

	for (; kills < times && !bad; kills++) {
		struct block block = any_block(&seed, first, ports);
		char pool[4096];
		pid_t child;
		int status;

		snprintf(pool, sizeof(pool), "%s/%ld", directory, kills);
		mkdir(pool, 0700);
		child = run_circle(pool, block, "0");
		kill_later(child, dice(&seed) % LONGEST_LIFE_NS);
		bury(child, block);
		child = run_circle(pool, block, "1");
		waitpid(child, &status, 0);
		if (status != 0)
			wrong("successor", block);
	}
	return kills;
}

static int
circle(struct block block, unsigned turns)
{
	for (unsigned way = 0; way != turns || turns == 0; way++)
		if (!turn(block, way))
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	long kills;

	if (argc == 6 && !strcmp(argv[1], "circle"))
		return circle((struct block){atoi(argv[2]), atoi(argv[3]),
					     AF_INET, atoi(argv[4])},
			      (unsigned)atoi(argv[5]));
	if (argc == 6 && !strcmp(argv[1], "loop"))
		kills = loop(atof(argv[2]), atoi(argv[3]), atoi(argv[4]),
			     strtoul(argv[5], NULL, 10));
	else if (argc == 7 && !strcmp(argv[1], "fresh"))
		kills = fresh(atol(argv[2]), atoi(argv[3]), atoi(argv[4]),
			      strtoul(argv[5], NULL, 10), argv[6]);
	else
		return 1;
	printf("kills %ld\n", kills);
	return bad != 0;
}
