/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portres.h>

static struct portres_instance block = {.number_of_ports = 2};
static char state[32];

/* The main thread is a zombie when the kernel says so. */
static void
wait_for_its_end(void)
{
	char path[48], text[256];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	do {
		FILE *file = fopen(path, "r");

		if (!file || !fgets(text, sizeof(text), file) ||
		    sscanf(text, "%*d (%*[^)]) %31s", state) != 1)
			exit(2);
		fclose(file);
	} while (state[0] != 'Z');
}

static void *
go_on(void *nothing)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	wait_for_its_end();
	printf("associate %d\n",
	       ioctl(fd, SIO_ASSOCIATE_PORT_RESERVATION, &block.token));
	printf("release %d\n",
	       ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token));
	exit(0);
	return nothing;
}

int
main(void)
{
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;

	/* Not at the number that the slot remembers: it must be looked for. */
	block.start_port = htons(26300);
	if (ioctl(owner, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0 ||
	    dup(owner) < 0 || close(owner) < 0 ||
	    pthread_create(&thread, NULL, go_on, NULL))
		return 1;
	pthread_exit(NULL);
}
