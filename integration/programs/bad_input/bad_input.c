/* SPDX-License-Identifier: MIT */
/*
 * Makes every bad ioctl() there is and prints one line each: what was wrong,
 * and the errno. The last lines tell whether anything was left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portres.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { START = 25000 };

static const unsigned long codes[] = {
	SIO_ACQUIRE_PORT_RESERVATION,
	SIO_RELEASE_PORT_RESERVATION,
	SIO_ASSOCIATE_PORT_RESERVATION,
};
static const char *const names[] = {"acquire", "release", "associate"};

static void
report(const char *what, const char *call, int r)
{
	printf("%s %s %s\n", what, call,
	       r == 0 ? "0" : strerrorname_np(errno));
}

static void
all_three(const char *what, int fd, void *argument)
{
	for (int i = 0; i < 3; i++)
		report(what, names[i], ioctl(fd, codes[i], argument));
}

static struct portres_instance
wanted(int start, int count)
{
	return (struct portres_instance){
		.start_port = htons(start),
		.number_of_ports = count,
	};
}

static void
try_socket(const char *what, int domain, int type, int protocol)
{
	struct portres_instance block = wanted(START, 1);
	int fd = socket(domain, type, protocol);

	if (fd < 0) {
		printf("%s skipped\n", what);
		return;
	}
	all_three(what, fd, &block);
	close(fd);
}

int
main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	struct portres_instance block = wanted(START, 4);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int null = open("/dev/null", O_RDONLY);
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct portres_instance *read_only = (void *)memory;
	struct portres_range *at_the_edge =
		(void *)(memory + page - sizeof(*at_the_edge));

	*at_the_edge = (struct portres_range){htons(START), 4};
	*read_only = block;
	mprotect(memory, page, PROT_READ);
	mprotect(memory + page, page, PROT_NONE);

	all_three("closed", 900, &block);
	all_three("minus-one", -1, &block);
	all_three("file", null, &block);
	try_socket("unix", AF_UNIX, SOCK_STREAM, 0);
	try_socket("raw", AF_INET, SOCK_RAW, IPPROTO_ICMP);
	try_socket("raw-tcp", AF_INET, SOCK_RAW, IPPROTO_TCP);
	try_socket("mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	try_socket("sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	try_socket("udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	try_socket("netlink", AF_NETLINK, SOCK_RAW, 0);
	all_three("null", fd, NULL);
	all_three("wild", fd, (void *)8);
	all_three("kernel", fd, (void *)0xffff800000000000);
	all_three("no-access", fd, memory + page);
	report("edge", "acquire", ioctl(fd, codes[0], at_the_edge));
	report("read-only", "acquire", ioctl(fd, codes[0], read_only));
	for (int i = 0; i < 2; i++) {
		block = wanted(i ? 65535 : START, i ? 2 : 0);
		report(i ? "past-the-end" : "no-ports", "acquire",
		       ioctl(fd, codes[0], &block));
	}

	/* Nothing of all that is reserved, and an int will do for the code. */
	block = wanted(START, 4);
	errno = 12345;
	report("sign-extended", "acquire",
	       ioctl(fd, (unsigned long)(int)codes[0], &block));
	printf("errno %d\n", errno);
	report("sign-extended", "release",
	       ioctl(fd, (unsigned long)(int)codes[1], &block.token));
	return 0;
}
