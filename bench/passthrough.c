/* SPDX-License-Identifier: MIT */
/*
 * usage: passthrough CALL TIMES
 * Makes a call so many times and nothing else, for callgrind to count: run
 * with two numbers, the difference is the calls'. With and without preload.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int n;

	if (argc < 3)
		return 2;
	for (int i = 0; i < times; i++) {
		if (!strcmp(argv[1], "close"))
			close(-1);
		else if (!strcmp(argv[1], "dup+close"))
			close(dup(fd));
		else if (!strcmp(argv[1], "socket+close"))
			close(socket(AF_INET, SOCK_STREAM, 0));
		else if (!strcmp(argv[1], "dup2"))
			dup2(fd, 100);
		else if (!strcmp(argv[1], "fcntl"))
			fcntl(fd, F_GETFD);
		else
			ioctl(fd, FIONREAD, &n);
	}
	return 0;
}
