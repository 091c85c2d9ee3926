// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The guard: refuses binds to reserved ports, whoever binds, and answers the
 * requests of include/portres.h. `portres guard on` attaches these programs to
 * a cgroup, where they stay without a process of ours.
 *
 * bind4, bind6            refuse before the kernel takes the port
 * post_bind4, post_bind6  refuse after it has: a block may be acquired between
 *                         the look and the bind; and ports that the system
 *                         chooses pass nowhere else
 * setsockopt              the requests
 * sock_release            ends the blocks of a socket that is closed for good
 *
 * A light skeleton has room for 32 functions that are not inlined, these
 * programs and what bpf_loop() calls among them; with one more the kernel
 * refuses its loader with EACCES.
 */
#include <stdint.h>

#include "guard/requests.h"

static __noinline int
may_have(struct guard_block *block, struct guard_socket *socket)
{
	if (!block)
		return 1;
	if (socket && socket->associated == block->instance)
		return 1;
	if (block->state == GUARD_TRIAL && caller_pid() == block->trier &&
	    caller_began() == block->began)
		return 1;
	return has_owner(block);
}

/* 1: let it in. */
static __always_inline int
judge(struct bpf_sock *sk, uint64_t namespace, uint32_t port)
{
	struct guard_counters *c = counters_get();
	struct guard_block *block;
	uint32_t *at;
	int space;

	if (!takes_ports(sk))
		return 1;
	space = namespace_find(namespace);
	if (space < 0)
		return 1;
	at = mark_at((uint32_t)space, sk->type == SOCK_DGRAM, port & 0xffff);
	if (!at || !*at)
		return 1;
	block = block_marked(*at, namespace);
	if (!block || may_have(block, socket_get(sk)))
		return 1;
	if (c)
		__sync_fetch_and_add(&c->refused, 1);
	bpf_set_retval(-EADDRINUSE);
	return 0;
}

static __always_inline int
before_bind(struct bpf_sock_addr *ctx)
{
	uint32_t port = bpf_ntohs((uint16_t)ctx->user_port);
	struct bpf_sock *sk = ctx->sk;

	if (!any_blocks() || !sk || !port)
		return 1;
	return judge(sk, bpf_get_netns_cookie(ctx), port);
}

static __always_inline int
after_bind(struct bpf_sock *sk)
{
	return any_blocks() ? judge(sk, bpf_get_netns_cookie(sk), sk->src_port)
			    : 1;
}

SEC("cgroup/bind4")
int
guard_bind4(struct bpf_sock_addr *ctx)
{
	return before_bind(ctx);
}

SEC("cgroup/bind6")
int
guard_bind6(struct bpf_sock_addr *ctx)
{
	return before_bind(ctx);
}

SEC("cgroup/post_bind4")
int
guard_post4(struct bpf_sock *sk)
{
	return after_bind(sk);
}

SEC("cgroup/post_bind6")
int
guard_post6(struct bpf_sock *sk)
{
	return after_bind(sk);
}

SEC("cgroup/setsockopt")
int
guard_setsockopt(struct bpf_sockopt *ctx)
{
	int r;

	if (ctx->level != PORTRES_GUARD) {
		/* A value of more than a page: the kernel is to read the
		 * caller's own, of which we were shown a part. */
		if (ctx->optlen > 4096)
			ctx->optlen = 0;
		return 1;
	}
	r = request_serve(ctx);
	if (r < 0) {
		bpf_set_retval(r);
		return 0;
	}
	ctx->optlen = -1; /* the kernel is asked no more */
	return 1;
}

static long
end_one(uint32_t i, uint32_t *mark)
{
	struct guard_block *block = *mark ? block_at(*mark - 1) : 0;
	uint32_t next;

	if (!block)
		return 1;
	next = block->next;
	block_end(*mark - 1, block_living(block));
	*mark = next;
	return 0;
}

SEC("cgroup/sock_release")
int
guard_release(struct bpf_sock *sk)
{
	/* Whether there are blocks or not: one that it has joined may have
	 * ended. */
	struct guard_socket *socket = socket_get(sk);
	uint32_t mark;

	if (!socket)
		return 1;
	leave(socket, (uint64_t)address_of(sk));
	mark = socket->owned;
	socket->owned = 0;
	if (mark)
		bpf_loop(GUARD_BLOCKS, end_one, &mark, 0);
	return 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
