/* SPDX-License-Identifier: MIT */
/*
 *	trace WAY
 *
 * Makes one call between two marks, write(-1, "begin") and write(-1, "end"),
 * that a system call tracer shows; then prints the functions that were entered
 * meanwhile of a library that was built with -finstrument-functions: a line for
 * each entry, its offset in the file. Without the library preloaded it makes
 * the same calls, as far as they work.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <portres.h>

#define ENTRIES_MAX 1000000

static void *entry[ENTRIES_MAX];
static int entries;
static bool on;
static bool preloaded;

void __cyg_profile_func_enter(void *function, void *from);
void __cyg_profile_func_exit(void *function, void *from);

void
__cyg_profile_func_enter(void *function, void *from)
{
	(void)from;
	if (on && entries < ENTRIES_MAX)
		entry[entries++] = function;
}

void
__cyg_profile_func_exit(void *function, void *from)
{
	(void)function;
	(void)from;
}

static void
begin(void)
{
	(void)!write(-1, "begin", 5);
	on = true;
}

static void
end(void)
{
	int saved = errno;

	on = false;
	(void)!write(-1, "end", 3);
	errno = saved;
}

static void
say_entries(void)
{
	for (int i = 0; i < entries; i++) {
		Dl_info info;

		if (dladdr(entry[i], &info))
			printf("%#lx\n",
			       (unsigned long)((char *)entry[i] -
					       (char *)info.dli_fbase));
	}
}

static void
expect(bool right, const char *what)
{
	if (right || !preloaded)
		return;
	perror(what);
	exit(1);
}

static int
open_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	expect(fd >= 0, "socket");
	return fd;
}

static struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

static int
bind_to(int fd, int port)
{
	struct sockaddr_in at = loopback(port);

	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
connect_to(int fd, int port)
{
	struct sockaddr_in at = loopback(port);

	return connect(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &size) == 0
		       ? ntohs(at.sin_port)
		       : -1;
}

/* One port, any with 0. Returns it. */
static int
acquire(int fd, int port, struct portres_instance *ret)
{
	*ret = (struct portres_instance){
		.start_port = htons((uint16_t)port),
		.number_of_ports = 1,
	};
	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, ret) < 0)
		return -1;
	return ntohs(ret->start_port);
}

/* A block; other processes try other ports. */
static int
reserve(int fd, struct portres_instance *ret)
{
	int port = 22000 + getpid() * 7 % 9000, end = port + 1000;

	while (preloaded && acquire(fd, port, ret) < 0)
		expect(++port < end, "acquire");
	return port;
}

/* A free port, after everything that is done only once. Released explicitly:
 * after a close that ends a block the next bind looks twice. */
static int
warm_up(void)
{
	struct portres_instance block;
	int fd = open_socket(SOCK_STREAM), port = reserve(fd, &block);

	expect(ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token) == 0,
	       "release");
	close(fd);
	fd = open_socket(SOCK_STREAM);
	expect(bind_to(fd, port) == 0, "bind");
	close(fd);
	return port;
}

/* A child reserves a port and lives on, or not. */
static pid_t
reserve_in_child(bool lives, int *ret_port)
{
	struct portres_instance block;
	int up[2], port = 0;
	pid_t child;

	expect(pipe(up) == 0, "pipe");
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		port = reserve(open_socket(SOCK_STREAM), &block);
		if (write(up[1], &port, sizeof(port)) != sizeof(port))
			_exit(1);
		close(up[1]);
		while (lives)
			pause();
		_exit(0);
	}
	close(up[1]);
	expect(read(up[0], &port, sizeof(port)) == sizeof(port), "child");
	close(up[0]);
	if (!lives)
		waitpid(child, NULL, 0);
	*ret_port = port;
	return child;
}

static void
bind_unreserved(void)
{
	int port = warm_up(), fd = open_socket(SOCK_STREAM), r;

	begin();
	r = bind_to(fd, port);
	end();
	expect(r == 0, "bind");
}

