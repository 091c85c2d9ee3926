/* SPDX-License-Identifier: MIT */
/* The kernel's settings are read again in each second, and not within one. */
#include "core/kernel/ephemeral.h"

#include <fcntl.h>
#include <sched.h>

#include "tests/peer.h"

#define SECOND 1000000000u
#define NOON (43200 * (uint64_t)SECOND)

static bool
write_setting(const char *name, const char *value)
{
	char path[96];
	int fd;
	bool written;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	written = fd >= 0 && write(fd, value, strlen(value)) > 0;
	close(fd);
	return written;
}

static uint32_t
first_chosen_in(uint64_t pool, uint64_t now)
{
	return sysctl_get(&sys_kernel, now, pool, false)->ephemeral.start;
}

static uint32_t
first_chosen(uint64_t now)
{
	return first_chosen_in(7, now);
}

/* Is it one of the ports that the administrator wants left alone? */
static bool
is_kept(uint64_t now, uint32_t port)
{
	return port_set_has(&sysctl_get(&sys_kernel, now, 7, true)->reserved,
			    port);
}

static void
in_a_namespace_of_its_own(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		_exit(77);
	child_assert(write_setting("ip_local_port_range", "40000 40009"));
	child_assert(first_chosen(NOON) == 40000);
	child_assert(!is_kept(NOON, 5000));
	child_assert(write_setting("ip_local_port_range", "41000 41009"));
	child_assert(write_setting("ip_local_reserved_ports", "5000"));
	child_assert(first_chosen(NOON + SECOND - 1) == 40000);
	child_assert(!is_kept(NOON + SECOND - 1, 5000));
	child_assert(first_chosen(NOON + SECOND) == 41000);
	child_assert(is_kept(NOON + SECOND, 5000));
	child_assert(!is_kept(NOON + SECOND, 6000));
	child_assert(write_setting("ip_local_reserved_ports", "6000"));
	/* A clock that is set back makes another second, too. */
	child_assert(is_kept(NOON, 6000));
	child_assert(!is_kept(NOON, 5000));
	/* Another pool is another network namespace's. */
	child_assert(write_setting("ip_local_port_range", "42000 42009"));
	child_assert(first_chosen(NOON) == 41000);
	child_assert(first_chosen_in(8, NOON) == 42000);
	_exit(0);
}

CHECK(sysctl, a_setting_holds_within_a_second)
{
	struct peer peer = peer_fork();
	int status;

	if (peer.pid == 0)
		in_a_namespace_of_its_own();
	status = peer_end(&peer);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("no right to make a network namespace");
	peer_verdict(status);
}
