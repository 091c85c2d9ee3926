/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Which sockets take ports of TCP or UDP: others have ports of their own, or
 * call something else a port, as ping sockets do. */
#ifndef PORTRES_GUARD_PROTOCOLS_H
#define PORTRES_GUARD_PROTOCOLS_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/in.h>

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

static __always_inline bool
takes_ports(const struct bpf_sock *sk)
{
	if (sk->type == SOCK_STREAM)
		return sk->protocol == IPPROTO_TCP ||
		       sk->protocol == IPPROTO_MPTCP;
	return sk->type == SOCK_DGRAM && sk->protocol == IPPROTO_UDP;
}

#endif