static void
bind_refused(void)
{
	int port, fd, r;
	pid_t child;

	warm_up();
	child = reserve_in_child(true, &port);
	fd = open_socket(SOCK_STREAM);
	begin();
	r = bind_to(fd, port);
	end();
	expect(r < 0 && errno == EADDRINUSE, "bind");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void
bind_dead(void)
{
	int port, fd, r;

	warm_up();
	reserve_in_child(false, &port);
	fd = open_socket(SOCK_STREAM);
	begin();
	r = bind_to(fd, port);
	end();
	expect(r == 0, "bind");
}

static void
bind_associated(void)
{
	int owner = open_socket(SOCK_STREAM), fd = open_socket(SOCK_STREAM), r;
	struct portres_instance block;
	int port;

	warm_up();
	port = reserve(owner, &block);
	r = ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
	expect(r == 0, "associate");
	begin();
	r = bind_to(fd, 0);
	end();
	expect(r == 0 && port_of(fd) == port, "bind");
}

static void
bind_any_beside_ephemeral(void)
{
	int owner = open_socket(SOCK_STREAM), fd, port, r = -1;
	struct portres_instance block;
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	warm_up();
	if (!range || fscanf(range, "%d %d", &port, &r) != 2)
		expect(false, "ip_local_port_range");
	/* From the middle, to find a free one. */
	for (port = (port + r) / 2, r = -1; r < 0 && port < 65535; port++)
		r = preloaded ? acquire(owner, port, &block) : 0;
	expect(r > 0, "acquire");
	fd = open_socket(SOCK_STREAM);
	expect(bind_to(fd, 0) == 0, "bind");
	fd = open_socket(SOCK_STREAM);
	begin();
	r = bind_to(fd, 0);
	end();
	expect(r == 0, "bind");
}

static void
ioctl_acquire(void)
{
	int port = warm_up(), fd = open_socket(SOCK_STREAM), r;
	struct portres_instance block;

	begin();
	r = acquire(fd, port, &block);
	end();
	expect(r == port, "acquire");
}

static void
ioctl_associate(void)
{
	int owner = open_socket(SOCK_STREAM), fd = open_socket(SOCK_STREAM), r;
	struct portres_instance block;

	warm_up();
	reserve(owner, &block);
	begin();
	r = ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
	end();
	expect(r == 0, "associate");
}

static void
close_owner(void)
{
	int owner = open_socket(SOCK_STREAM), r;
	struct portres_instance block;

	warm_up();
	reserve(owner, &block);
	begin();
	r = close(owner);
	end();
	expect(r == 0, "close");
}

static void
connect_unreserved(void)
{
	int server = open_socket(SOCK_STREAM), fd = open_socket(SOCK_STREAM), r;

	warm_up();
	expect(bind_to(server, 0) == 0 && listen(server, 1) == 0, "listen");
	begin();
	r = connect_to(fd, port_of(server));
	end();
	expect(r == 0, "connect");
}

/* send() is not hooked: it needs a connection, which has a port. */
static void
sendto_unreserved(void)
{
	int server = open_socket(SOCK_DGRAM), fd = open_socket(SOCK_DGRAM);
	struct sockaddr_in to;
	ssize_t n;

	warm_up();
	expect(bind_to(server, 0) == 0, "bind");
	to = loopback(port_of(server));
	begin();
	n = sendto(fd, "!", 1, 0, (struct sockaddr *)&to, sizeof(to));
	end();
	expect(n == 1, "sendto");
}

static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"bind, unreserved", bind_unreserved},
	{"bind, reserved, owner lives", bind_refused},
	{"bind, reserved, owner dead", bind_dead},
	{"bind, associated, port 0", bind_associated},
	{"bind, port 0, a block in the ephemeral range",
	 bind_any_beside_ephemeral},
	{"ioctl ACQUIRE, one port", ioctl_acquire},
	{"ioctl ASSOCIATE", ioctl_associate},
	{"close, owning", close_owner},
	{"connect, nothing reserved", connect_unreserved},
	{"sendto, nothing reserved", sendto_unreserved},
};

/* Without an argument: prints the names of all ways. */
int
main(int argc, char **argv)
{
	const char *preload = getenv("LD_PRELOAD");

	preloaded = preload && *preload;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (argc < 2) {
			puts(ways[i].name);
		} else if (!strcmp(argv[1], ways[i].name)) {
			ways[i].go();
			say_entries();
			return 0;
		}
	return argc < 2 ? 0 : 2;
}
