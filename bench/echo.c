/* SPDX-License-Identifier: MIT */
/*
 * An echo server on a completion port of Winsock's against one on epoll: the
 * time of one message there and back, over many connections at once, and what
 * of it the server works. Best of some turns.
 *
 * usage: echo LIBRARY SERVER, the server on the port
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define CONNECTIONS 64
#define MESSAGES 100000
#define SIZE 64
#define TURNS 5
#define AT_ONCE 64
#define LIMIT 2.0

static void
watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

static void
echo(int fd)
{
	char data[4096];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (n <= 0)
		close(fd);
	else if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
		close(fd);
}

static void
serve(int listener)
{
	struct epoll_event events[AT_ONCE];
	int epoll = epoll_create1(0);

	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, AT_ONCE, -1);

		for (int i = 0; i < n; i++)
			if (events[i].data.fd == listener)
				watch(epoll, accept(listener, NULL, NULL));
			else
				echo(events[i].data.fd);
	}
}

/* Starts the one here. */
static pid_t
start_epoll(unsigned int *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(listener, 128) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0)
		die("listen");
	*ret_port = ntohs(address.sin_port);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	close(listener);
	return pid;
}

/* Starts the other, which says its port. */
static pid_t
start_port(const char *library, const char *server, const char *how,
	   unsigned int *ret_port)
{
	char line[16] = "";
	int out[2];
	pid_t pid;

	if (pipe(out) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		setenv("LD_PRELOAD", library, 1);
		execl(server, server, how, NULL);
		_exit(1);
	}
	close(out[1]);
	if (read(out[0], line, sizeof(line) - 1) <= 0)
		die(server);
	close(out[0]);
	*ret_port = (unsigned int)atoi(line);
	return pid;
}

static int
connected(unsigned int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)port);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Nanoseconds a message. */
static double
converse(unsigned int port)
{
	struct epoll_event events[AT_ONCE];
	int epoll = epoll_create1(0);
	int fds[CONNECTIONS];
	char data[SIZE] = "";
	double start;
	long messages = 0;

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = connected(port);
		watch(epoll, fds[i]);
	}
	start = now();
	for (int i = 0; i < CONNECTIONS; i++)
		send(fds[i], data, SIZE, 0);
	while (messages < MESSAGES) {
		int n = epoll_wait(epoll, events, AT_ONCE, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (recv(fd, data, SIZE, MSG_WAITALL) != SIZE)
				die("recv");
			send(fd, data, SIZE, 0);
			messages++;
		}
	}
	start = now() - start;
	for (int i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
	close(epoll);
	return start / (double)messages;
}

/* A message takes this time, and this much of it the server works. */
struct cost {
	double time;
	double work;
};

static void
keep_best(double *best, double one)
{
	if (*best == 0 || one < *best)
		*best = one;
}

static void
measure(struct cost *best, pid_t pid, unsigned int port)
{
	double time = converse(port);
	struct rusage usage;

	kill(pid, SIGKILL);
	if (wait4(pid, NULL, 0, &usage) != pid)
		die("wait4");
	keep_best(&best->time, time);
	keep_best(&best->work,
		  (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
				  1e9 / MESSAGES +
			  (double)(usage.ru_utime.tv_usec +
				   usage.ru_stime.tv_usec) *
				  1e3 / MESSAGES);
}

int
main(int argc, char **argv)
{
	static const char *const ways[] = {"packets", "skip"};
	static const char *const names[][2] = {
		{"echo on a completion port", "the server's processor time"},
		{"echo, no packet for what is at once", "its processor time"},
	};
	struct cost ours[2] = {0};
	struct cost bare = {0};
	unsigned int port;

	if (argc != 3)
		return 2;
	for (int turn = 0; turn < TURNS; turn++) {
		pid_t pid = start_epoll(&port);

		measure(&bare, pid, port);
		for (int way = 0; way < 2; way++) {
			pid = start_port(argv[1], argv[2], ways[way], &port);
			measure(&ours[way], pid, port);
		}
	}
	for (int way = 0; way < 2; way++) {
		print_row(names[way][0], ours[way].time, bare.time, LIMIT);
		print_row(names[way][1], ours[way].work, bare.work, LIMIT);
	}
	return 0;
}
