/* SPDX-License-Identifier: MIT */
#include "core/kernel/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define STATE_TIME_WAIT 6
#define ANSWER_SIZE 8192       /* mapped: too large for a signal stack */
#define ALL_STATES 0xffffffffu /* later kernels' bound-inactive (13) too */

/* Two comparisons that the kernel makes for each socket: port <= local port,
 * local port <= port. Each is an op with the number in a second op. */
struct port_filter {
	struct inet_diag_bc_op at_least, at_least_port;
	struct inet_diag_bc_op at_most, at_most_port;
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
	struct nlattr attribute;
	struct port_filter filter;
};

static struct inet_diag_bc_op
compare(unsigned char code, unsigned short left)
{
	/* On yes skip both ops; on no skip all that is left and 4 more, the
	 * kernel's way to say "refused". */
	return (struct inet_diag_bc_op){
		.code = code,
		.yes = 2 * sizeof(struct inet_diag_bc_op),
		.no = (unsigned short)(left + 4),
	};
}

static int
ask(const struct sys_ops *sys, int fd, enum protocol protocol, uint8_t family,
    struct range ports)
{
	struct inet_diag_bc_op first = {.no = (unsigned short)ports.start};
	struct inet_diag_bc_op last = {
		.no = (unsigned short)(range_end(ports) - 1)};
	struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = protocol == PROTOCOL_TCP
						   ? IPPROTO_TCP
						   : IPPROTO_UDP,
			 .idiag_states = ALL_STATES},
		.attribute = {.nla_len = sizeof(struct nlattr) +
					 sizeof(struct port_filter),
			      .nla_type = INET_DIAG_REQ_BYTECODE},
		.filter = {compare(INET_DIAG_BC_S_GE, 16), first,
			   compare(INET_DIAG_BC_S_LE, 8), last},
	};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	long r = sys_sendto(sys, fd, &request, sizeof(request), &kernel,
			    sizeof(kernel));

	return r < 0 ? (int)r : 0;
}

/* Returns 1 at the end of the answer, 0 when there is more, or -Exxx. */
static int
each_message(const struct nlmsghdr *message, size_t n, struct range ports,
	     sockdiag_seen *seen, void *context)
{
	for (; NLMSG_OK(message, n); message = NLMSG_NEXT(message, n)) {
		const struct inet_diag_msg *socket = NLMSG_DATA(message);
		const struct nlmsgerr *error = NLMSG_DATA(message);

		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return error->error < 0 ? error->error : -EIO;
		if (range_contains(ports, ntohs(socket->id.idiag_sport)))
			seen(context, socket);
	}
	return 0;
}

/* `answer` is a page of ANSWER_SIZE bytes. */
static int
each_of_family(const struct sys_ops *sys, int fd, enum protocol protocol,
	       uint8_t family, struct range ports, void *answer,
	       sockdiag_seen *seen, void *context)
{
	int r = ask(sys, fd, protocol, family, ports);

	while (r == 0) {
		long n = sys_read(sys, fd, answer, ANSWER_SIZE);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		r = each_message(answer, (size_t)n, ports, seen, context);
	}
	return r < 0 ? r : 0;
}

static int
each_of_both(const struct sys_ops *sys, int fd, enum protocol protocol,
	     struct range ports, sockdiag_seen *seen, void *context)
{
	long at = sys_mmap_private(sys, ANSWER_SIZE);
	void *answer = (void *)at;
	int r;

	if (at < 0)
		return (int)at;
	r = each_of_family(sys, fd, protocol, AF_INET, ports, answer, seen,
			   context);
	if (r == 0)
		r = each_of_family(sys, fd, protocol, AF_INET6, ports, answer,
				   seen, context);
	sys_munmap(sys, answer, ANSWER_SIZE);
	return r;
}

int
sockdiag_each(const struct sys_ops *sys, enum protocol protocol,
	      struct range ports, sockdiag_seen *seen, void *context)
{
	int fd = sys_socket(sys, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			    NETLINK_SOCK_DIAG);
	int r;

	if (fd < 0)
		return fd;
	r = each_of_both(sys, fd, protocol, ports, seen, context);
	sys_close(sys, fd);
	return r;
}

static void
count(void *context, const struct inet_diag_msg *socket)
{
	struct sockdiag_count *so_far = context;

	if (socket->idiag_state == STATE_TIME_WAIT)
		so_far->time_wait++;
	else
		so_far->other++;
}

int
sockdiag_count(const struct sys_ops *sys, enum protocol protocol, uint32_t port,
	       struct sockdiag_count *ret_count)
{
	struct sockdiag_count counted = {0};
	int r = sockdiag_each(sys, protocol, (struct range){port, 1}, count,
			      &counted);

	if (r == 0)
		*ret_count = counted;
	return r;
}

static void
add(void *context, const struct inet_diag_msg *socket)
{
	const struct range port = {ntohs(socket->id.idiag_sport), 1};

	if (socket->idiag_state != STATE_TIME_WAIT)
		port_set_add(context, port);
}

int
sockdiag_used(const struct sys_ops *sys, enum protocol protocol,
	      struct range ports, struct port_set *ret)
{
	memset(ret, 0, sizeof(*ret));
	return sockdiag_each(sys, protocol, ports, add, ret);
}
