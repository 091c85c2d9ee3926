/* SPDX-License-Identifier: MIT */
/*
 *	lifetime_passthrough PAST START COUNT
 *
 * Some ordinary calls between two marks that strace shows, by a process that
 * owns nothing: it never did, or no longer does (or, for comparison, still).
 * PAST is one of the names below.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portres.h"

static struct portres_instance block;

static void
acquire(int fd)
{
	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		perror("acquire"); /* of course, without portres */
}

/* Closes that find the pool busy with other threads' work. */
static void *
own_and_close(void *number)
{
	struct portres_instance mine = block;

	mine.start_port = htons((uint16_t)(ntohs(block.start_port) + 100 +
					   8 * (int)(intptr_t)number));
	for (int i = 0; i < 200; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &mine) < 0)
			perror("acquire");
		close(fd);
	}
	return NULL;
}

static void
storm(void)
{
	pthread_t thread[8];

	for (intptr_t i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, own_and_close, (void *)i);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	closefrom(3);
}

static void
past(const char *name)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd, other, status;
	pid_t child;

	if (!strcmp(name, "none"))
		return;
	if (!strcmp(name, "storm")) {
		storm();
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	acquire(fd);
	if (!strcmp(name, "released")) {
		ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token);
	} else if (!strcmp(name, "given back")) {
		ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token);
		dup2(fd, 100);
		syscall(SYS_close, fd); /* so that we learn nothing by it */
		return;
	} else if (!strcmp(name, "several")) {
		block.start_port = htons((uint16_t)(ntohs(block.start_port) +
						    block.number_of_ports));
		acquire(fd);
	} else if (!strcmp(name, "dup")) {
		other = dup(fd);
		close(fd);
		fd = other;
	} else if (!strcmp(name, "associated")) {
		other = socket(AF_INET, SOCK_STREAM, 0);
		ioctl(other, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
		close(other);
	} else if (!strcmp(name, "bound") || !strcmp(name, "serving")) {
		other = socket(AF_INET, SOCK_STREAM, 0);
		ioctl(other, SIO_ASSOCIATE_PORT_RESERVATION, &block.token);
		bind(other, (struct sockaddr *)&any, sizeof(any));
		if (name[0] == 's')
			dup2(other, 100);
		close(other);
	} else if (!strcmp(name, "handed over")) {
		child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
		close(fd);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		return;
	} else if (!strcmp(name, "inherited")) {
		child = fork();
		if (child > 0) {
			waitpid(child, &status, 0);
			_exit(status ? 1 : 0);
		}
	} else if (!strcmp(name, "still")) {
		dup2(fd, 100); /* which closefrom() will close */
	}
	close(fd);
}

static void
calls(void)
{
	int file = open("/dev/null", O_RDWR);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int copy;

	socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socket(AF_UNIX, SOCK_STREAM, 0);
	socket(-1, 0, 0);
	ioctl(s, FIONREAD, NULL);
	ioctl(s, FIOCLEX);
	ioctl(file, FIOCLEX);
	ioctl(-1, FIONCLEX);
	ioctl(s, 0xdeadbeef, NULL);
	fcntl(s, F_GETFD);
	fcntl(s, F_SETFD, 0);
	copy = fcntl(s, F_DUPFD, 20);
	close(copy);
	copy = fcntl(s, F_DUPFD_CLOEXEC, 20);
	dup2(file, copy);
	dup3(s, copy, O_CLOEXEC);
	dup2(s, s);
	close(dup(s));
	close(dup(file));
	close(s);
	close(s);
	close(-1);
	close(file);
	close_range(20, 30, 0);
	closefrom(3);
}

int
main(int argc, char **argv)
{
	if (argc != 4)
		return 1;
	block.start_port = htons((uint16_t)atoi(argv[2]));
	block.number_of_ports = (uint16_t)atoi(argv[3]);
	past(argv[1]);
	syscall(SYS_write, -1, "begin", 5);
	for (int i = 0; i < 3; i++)
		calls();
	syscall(SYS_write, -1, "end", 3);
	return 0;
}
