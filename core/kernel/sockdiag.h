/* SPDX-License-Identifier: MIT */
/* Asks the kernel for the sockets on a port (NETLINK_SOCK_DIAG). */
#ifndef PORTRES_CORE_KERNEL_SOCKDIAG_H
#define PORTRES_CORE_KERNEL_SOCKDIAG_H

#include <linux/inet_diag.h>

#include "core/kernel/range.h"
#include "core/kernel/sys.h"

/* Values of idiag_state. A request socket belongs to its listener, and does not
 * keep the port once that is closed. */
#define SOCKDIAG_REQUEST 3
#define SOCKDIAG_TIME_WAIT 6
#define SOCKDIAG_LISTEN 10

static inline bool
sockdiag_keeps_port(const struct inet_diag_msg *socket)
{
	return socket->idiag_state != SOCKDIAG_TIME_WAIT &&
	       socket->idiag_state != SOCKDIAG_REQUEST;
}

struct sockdiag_count {
	uint32_t time_wait;
	/* All others, but requests. TCP sockets that are bound and neither
	 * listening nor connected are among them from Linux 6.8 on. */
	uint32_t other;
};

/*
 * Called with each socket that has one of these local ports, IPv4 and IPv6.
 * Each call makes the kernel walk all its sockets. idiag_state is a TCP state,
 * idiag_inode the number that /proc/PID/fd shows.
 */
typedef void sockdiag_seen(void *context, const struct inet_diag_msg *socket);
int sockdiag_each(const struct sys_ops *sys, enum protocol protocol,
		  struct range ports, sockdiag_seen *seen, void *context);

/* Called with TCP's listeners alone: a walk that is short on any machine. */
int sockdiag_listeners(const struct sys_ops *sys, struct range ports,
		       sockdiag_seen *seen, void *context);

/*
 * One walk for both families, without TIME_WAIT. Not each kernel knows the
 * request: before Linux 5.9 it answers for TCP when it is asked for UDP. So the
 * answer counts only if it shows a socket that is known to be there.
 */
struct sockdiag {
	const struct sys_ops *sys;
	int fd;
	void *answer;
};

int sockdiag_open(const struct sys_ops *sys, struct sockdiag *ret);
int sockdiag_walk(const struct sockdiag *diag, enum protocol protocol,
		  struct range ports, sockdiag_seen *seen, void *context);
void sockdiag_close(const struct sockdiag *diag);

/* Counts the sockets with this local port, IPv4 and IPv6. 0 or -Exxx. */
int sockdiag_count(const struct sys_ops *sys, enum protocol protocol,
		   uint32_t port, struct sockdiag_count *ret_count);

/* Adds the ports that have a socket, other than a request or one in
 * TIME_WAIT. */
int sockdiag_used(const struct sys_ops *sys, enum protocol protocol,
		  struct range ports, struct port_set *set);

#endif
