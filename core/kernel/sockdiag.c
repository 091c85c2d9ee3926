/* SPDX-License-Identifier: MIT */
#include "core/kernel/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>

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

/* The older form, for which the kernel does not look at the family. */
struct old_request {
	struct nlmsghdr header;
	struct inet_diag_req body;
	struct nlattr protocol_attribute;
	uint32_t protocol;
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

static struct port_filter
only(struct range ports)
{
	struct inet_diag_bc_op first = {.no = (unsigned short)ports.start};
	struct inet_diag_bc_op last = {
		.no = (unsigned short)(range_end(ports) - 1)};

	return (struct port_filter){compare(INET_DIAG_BC_S_GE, 16), first,
				    compare(INET_DIAG_BC_S_LE, 8), last};
}

static int
number_of(enum protocol protocol)
{
	return protocol == PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

static int
send_to_kernel(const struct sys_ops *sys, int fd, const void *request,
	       size_t size)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	long r = sys_sendto(sys, fd, request, size, &kernel, sizeof(kernel));

	return r < 0 ? (int)r : 0;
}

static int
ask(const struct sys_ops *sys, int fd, enum protocol protocol, uint8_t family,
    struct range ports)
{
	const struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = (uint8_t)number_of(protocol),
			 .idiag_states = ALL_STATES},
		.attribute = {.nla_len = sizeof(struct nlattr) +
					 sizeof(struct port_filter),
			      .nla_type = INET_DIAG_REQ_BYTECODE},
		.filter = only(ports),
	};

	return send_to_kernel(sys, fd, &request, sizeof(request));
}

static int
ask_for_both(const struct sys_ops *sys, int fd, enum protocol protocol,
	     struct range ports, uint32_t states)
{
	const struct old_request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = TCPDIAG_GETSOCK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.idiag_states = states},
		.protocol_attribute = {.nla_len = sizeof(struct nlattr) +
						  sizeof(uint32_t),
				       .nla_type = INET_DIAG_REQ_PROTOCOL},
		.protocol = (uint32_t)number_of(protocol),
		.attribute = {.nla_len = sizeof(struct nlattr) +
					 sizeof(struct port_filter),
			      .nla_type = INET_DIAG_REQ_BYTECODE},
		.filter = only(ports),
	};

	return send_to_kernel(sys, fd, &request, sizeof(request));
}

/* The end of an answer says how it went: -ENOENT, for one, that the kernel has
 * nobody to list this protocol. */
static int
outcome(const struct nlmsghdr *done)
{
	const int *r = NLMSG_DATA(done);

	return done->nlmsg_len >= NLMSG_LENGTH(sizeof(*r)) && *r < 0 ? *r : 1;
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
			return outcome(message);
		if (message->nlmsg_type == NLMSG_ERROR)
			return error->error < 0 ? error->error : -EIO;
		if (range_contains(ports, ntohs(socket->id.idiag_sport)))
			seen(context, socket);
	}
	return 0;
}

/*
 * The memory of an answer is kept for the next one: to map it, touch it and give
 * it back takes longer than four trial binds. A thread, a signal handler or a
 * child of vfork() that finds it taken maps its own.
 */
static _Atomic(void *) kept;

static int
take_room(const struct sys_ops *sys, void **ret_room)
{
	void *room = atomic_exchange(&kept, NULL);
	long at = room ? (long)room : sys_mmap_private(sys, ANSWER_SIZE);

	*ret_room = (void *)at;
	return at < 0 ? (int)at : 0;
}

static void
keep_room(const struct sys_ops *sys, void *room)
{
	void *none = NULL;

	if (!atomic_compare_exchange_strong(&kept, &none, room))
		sys_munmap(sys, room, ANSWER_SIZE);
}

int
sockdiag_open(const struct sys_ops *sys, struct sockdiag *ret)
{
	int r = take_room(sys, &ret->answer);

	if (r < 0)
		return r;
	ret->sys = sys;
	ret->fd = sys_socket(sys, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			     NETLINK_SOCK_DIAG);
	if (ret->fd < 0)
		keep_room(sys, ret->answer);
	return ret->fd < 0 ? ret->fd : 0;
}

void
sockdiag_close(const struct sockdiag *diag)
{
	sys_close(diag->sys, diag->fd);
	keep_room(diag->sys, diag->answer);
}

/* Reads the answer to a request that was sent with the result `r`. */
static int
answer(const struct sockdiag *diag, int r, struct range ports,
       sockdiag_seen *seen, void *context)
{
	while (r == 0) {
		long n = sys_read(diag->sys, diag->fd, diag->answer,
				  ANSWER_SIZE);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		r = each_message(diag->answer, (size_t)n, ports, seen, context);
	}
	return r < 0 ? r : 0;
}

int
sockdiag_walk(const struct sockdiag *diag, enum protocol protocol,
	      struct range ports, sockdiag_seen *seen, void *context)
{
	int r = ask_for_both(diag->sys, diag->fd, protocol, ports,
			     ALL_STATES & ~(1u << SOCKDIAG_TIME_WAIT));

	return answer(diag, r, ports, seen, context);
}

int
sockdiag_listeners(const struct sys_ops *sys, struct range ports,
		   sockdiag_seen *seen, void *context)
{
	struct sockdiag diag;
	int r = sockdiag_open(sys, &diag);

	if (r < 0)
		return r;
	r = ask_for_both(sys, diag.fd, PROTOCOL_TCP, ports,
			 1u << SOCKDIAG_LISTEN);
	r = answer(&diag, r, ports, seen, context);
	sockdiag_close(&diag);
	return r;
}

int
sockdiag_each(const struct sys_ops *sys, enum protocol protocol,
	      struct range ports, sockdiag_seen *seen, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct sockdiag diag;
	int r = sockdiag_open(sys, &diag);

	if (r < 0)
		return r;
	for (int i = 0; i < 2 && r == 0; i++) {
		r = ask(sys, diag.fd, protocol, families[i], ports);
		r = answer(&diag, r, ports, seen, context);
	}
	sockdiag_close(&diag);
	return r;
}

static void
count(void *context, const struct inet_diag_msg *socket)
{
	struct sockdiag_count *so_far = context;

	if (socket->idiag_state == SOCKDIAG_TIME_WAIT)
		so_far->time_wait++;
	else if (sockdiag_keeps_port(socket))
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

	if (sockdiag_keeps_port(socket))
		port_set_add(context, port);
}

int
sockdiag_used(const struct sys_ops *sys, enum protocol protocol,
	      struct range ports, struct port_set *set)
{
	return sockdiag_each(sys, protocol, ports, add, set);
}
