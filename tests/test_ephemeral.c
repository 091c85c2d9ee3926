/* SPDX-License-Identifier: MIT */
/* The kernel's settings of ports, however many ranges they have. */
#include "core/kernel/ephemeral.h"

#include <fcntl.h>
#include <sched.h>

#include "tests/kernel.h"
#include "tests/peer.h"

static void
set_reserved(const char *(*piece)(int n))
{
	const char *text;
	int fd = open("/proc/sys/net/ipv4/ip_local_reserved_ports",
		      O_WRONLY | O_CLOEXEC);

	/* From the second write on the kernel adds to what is there. */
	for (int n = 0; (text = piece(n)); n++)
		child_assert(write(fd, text, strlen(text)) > 0);
	close(fd);
}

/* Every other port from 1 on: no list has more ranges. */
static const char *
every_other(int n)
{
	static char text[4096];
	uint32_t first = (uint32_t)n * 512 + 1;
	size_t at = 0;

	if (first >= PORT_COUNT)
		return NULL;
	for (uint32_t port = first; port < first + 512; port += 2)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u",
				       at ? "," : "", port);
	return text;
}

static const char *
some_ranges(int n)
{
	return n == 0 ? "5000-5009,7000,65000-65535" : NULL;
}

static void
verdict_of(void (*child)(void))
{
	struct peer peer = peer_fork();
	int status;

	if (peer.pid == 0) {
		if (unshare(CLONE_NEWNET) < 0)
			_exit(77);
		child();
		_exit(0);
	}
	status = peer_end(&peer);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("no right to make a network namespace");
	peer_verdict(status);
}

static struct port_set seen;

static void
reads_ranges(void)
{
	memset(&seen, 0xff, sizeof(seen));
	ephemeral_reserved(&sys_kernel, &seen);
	for (uint32_t port = 0; port < PORT_COUNT; port++)
		child_assert(!port_set_has(&seen, port));
	set_reserved(some_ranges);
	ephemeral_reserved(&sys_kernel, &seen);
	for (uint32_t port = 0; port < PORT_COUNT; port++)
		child_assert(port_set_has(&seen, port) ==
			     ((port >= 5000 && port < 5010) || port == 7000 ||
			      port >= 65000));
}

CHECK(ephemeral, reserved_ports_are_read)
{
	verdict_of(reads_ranges);
}

static void
reads_every_other(void)
{
	set_reserved(every_other);
	ephemeral_reserved(&sys_kernel, &seen);
	for (uint32_t port = 0; port < PORT_COUNT; port++)
		child_assert(port_set_has(&seen, port) == (port % 2 == 1));
}

CHECK(ephemeral, as_many_ranges_as_there_can_be)
{
	verdict_of(reads_every_other);
}

CHECK(ephemeral, what_cannot_be_read_is_the_usual)
{
	struct kernel_refusing kernel =
		kernel_refusing(SYS_openat, -EACCES, "/proc/");
	struct range range = {77, 77};

	cr_assert_eq(ephemeral_read(&kernel.ops, &range), -EACCES);
	cr_assert_eq(range.start, 77);
	range = ephemeral_range(&kernel.ops);
	cr_assert_eq(range.start, 32768);
	cr_assert_eq(range_end(range), 61000);
	memset(&seen, 0xff, sizeof(seen));
	ephemeral_reserved(&kernel.ops, &seen);
	for (uint32_t port = 0; port < PORT_COUNT; port++)
		cr_assert_not(port_set_has(&seen, port));
}
