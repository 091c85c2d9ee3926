/* SPDX-License-Identifier: MIT */
#include "core/kernel/guard.h"

#include <errno.h>
#include <netinet/in.h>

#include "portres.h"

static int
ask(const struct sys_ops *sys, int fd, int what,
    const struct portres_guard *request)
{
	return sys_setsockopt(sys, fd, PORTRES_GUARD, what, request,
			      sizeof(*request));
}

/* `owner`: the owning socket's number, if it matters, or -1. */
static struct portres_guard
request_for(const struct guarded *block, int owner)
{
	return (struct portres_guard){
		.token = block->token,
		.fd = owner,
		.start_port = htons((uint16_t)block->range.start),
		.number_of_ports = (uint16_t)block->range.count,
	};
}

int
guard_acquire(const struct sys_ops *sys, int fd, const struct guarded *block,
	      bool heirs)
{
	struct portres_guard request = request_for(block, heirs ? fd : -1);
	int r = ask(sys, fd, PORTRES_GUARD_ACQUIRE, &request);

	if (r == 0 || r == -ENOPROTOOPT)
		return r == 0 ? 1 : r;
	/* One of two guards may have it now. */
	guard_release(sys, fd, block);
	return r == -EADDRINUSE ? r : 0;
}

uint64_t
guard_number(const struct sys_ops *sys, int fd)
{
	struct portres_guard request = {0};
	uint64_t number = 0;

	/* Three errors, each 11 bits of it. */
	for (int part = 0; part < 3; part++) {
		int r;

		request.number = (uint64_t)part;
		r = ask(sys, fd, PORTRES_GUARD_NUMBER, &request);
		if (r > -PORTRES_GUARD_NUMBER_FROM)
			return 0;
		number |= (uint64_t)(-r - PORTRES_GUARD_NUMBER_FROM)
			  << 11 * part;
	}
	return number;
}

uint64_t
guard_commit(const struct sys_ops *sys, int fd, const struct guarded *block,
	     uint64_t *known)
{
	struct portres_guard request = request_for(block, -1);
	struct guarded told = *block;
	bool anew = *known == 0;
	int r;

	/* Another guard may have come after the number was told: it does not
	 * have the block. */
	if (anew)
		*known = guard_number(sys, fd);
	request.number = *known;
	r = ask(sys, fd, PORTRES_GUARD_COMMIT, &request);
	if (r == 0 || r == -ENOPROTOOPT)
		return r == 0 ? request.number : 0;
	if (r != -ESTALE || anew)
		return GUARDED_SOMEHOW;
	told.number = *known = guard_number(sys, fd);
	return guard_lives(sys, fd, &told) == 1 ? told.number : GUARDED_SOMEHOW;
}

int
guard_has(const struct sys_ops *sys, int fd, const struct guarded *block)
{
	struct portres_guard request = request_for(block, -1);
	int r = ask(sys, fd, PORTRES_GUARD_COMMIT, &request);

	return r == -ENOPROTOOPT ? r : r == 0 || r == -EALREADY;
}

void
guard_release(const struct sys_ops *sys, int fd, const struct guarded *block)
{
	struct portres_guard request = request_for(block, -1);

	ask(sys, fd, PORTRES_GUARD_RELEASE, &request);
}

int
guard_associate(const struct sys_ops *sys, int fd, int owner,
		const struct guarded *block)
{
	struct portres_guard request = request_for(block, owner);

	return ask(sys, fd, PORTRES_GUARD_ASSOCIATE, &request);
}

int
guard_keep(const struct sys_ops *sys, int fd, const struct guarded *block,
	   uid_t uid, gid_t gid)
{
	struct portres_guard request = request_for(block, -1);

	request.uid = uid;
	request.gid = gid;
	return ask(sys, fd, PORTRES_GUARD_KEEP, &request);
}

int
guard_drop(const struct sys_ops *sys, int fd, const struct guarded *block)
{
	struct portres_guard request = request_for(block, -1);

	return ask(sys, fd, PORTRES_GUARD_DROP, &request);
}

int
guard_join(const struct sys_ops *sys, int fd, const struct guarded *block)
{
	struct portres_guard request = request_for(block, fd);

	return ask(sys, fd, PORTRES_GUARD_JOIN, &request);
}

int
guard_lives(const struct sys_ops *sys, int fd, const struct guarded *block)
{
	struct portres_guard request = request_for(block, -1);
	int r;

	request.number = block->number;
	request.protocol =
		block->protocol == PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	r = ask(sys, fd, PORTRES_GUARD_QUERY, &request);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}
