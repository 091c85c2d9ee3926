/* SPDX-License-Identifier: MIT */
/*
 * Calls of a program whose libc is not glibc: one a line of stdin, one line of
 * answer, a number or minus errno. Asks for nothing that only glibc has.
 */
#include <errno.h>
#include <netinet/in.h>
#include <portres.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t token;

static int
bound_port(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

static int
bind_tcp(int port, int associated)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = 0;

	if (associated)
		r = ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &token);
	if (r == 0)
		r = bind(fd, (struct sockaddr *)&at, sizeof(at));
	r = r < 0 ? -errno : bound_port(fd);
	close(fd);
	return r;
}

static int
acquire(int port)
{
	struct portres_instance block = {
		.start_port = htons((uint16_t)port),
		.number_of_ports = 3,
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		return -errno;
	token = block.token;
	return ntohs(block.start_port);
}

static void *
bind_in_thread(void *port)
{
	*(int *)port = bind_tcp(*(int *)port, 0);
	return NULL;
}

static int
in_thread(int port)
{
	pthread_t thread;

	pthread_create(&thread, NULL, bind_in_thread, &port);
	pthread_join(thread, NULL);
	return port;
}

static int
in_child(int port)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(bind_tcp(port, 0) == port ? 0 : 1);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) ? -1 : port;
}

int
main(void)
{
	char call[16];
	int port;

	while (scanf("%15s %d", call, &port) == 2) {
		int r = strcmp(call, "acquire") == 0	  ? acquire(port)
			: strcmp(call, "associated") == 0 ? bind_tcp(port, 1)
			: strcmp(call, "thread") == 0	  ? in_thread(port)
			: strcmp(call, "child") == 0	  ? in_child(port)
							  : bind_tcp(port, 0);

		printf("%d\n", r);
		fflush(stdout);
	}
	return 0;
}
