/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The requests, as include/portres.h documents them; each returns 0 or -Exxx.
 * The kernel holds the socket's lock, so that one socket's requests come one
 * after the other.
 */
#ifndef PORTRES_GUARD_REQUESTS_H
#define PORTRES_GUARD_REQUESTS_H

#include <bpf/bpf_endian.h>

#include "guard/blocks.h"
#include "guard/caller.h"
#include "guard/ephemeral.h"
#include "guard/owners.h"
#include "guard/protocols.h"
#include "include/portres.h"

/* A request, checked, and what was asked. */
struct request {
	struct portres_guard in;
	uint64_t namespace;
	uint32_t start, count, udp;
};

static __always_inline struct guard_socket *
socket_get(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, 0);
}

static __always_inline struct guard_socket *
socket_make(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/* The guard's number as it is told there: a question from another namespace
 * carries another number, and so is not taken for one about these blocks. */
static __always_inline uint64_t
number_in(const struct guard_config *c, uint64_t namespace)
{
	return (c->number + namespace * 0x9e3779b97f4a7c15) & 0x1ffffffff;
}

/* A block that a request names. */
struct found {
	struct guard_block *block;
	uint64_t living; /* 0: it is being taken or ended */
	uint32_t mark;
};

/* The one with its token and numbers; or none, and false. */
static __always_inline bool
find(const struct request *request, struct found *ret)
{
	int space = namespace_find(request->namespace);
	struct guard_block *block;
	uint32_t *at;

	if (space < 0)
		return false;
	at = mark_at((uint32_t)space, request->udp, request->start);
	ret->mark = at ? *at : 0;
	ret->block = block = ret->mark ? block_at(ret->mark - 1) : 0;
	if (!block)
		return false;
	ret->living = block_living(block);
	return block->instance && block->namespace == request->namespace &&
	       block->token == request->in.token &&
	       block->start == request->start &&
	       block->count == request->count && block->udp == request->udp;
}

static __always_inline bool
find_kept(const struct request *request, struct found *ret)
{
	return find(request, ret) && ret->living &&
	       ret->block->state == GUARD_KEPT;
}

/* One that the socket owns. */
static __always_inline bool
find_owned(const struct request *request, struct bpf_sock *sk,
	   struct found *ret)
{
	return find(request, ret) && ret->living &&
	       ret->block->state != GUARD_KEPT &&
	       ret->block->owner == (uint64_t)address_of(sk);
}

/* Counts a block in: for its payer, and in its namespace. */
static __noinline int
count_in(struct wanted *block, bool opens)
{
	uint64_t more = USER_BLOCK + (opens ? USER_NAMESPACE : 0);
	bool opened = opens;
	int space;

	if (!block)
		return -EINVAL;
	if (user_charge(block->payer, block->charge, more) < 0)
		return -ENOBUFS;
	space = namespace_enter(block->namespace, block->payer, &opened);
	if (space < 0)
		user_discharge(block->payer, USER_PORTS(block->charge) + more);
	else if (opens && !opened)
		user_discharge(block->payer, USER_NAMESPACE);
	return space;
}

/* ACQUIRE, ADOPT, KEEP. */
static __noinline int
take(const struct request *request, struct wanted *block, struct bpf_sock *sk)
{
	int space;

	if (!request || !block || !sk)
		return -EINVAL;
	block->token = request->in.token;
	block->namespace = request->namespace;
	block->start = (uint16_t)request->start;
	block->count = (uint16_t)request->count;
	block->udp = (uint16_t)request->udp;
	if (block->payer != GUARD_NOBODY)
		block->charge =
			weight(address_of(sk), request->start, request->count);
	space = count_in(block, namespace_find(block->namespace) < 0);
	if (space == -EAGAIN) /* it has just closed */
		space = count_in(block, true);
	if (space < 0)
		return space;
	block->space = (uint16_t)space;
	return block_take(block);
}

static __noinline int
own(const struct request *request, struct bpf_sock *sk, bool adopted)
{
	struct wanted block = {};
	struct guard_socket *socket;
	int mark;

	if (!request || !sk)
		return -EINVAL;
	if (adopted && !is_administrator())
		return -EACCES;
	if (!adopted && !may_bind(address_of(sk), request->start))
		return -ENOBUFS;
	socket = socket_make(sk);
	if (!socket)
		return -ENOBUFS;
	block.owner = (uint64_t)address_of(sk);
	block.uid = adopted ? request->in.uid : caller_uid();
	block.payer =
		adopted ? (block.uid ? block.uid : GUARD_NOBODY) : payer();
	block.gid = PORTRES_GUARD_NOBODY;
	block.state = adopted ? GUARD_LIVE : GUARD_TRIAL;
	block.trier = caller_pid();
	block.began = caller_began();
	block.heir = request->in.fd;
	block.next = socket->owned;
	mark = take(request, &block, sk);
	if (mark < 0)
		return mark;
	socket->owned = (uint32_t)mark;
	return 0;
}

static __always_inline int
commit(const struct request *request, struct bpf_sock *sk)
{
	struct guard_config *c = config_get();
	struct found found = {};

	if (!find_owned(request, sk, &found) || !c)
		return -ENOENT;
	if (found.block->state != GUARD_TRIAL)
		return -EALREADY;
	found.block->state = GUARD_LIVE;
	return !request->in.number || request->in.number ==
					      number_in(c, request->namespace)
		       ? 0
		       : -ESTALE;
}

struct chain {
	uint32_t wanted, at, before;
};

static long
follow(uint32_t i, struct chain *chain)
{
	struct guard_block *block;

	if (!chain->at || chain->at == chain->wanted)
		return 1;
	block = block_at(chain->at - 1);
	if (!block)
		return 1;
	chain->before = chain->at;
	chain->at = block->next;
	return 0;
}

static __noinline int
release(const struct request *request, struct bpf_sock *sk)
{
	struct guard_block *block, *before;
	struct guard_socket *socket;
	struct found found = {};
	struct chain chain = {};

	if (!request || !sk)
		return -EINVAL;
	socket = socket_get(sk);
	if (!find_owned(request, sk, &found) || !socket)
		return -ENOENT;
	chain.wanted = found.mark;
	chain.at = socket->owned;
	bpf_loop(GUARD_BLOCKS, follow, &chain, 0);
	block = chain.at ? block_at(chain.at - 1) : 0;
	if (!block || chain.at != chain.wanted)
		return -ENOENT;
	before = chain.before ? block_at(chain.before - 1) : 0;
	if (before)
		before->next = block->next;
	else
		socket->owned = block->next;
	block_end(chain.wanted - 1, found.living);
	return 0;
}

static __noinline int
associate(const struct request *request, struct bpf_sock *sk)
{
	struct guard_socket *socket;
	struct guard_block *block;
	struct found found = {};

	if (!request || !sk)
		return -EINVAL;
	if (sk->src_port)
		return -EINVAL;
	if (!find(request, &found) || !found.living)
		return -ENOENT;
	block = found.block;
	if (!is_owner(block, found.living, socket_at(request->in.fd)) &&
	    !(block->state == GUARD_KEPT && is_of(block->uid, block->gid)))
		return -EACCES;
	socket = socket_make(sk);
	if (!socket)
		return -ENOBUFS;
	socket->associated = found.living;
	return 0;
}

/* An administrator keeps blocks for whom he likes; others that have the right
 * to the machine's store, for those that have it. All in the store's namespace:
 * another would end, and leave the blocks. */
static __noinline int
keep(const struct request *request, struct bpf_sock *sk)
{
	struct guard_config *c = config_get();
	struct wanted block = {};
	struct found found = {};
	int mark;

	if (!request || !sk || !c)
		return -EINVAL;
	block.state = GUARD_KEPT;
	block.payer = payer();
	block.uid = request->in.uid;
	block.gid = request->in.gid;
	block.heir = -1;
	if (!is_administrator() &&
	    (block.uid != c->store_uid || block.gid != c->store_gid ||
	     !is_of(block.uid, block.gid)))
		return -EACCES;
	if (request->namespace != c->store_namespace ||
	    !may_bind(address_of(sk), request->start))
		return -ENOBUFS;
	/* The store has another owner now, or another group. */
	if (find_kept(request, &found)) {
		if (!is_administrator() &&
		    !is_of(found.block->uid, found.block->gid))
			return -EACCES;
		found.block->uid = block.uid;
		found.block->gid = block.gid;
		return -EALREADY;
	}
	mark = take(request, &block, sk);
	return mark < 0 ? mark : 0;
}

static __always_inline int
drop(const struct request *request)
{
	struct found found = {};

	if (!request)
		return -EINVAL;
	if (!find_kept(request, &found))
		return -ENOENT;
	if (!is_of(found.block->uid, found.block->gid))
		return -EACCES;
	block_end(found.mark - 1, found.living);
	return 0;
}

static __noinline int
join(const struct request *request, struct bpf_sock *sk)
{
	struct guard_socket *socket;
	struct found found = {};
	uint64_t address;

	if (!request || !sk)
		return -EINVAL;
	if (!find_kept(request, &found))
		return -ENOENT;
	if (!is_of(found.block->uid, found.block->gid))
		return -EACCES;
	socket = socket_make(sk);
	if (!socket)
		return -ENOBUFS;
	address = (uint64_t)address_of(sk);
	if (has_joined_another(socket, found.living))
		return -EBUSY;
	if (heir_name(found.block, request->in.fd, 0) < 0)
		return -ENOBUFS;
	leave(socket, address);
	if (bpf_map_update_elem(&co_owners, &address, &found.living, BPF_ANY) <
	    0) {
		heir_name(found.block, request->in.fd, 1);
		return -ENOBUFS;
	}
	socket->joined = found.living;
	socket->joined_at = found.mark;
	socket->heir = request->in.fd;
	return 0;
}

static __always_inline int
query(const struct request *request)
{
	struct guard_config *c = config_get();
	struct found found = {};

	if (!c || request->in.number != number_in(c, request->namespace))
		return -ESTALE;
	/* One that is ending has its ports still. */
	return find(request, &found) ? 0 : -ENOENT;
}

static __always_inline int
number(const struct request *request)
{
	struct guard_config *c = config_get();

	if (!c || request->in.number > 2)
		return -EINVAL;
	/* Not 512 to 516, by which the kernel restarts calls. */
	return -PORTRES_GUARD_NUMBER_FROM -
	       (int)(number_in(c, request->namespace) >>
			     11 * request->in.number &
		     2047);
}

/* Is it a request, and of a socket that takes ports? */
static __always_inline int
request_read(struct bpf_sockopt *ctx, struct request *ret)
{
	struct portres_guard *in = ctx->optval;
	struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return -EOPNOTSUPP;
	if ((sk->family != AF_INET && sk->family != AF_INET6) ||
	    !takes_ports(sk) || sk->protocol == IPPROTO_MPTCP)
		return -EOPNOTSUPP;
	/* -1: a guard of a cgroup below has answered, and so does this one. */
	if ((ctx->optlen != sizeof(*in) && ctx->optlen != -1) ||
	    (void *)(in + 1) > ctx->optval_end)
		return -EINVAL;
	ret->in = *in;
	ret->namespace = bpf_get_netns_cookie(ctx);
	ret->start = bpf_ntohs(ret->in.start_port);
	ret->count = ret->in.number_of_ports;
	ret->udp = sk->type == SOCK_DGRAM;
	if (ret->in.protocol == IPPROTO_UDP || ret->in.protocol == IPPROTO_TCP)
		ret->udp = ret->in.protocol == IPPROTO_UDP;
	if (ret->in.reserved || ctx->optname == PORTRES_GUARD_NUMBER)
		return ret->in.reserved ? -EINVAL : 0;
	if (!ret->in.token || !ret->start || !ret->count ||
	    ret->start + ret->count > 65536)
		return -EINVAL;
	if (ctx->optname != PORTRES_GUARD_QUERY && ret->in.protocol)
		return -EINVAL;
	return 0;
}

static __always_inline int
request_serve(struct bpf_sockopt *ctx)
{
	struct request request = {};
	struct bpf_sock *sk = ctx->sk;
	int r = request_read(ctx, &request);

	if (r < 0 || !sk)
		return r;
	switch (ctx->optname) {
	case PORTRES_GUARD_ACQUIRE:
		return own(&request, sk, false);
	case PORTRES_GUARD_ADOPT:
		return own(&request, sk, true);
	case PORTRES_GUARD_COMMIT:
		return commit(&request, sk);
	case PORTRES_GUARD_RELEASE:
		return release(&request, sk);
	case PORTRES_GUARD_ASSOCIATE:
		return associate(&request, sk);
	case PORTRES_GUARD_QUERY:
		return query(&request);
	case PORTRES_GUARD_NUMBER:
		return number(&request);
	case PORTRES_GUARD_KEEP:
		return keep(&request, sk);
	case PORTRES_GUARD_DROP:
		return drop(&request);
	case PORTRES_GUARD_JOIN:
		return join(&request, sk);
	default:
		return -EINVAL;
	}
}

#endif
