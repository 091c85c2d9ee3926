/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <portres.h>

#define BYTES 268435456
#define FIRST 27300

static const char *what;
static atomic_int stop, done;

static int
acquire(int fd, int start, int count)
{
	struct portres_instance block = {.start_port = htons(start),
					 .number_of_ports = count};

	return ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block);
}

static void
once(int fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strcmp(what, "close") == 0 || strcmp(what, "linger") == 0) {
		struct linger linger = {*what == 'l', 1};

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		acquire(fd, FIRST, 1);
	} else if (strcmp(what, "refused") == 0) {
		at.sin_port = htons(FIRST + 10);
		bind(fd, (struct sockaddr *)&at, sizeof(at));
	} else {
		at.sin_port = htons(9);
		connect(fd, (struct sockaddr *)&at, sizeof(at));
	}
}

static void *
work(void *nothing)
{
	while (!stop) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		once(fd);
		close(fd);
		done++;
	}
	return nothing;
}

static int
is_foreign(const char *file)
{
	return strstr(file, "eventpoll") || strstr(file, "timerfd") ||
	       strncmp(file, "/proc/", 6) == 0 || strstr(file, "/pool-");
}

/* The number of the directory itself is among them. */
static int
foreign_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(directory))) {
		char file[256] = "";

		if (atoi(entry->d_name) != dirfd(directory) &&
		    readlinkat(dirfd(directory), entry->d_name, file,
			       sizeof(file) - 1) > 0 &&
		    is_foreign(file))
			n += fprintf(stderr, "%s\n", file) > 0;
	}
	return n;
}

/* Some milliseconds of each fork go to its page tables. */
static void
grow(void)
{
	char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(at, BYTES, MADV_NOHUGEPAGE);
	memset(at, 1, BYTES);
}

int
main(int n, char **argument)
{
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	int children = 1000, with = 0, status;
	pthread_t thread;

	what = argument[1];
	if (n > 2) {
		grow();
		children = 100;
	}
	if (acquire(owner, FIRST + 10, 1) < 0 ||
	    (strcmp(what, "connect") == 0 && acquire(owner, 40000, 5000) < 0))
		return 2;
	pthread_create(&thread, NULL, work, NULL);
	for (int i = 0; i < children || (done <= 100 && i < 100000); i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(foreign_descriptors() > 0);
		waitpid(child, &status, 0);
		with += status != 0;
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("%d %s\n", with, done > 100 ? "busy" : "idle");
	return 0;
}
