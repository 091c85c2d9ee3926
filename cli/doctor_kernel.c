/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/check.h"
#include "core/kernel/proc_locks.h"
#include "core/kernel/sock.h"
#include "core/kernel/sockdiag.h"
#include "core/pool/lease.h"
#include "shim/robust_list.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

struct search {
	struct slot slot;
	bool found;
};

static void
match(void *context, uint64_t device, uint32_t inode, uint64_t token)
{
	struct search *search = context;

	search->found |= token == search->slot.token &&
			 inode == search->slot.inode &&
			 (uint32_t)device == search->slot.device;
}

/* Checks leases with a socket that no pool knows, so that the token may be
 * any. */
static void
check_leases(int fd)
{
	struct search search = {.slot.token = ((uint64_t)1 << 62) +
					      (uint64_t)getpid()};
	int r = lease_hold(&sys_kernel, fd, &search.slot);

	if (r < 0) {
		check(ERROR, "kernel",
		      "sockets cannot carry file locks (%s), so nothing can be "
		      "reserved: use Linux 3.15 or later, without a sandbox "
		      "that forbids F_OFD_SETLK",
		      strerror(-r));
		return;
	}
	check(GOOD, "kernel", "sockets carry file locks");
	r = proc_locks_read(&sys_kernel, NULL, match, &search);
	if (search.found)
		check(GOOD, "kernel", "/proc/locks shows them");
	else
		check(WARNING, "kernel",
		      "/proc/locks does not show them (%s), so blocks of "
		      "killed programs stay reserved: mount /proc without "
		      "subset=pid, and nothing over it",
		      r < 0 ? strerror(-r) : "another namespace");
	lease_drop(&sys_kernel, fd, search.slot.token);
}

static void
check_options(int fd)
{
	uint64_t cookie;
	uint32_t range;
	socklen_t size = sizeof(cookie);

	if (sock_cookie(&sys_kernel, fd, &cookie) == 0)
		check(GOOD, "kernel", "sockets have identities (SO_COOKIE)");
	else
		check(ERROR, "kernel",
		      "sockets have no identities (SO_COOKIE): use Linux 4.12 "
		      "or later");
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0)
		check(GOOD, "kernel",
		      "network namespaces have identities (SO_NETNS_COOKIE)");
	else
		check(WARNING, "kernel",
		      "no SO_NETNS_COOKIE, the namespace's inode number, which "
		      "may come again, stands in: use Linux 5.14 or later");
	size = sizeof(range);
	if (getsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &range, &size) == 0)
		check(GOOD, "kernel",
		      "sockets can be kept off reserved ports "
		      "(IP_LOCAL_PORT_RANGE)");
	else
		check(WARNING, "kernel",
		      "no IP_LOCAL_PORT_RANGE, ports are picked by the library "
		      "where a reservation is ephemeral: use Linux 6.3 or "
		      "later");
}

static void
check_robust_list(void)
{
	void *head = NULL;
	size_t size;
	int r = sys_robust_list(&sys_kernel, &head, &size);

	if (r == 0 && !head && robust_list_register())
		sys_robust_list(&sys_kernel, &head, &size);
	if (head)
		check(GOOD, "kernel", "threads have robust lists");
	else
		check(WARNING, "kernel",
		      "threads have no robust lists, so binds take the pool's "
		      "lock and are slower: leave a sandbox that forbids "
		      "get_robust_list");
}

/* A sandbox may forbid us a family that others use. */
static void
check_ipv6(void)
{
	int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int why = errno, list;

	if (six >= 0) {
		close(six);
		return;
	}
	if (access("/proc/thread-self/net/if_inet6", F_OK) < 0)
		return;
	list = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (list >= 0)
		close(list);
	check(WARNING, "kernel",
	      "sockets of IPv6 are forbidden here (%s), so %s: allow AF_INET6 "
	      "(RestrictAddressFamilies=)",
	      strerror(why),
	      list < 0 ? "what IPv6 sockets use is not seen"
		       : "what they use is asked of the kernel's list");
}

/* A bind succeeds without it, and a connect finds no way. */
static void
check_loopback(int fd)
{
	struct ifreq loopback = {.ifr_name = "lo"};

	if (ioctl(fd, SIOCGIFFLAGS, &loopback) < 0 ||
	    !(loopback.ifr_flags & IFF_UP))
		check(WARNING, "kernel",
		      "no loopback here, so that programs do not reach each "
		      "other at 127.0.0.1: ip link set lo up");
}

/* Older kernels do not list a socket that is only bound. */
static void
check_sockdiag(int fd)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	socklen_t size = sizeof(address);
	struct sockdiag_count count = {0};
	int r;

	if (bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		check(WARNING, "kernel",
		      "its list of sockets was not tried, because none can be "
		      "bound: %m");
		return;
	}
	r = sockdiag_count(&sys_kernel, PROTOCOL_TCP, ntohs(address.sin_port),
			   &count);
	if (r < 0)
		check(WARNING, "kernel",
		      "it does not list sockets (%s), so TIME_WAIT counts as "
		      "in use: modprobe tcp_diag udp_diag",
		      strerror(-r));
	else if (count.other == 0)
		check(WARNING, "kernel",
		      "it does not list TCP sockets that are only bound: use "
		      "Linux 6.8 or later");
	else
		check(GOOD, "kernel", "it lists sockets (sock_diag)");
}

void
check_kernel(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		check(ERROR, "kernel", "no TCP socket can be made: %m");
		return;
	}
	check_leases(fd);
	check_options(fd);
	check_robust_list();
	check_ipv6();
	check_loopback(fd);
	check_sockdiag(fd);
	close(fd);
}
