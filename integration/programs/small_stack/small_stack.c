/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <portres.h>

#define PAGE 4096

static int fd, port, answer;
static ucontext_t here, there;

static void
bind_it(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port)};

	answer = bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

/* The page below it is missing. */
static void
bind_on_a_small_stack(void)
{
	char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(at, PAGE, PROT_NONE);
	getcontext(&there);
	there.uc_stack.ss_sp = at + PAGE;
	there.uc_stack.ss_size = PAGE;
	there.uc_link = &here;
	makecontext(&there, bind_it, 0);
	swapcontext(&here, &there);
}

static struct portres_instance
reserve(int owner, int start, int count)
{
	struct portres_instance block = {.start_port = htons(start),
					 .number_of_ports = count};

	if (ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		perror("acquire");
	return block;
}

static pid_t
reserve_elsewhere(int start, int count)
{
	int ready[2];
	char c;
	pid_t child;

	if (pipe(ready) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		reserve(socket(AF_INET, SOCK_STREAM, 0), start, count);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	return read(ready[0], &c, 1) == 1 ? child : -1;
}

/* A connection in TIME_WAIT on the only port of our block. */
static void
wait_on_our_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(26410)};
	int owner = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct portres_instance block = reserve(owner, 26410, 1);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ioctl(listener, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 1) < 0 ||
	    connect(client, (struct sockaddr *)&at, sizeof(at)) < 0)
		perror("connection");
	close(accept(listener, NULL, NULL));
	close(listener);
	close(client);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
}

int
main(int n, char **argument)
{
	const char *what = argument[1];
	pid_t child = 0;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(what, "waiting") == 0) {
		wait_on_our_port();
	} else if (strcmp(what, "chosen") == 0) {
		child = reserve_elsewhere(20000, 45536);
	} else if (strcmp(what, "stored") == 0) {
		port = 26400; /* and the pool is not made yet */
	} else {
		child = reserve_elsewhere(26400, 3);
		port = 26400;
	}
	if (strcmp(what, "living") != 0 && child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
	bind_on_a_small_stack();
	printf("%s\n", answer ? strerrorname_np(answer) : "bound");
	if (child > 0)
		kill(child, SIGKILL);
	return n != 2;
}
