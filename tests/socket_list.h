/* SPDX-License-Identifier: MIT */
/*
 * Kernels that cannot list their sockets, because tcp_diag or udp_diag is not
 * there. Such a kernel is known by a request that is made here: a mistake in
 * core/kernel/sockdiag.c must not look like one.
 */
#ifndef PORTRES_TESTS_SOCKET_LIST_H
#define PORTRES_TESTS_SOCKET_LIST_H

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/check.h"

static inline void
socket_list_ask(int fd, int protocol, uint32_t states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = AF_INET,
			 .sdiag_protocol = (uint8_t)protocol,
			 .idiag_states = states},
	};

	cr_assert_eq(send(fd, &request, sizeof(request), 0), sizeof(request));
}

/* The kernel's answer to a request for a list without members: 0 or -Exxx. */
static inline int
socket_list_answer(int fd, int protocol)
{
	/* An error, or the end of the list: each begins with a number. */
	struct {
		struct nlmsghdr header;
		int result;
		char rest[512];
	} answer = {0};

	socket_list_ask(fd, protocol, 0);
	cr_assert_geq(recv(fd, &answer, sizeof(answer), 0),
		      (ssize_t)(sizeof(answer.header) + sizeof(int)));
	return answer.header.nlmsg_type == NLMSG_ERROR ||
			       answer.header.nlmsg_type == NLMSG_DONE
		       ? answer.result
		       : 0;
}

static inline bool
socket_list_lacking(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool lacking;

	if (fd < 0)
		return errno == EPROTONOSUPPORT;
	lacking = socket_list_answer(fd, IPPROTO_TCP) == -ENOENT ||
		  socket_list_answer(fd, IPPROTO_UDP) == -ENOENT;
	close(fd);
	return lacking;
}

/* Linux 6.8 and later list a TCP socket that is bound, not connected, and does
 * not listen; without that the list is of no use for TCP. */
static inline bool
socket_list_has_inactive(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct nlmsghdr first = {0};

	cr_assert_eq(bind(bound, (struct sockaddr *)&any, sizeof(any)), 0);
	socket_list_ask(fd, IPPROTO_TCP, 1u << 13);
	cr_assert_geq(recv(fd, &first, sizeof(first), 0),
		      (ssize_t)sizeof(first));
	close(bound);
	close(fd);
	/* That, or the end. */
	return first.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}

#define NEEDS_SOCKET_LIST()                                                    \
	do {                                                                   \
		if (socket_list_lacking())                                     \
			SKIP("the kernel lists no sockets: no tcp_diag or no " \
			     "udp_diag");                                      \
	} while (0)

#endif
