/* SPDX-License-Identifier: MIT */
/*
 * A busy neighbour without the shim: takes ephemeral ports as fast as it can,
 * by the kernel's choice and by its own in turn, and keeps each for a while.
 * Says "grabbing" when it has its fill, and how many it has bound when its
 * input ends.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT 4000

static unsigned low = 32768, high = 60999;

static int
grab(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

int
main(void)
{
	static int kept[KEPT];
	unsigned long taken = 0, turn = 0, room;
	struct rlimit files;
	struct pollfd input = {.fd = 0, .events = POLLIN};
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	if (range && fscanf(range, "%u %u", &low, &high) != 2)
		return 1;
	if (getenv("LD_PRELOAD"))
		return 1; /* it would be refused what it wants */
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	room = files.rlim_cur < KEPT + 16 ? files.rlim_cur - 16 : KEPT;
	while (turn++ % 64 || poll(&input, 1, 0) == 0) {
		unsigned own = low + (unsigned)rand() % (high - low + 1);
		int fd = grab(turn % 2 ? own : 0);

		if (fd < 0)
			continue;
		if (kept[taken % room])
			close(kept[taken % room]);
		kept[taken % room] = fd;
		if (++taken == room) {
			puts("grabbing");
			fflush(stdout);
		}
	}
	printf("%lu\n", taken);
	return 0;
}
