/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit.h"

struct page *page;
int first;

void
wrong(const char *what, ...)
{
	char line[200];
	va_list list;
	int n;

	va_start(list, what);
	n = vsnprintf(line, sizeof(line) - 1, what, list);
	va_end(list);
	line[n++] = '\n';
	if (atomic_fetch_add(&page->wrong, 1) < 20 &&
	    write(1, line, (size_t)n) != n)
		_exit(3);
	page->over = true;
}

uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
pass(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000),
			     (long)(ns % 1000000000)};

	nanosleep(&t, NULL);
}

unsigned
dice(struct member *me, unsigned below)
{
	me->seed = me->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(me->seed >> 33) % below;
}

int
open_socket(int family, int protocol)
{
	int fd = socket(family, protocol ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0)
		wrong("socket: %s", strerror(errno));
	return fd;
}

void
set_reuse(int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

union address
address_of(int family, bool loopback, int port)
{
	union address address = {0};

	address.any.sa_family = (sa_family_t)family;
	address.v4.sin_port = htons((uint16_t)port);
	if (family == AF_INET && loopback)
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_INET6 && loopback)
		address.v6.sin6_addr = in6addr_loopback;
	return address;
}

int
bind_to(int fd, int family, bool loopback, int port)
{
	union address at = address_of(family, loopback, port);

	return bind(fd, &at.any,
		    family == AF_INET ? sizeof(at.v4) : sizeof(at.v6));
}

int
acquire(int fd, int start, int count, struct portres_instance *ret)
{
	*ret = (struct portres_instance){
		.start_port = htons((uint16_t)start),
		.number_of_ports = (uint16_t)count,
	};
	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, ret);
}

uint64_t
mask_of(int port, int count)
{
	return (((uint64_t)2 << (count - 1)) - 1) << (port - first);
}

/* Does the member believe so, and live to tell? */
static bool
believes(struct member *member, _Atomic uint64_t *what, uint64_t mask)
{
	uint32_t life = member->life;

	return !(life & 1) && *what & mask && member->life == life;
}

static void
look(struct member *me, int protocol, uint64_t mask, bool reserved, bool own)
{
	for (int i = 0; i < MEMBERS; i++) {
		struct member *other = &page->member[i];

		if ((other != me || !own) &&
		    believes(other, &other->reserved[protocol], mask))
			wrong("%ld %s %#lx of %s, and %d has it reserved",
			      (long)(me - page->member),
			      reserved ? "reserved" : "bound", mask,
			      protocol ? "udp" : "tcp", i);
		if (reserved && believes(other, &other->bound[protocol], mask))
			wrong("%ld reserved %#lx of %s, and %d has it bound",
			      (long)(me - page->member), mask,
			      protocol ? "udp" : "tcp", i);
	}
}

void
believe_reserved(struct member *me, int protocol, uint64_t mask)
{
	if (me->reserved[protocol] & mask)
		wrong("reserved twice: %#lx", mask);
	me->reserved[protocol] |= mask;
	look(me, protocol, mask, true, true);
}

void
believe_bound(struct member *me, int protocol, uint64_t mask, bool inside)
{
	me->bound[protocol] |= mask;
	look(me, protocol, mask, false, inside);
}

void
page_make(void)
{
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		_exit(3);
}

pid_t
member_fork(struct member *me, void (*work)(struct member *))
{
	pid_t pid = fork();

	if (pid < 0)
		wrong("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		work(me);
		_exit(0);
	}
	return pid;
}

void
member_kill(struct member *member, pid_t pid)
{
	int status;

	if (pid <= 0) /* to all, to kill() */
		return;
	member->life++;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		wrong("waitpid: %s", strerror(errno));
	for (int p = 0; p < 2; p++)
		member->reserved[p] = member->bound[p] = 0;
	member->life++;
}
