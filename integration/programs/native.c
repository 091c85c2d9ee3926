/* SPDX-License-Identifier: MIT */
/*
 * The native API by hand: one call a line of stdin, one line of answer, a
 * number or the name of errno. Includes nothing of ours but portres.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <portres.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CALM 77 /* errno before each call: a success leaves it alone */

static int last; /* errno of the call before */

static void
answer(long long r)
{
	if (r < 0)
		last = errno;
	if (r < 0)
		puts(strerrorname_np(last));
	else
		printf("%lld\n", r);
}

static long long
calm(long long r)
{
	if (r >= 0 && errno != CALM)
		printf("errno %d after ", errno);
	return r;
}

/* A page that is not there. */
static void *
nowhere(void)
{
	char *page =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page, 4096);
	return page;
}

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* The port that it has then. */
static int
bound(int fd, int r)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	if (r < 0)
		return r;
	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

/* To a name of this process' own. */
static int
bind_local(int fd)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "portres-%d",
		 (int)getpid());
	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

/* Without SO_BROADCAST. */
static int
shout(int fd)
{
	struct sockaddr_in at = loopback(9);

	at.sin_addr.s_addr = htonl(0x7fffffff);
	return (int)sendto(fd, "", 1, 0, (struct sockaddr *)&at, sizeof(at));
}

static void
why(void)
{
	struct portres_refusal it;

	errno = last;
	memset(&it, 0xff, sizeof(it));
	if (portres_refusal(&it) < 0)
		answer(-1);
	else
		printf("%s %u %d %d %d %d %d %s\n",
		       it.error ? strerrorname_np(it.error) : "0", it.reason,
		       ntohs(it.port), ntohs(it.start_port), it.number_of_ports,
		       it.persistent, it.pid, it.command);
}

static void
acquire(int fd, int start, int count, unsigned int flags)
{
	struct portres_instance block = {htons((uint16_t)start),
					 (uint16_t)count, 0, 0};
	int r = (int)calm(portres_acquire(fd, &block, flags));

	if (r < 0)
		answer(r);
	else
		printf("%d %d %llu\n", ntohs(block.start_port),
		       block.number_of_ports, (unsigned long long)block.token);
}

static void
persistent(const char *verb, int protocol, int start, int count)
{
	uint16_t first = htons((uint16_t)start);
	uint16_t number = (uint16_t)count;
	uint64_t token = 0;
	int r;

	if (strcmp(verb, "delete") == 0) {
		answer(calm(
			portres_persistent_delete(protocol, first, number)));
		return;
	}
	r = strcmp(verb, "create") == 0
		    ? portres_persistent_create(protocol, first, number, &token)
		    : portres_persistent_find(protocol, first, number, &token);
	answer(calm(r) < 0 ? r : (long long)token);
}

/* Calls with a pointer to nowhere. */
static void
wild(const char *verb, int fd)
{
	if (strcmp(verb, "acquire") == 0)
		answer(portres_acquire(fd, nowhere(), 0));
	else if (strcmp(verb, "create") == 0)
		answer(portres_persistent_create(IPPROTO_TCP, htons(25900), 1,
						 nowhere()));
	else if (strcmp(verb, "find") == 0)
		answer(portres_persistent_find(IPPROTO_TCP, htons(25900), 1,
					       nowhere()));
	else
		answer(portres_refusal(nowhere()));
}

/* Associates new sockets until one is refused, at most so many. */
static void
crowd(uint64_t token, int most)
{
	int n = 0;

	while (n < most && portres_associate(socket(AF_INET, SOCK_STREAM, 0),
					     token, 0) == 0)
		n++;
	printf("%d %s\n", n, strerrorname_np(errno));
}

/* Acquires one port after the other until that is refused. */
static void
fill(void)
{
	struct portres_instance block;
	int fd = -1;
	int n = 0;

	do {
		/* The kernel looks through all locks of a socket. */
		if (n % 64 == 0)
			fd = socket(AF_INET, SOCK_DGRAM, 0);
		block = (struct portres_instance){.number_of_ports = 1};
	} while (portres_acquire(fd, &block, 0) == 0 && ++n);
	printf("%d %s\n", n, strerrorname_np(errno));
}

static void
call(const char *verb, long long a, long long b, long long c, long long d)
{
	struct sockaddr_in at = loopback((int)b);
	const struct sockaddr *address = (struct sockaddr *)&at;
	int fd = (int)a;
	uint64_t token = (uint64_t)b;

	errno = CALM;
	if (strcmp(verb, "socket") == 0)
		answer(socket((int)a, (int)b, 0));
	else if (strcmp(verb, "close") == 0)
		answer(close(fd));
	else if (strcmp(verb, "bind") == 0)
		answer(bound(fd, bind(fd, address, sizeof(at))));
	else if (strcmp(verb, "connect") == 0)
		answer(bound(fd, connect(fd, address, sizeof(at))));
	else if (strcmp(verb, "listen") == 0)
		answer(bound(fd, listen(fd, 1)));
	else if (strcmp(verb, "send") == 0)
		answer(bound(fd,
			     (int)sendto(fd, "", 1, 0, address, sizeof(at))));
	else if (strcmp(verb, "acquire") == 0)
		acquire(fd, (int)b, (int)c, (unsigned int)d);
	else if (strcmp(verb, "release") == 0)
		answer(calm(portres_release(fd, token, (unsigned int)c)));
	else if (strcmp(verb, "associate") == 0)
		answer(calm(portres_associate(fd, token, (unsigned int)c)));
	else if (strcmp(verb, "ioctl") == 0)
		answer(ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &token));
	else if (strcmp(verb, "local") == 0)
		answer(bind_local(fd));
	else if (strcmp(verb, "shout") == 0)
		answer(shout(fd));
	else if (strcmp(verb, "crowd") == 0)
		crowd((uint64_t)a, (int)b);
	else if (strcmp(verb, "fill") == 0)
		fill();
	else if (strcmp(verb, "why") == 0)
		why();
	else
		persistent(verb, (int)a, (int)b, (int)c);
	fflush(stdout);
}

static void
handler(int number)
{
	(void)number;
}

int
main(void)
{
	const struct sigaction no_restart = {.sa_handler = handler};
	char line[128], verb[16], of[16];
	long long a, b, c, d;

	sigaction(SIGUSR1, &no_restart, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		clearerr(stdin);
		if (!fgets(line, sizeof(line), stdin)) {
			if (ferror(stdin) && errno == EINTR)
				continue;
			break;
		}
		a = b = c = d = 0;
		if (sscanf(line, "wild %15s %lld", of, &a) >= 1)
			wild(of, (int)a);
		else if (sscanf(line, "%15s %lld %lld %lld %lld", verb, &a, &b,
				&c, &d) >= 1)
			call(verb, a, b, c, d);
	}
	return 0;
}
