/* SPDX-License-Identifier: MIT */
#include "shim/refusal.h"

#include <netinet/in.h>
#include <string.h>

#include "shim/shim.h"
#include "shim/usermem.h"

__thread struct portres_refusal refusal;

void
refusal_set(int err, uint32_t reason, uint16_t port)
{
	memset(&refusal, 0, sizeof(refusal));
	refusal.error = err;
	refusal.reason = reason;
	refusal.port = htons(port);
}

/* A process may have any name: no control characters reach a terminal. */
static void
set_command(const char command[16])
{
	for (int i = 0; i < 15 && command[i]; i++)
		refusal.command[i] =
			command[i] < ' ' || command[i] > '~' ? '?' : command[i];
}

void
refusal_reserved(int err, uint16_t port, const struct slot *slot)
{
	struct range block;

	refusal_set(err, PORTRES_RESERVED, port);
	if (!slot)
		return;
	block = slot_range(slot);
	refusal.start_port = htons((uint16_t)block.start);
	refusal.number_of_ports = (uint16_t)block.count;
	refusal.persistent = slot->kind == KIND_PERSISTENT;
	if (refusal.persistent)
		return;
	refusal.pid = (int32_t)slot->pid;
	set_command(slot->command);
}

void
refusal_of_acquire(struct pool *pool, struct obstacle obstacle)
{
	enum protocol protocol = obstacle.protocol;
	uint16_t port = obstacle.port;
	struct slot *slot = NULL;

	if (port && pool_whole(pool) &&
	    atomic_load(mark_of(pool->file, protocol, port)))
		slot = slot_by_port(pool->file, protocol, port);
	if (slot)
		refusal_reserved(EADDRINUSE, port, slot);
	else
		refusal_set(EADDRINUSE, PORTRES_IN_USE, port);
}

EXPORTED int
portres_refusal(struct portres_refusal *ret)
{
	static const struct portres_refusal none;
	bool known = refusal.error && refusal.error == errno;

	return ret_errno(
		usermem_write(ret, known ? &refusal : &none, sizeof(*ret)));
}
