/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/sockets.h"
#include "cli/trouble.h"
#include "cli/view.h"
#include "core/kernel/port_probe.h"

static int
refuse_reserved(struct block block, const struct entry *entry,
		const char *way_out)
{
	char wanted[16], range[16], holder[256];

	return refuse("%s ports %s overlap %s, held by %s: %s, or take other "
		      "ports",
		      protocol_name(block.protocol),
		      range_text(&block.range, wanted),
		      range_text(&entry->range, range),
		      entry_holder(entry, holder, sizeof(holder)),
		      entry->kind == KIND_PERSISTENT ? way_out : "stop it");
}

/*
 * The socket to tell of: one whose process is seen, else one that has a
 * process, else a connection that the kernel is closing. One in TIME_WAIT is in
 * nobody's way.
 */
static const struct bound *
in_the_way(const struct sockets *sockets)
{
	const struct bound *found = NULL;

	for (size_t i = 0; i < sockets->count; i++) {
		const struct bound *bound = &sockets->bound[i];

		if (bound->count)
			return bound;
		if (bound->inode || (!found && bound_closes(bound)))
			found = bound;
	}
	return found;
}

static int
refuse_bound(enum protocol protocol, uint32_t port)
{
	struct sockets sockets = {0};
	char holder[64] = "a process that is not to be seen here";
	const char *way_out = "stop it";
	const struct bound *bound;

	if (sockets_find(protocol, (struct range){port, 1}, &sockets) == 0)
		sockets_find_holders(&sockets);
	bound = in_the_way(&sockets);
	if (bound && bound->count) {
		snprintf(holder, sizeof(holder), "pid %u (%s)",
			 bound->holders->pid, bound->holders->command);
	} else if (bound && !bound->inode) {
		strcpy(holder, "a connection that no process has any more");
		way_out = "wait until it is closed";
	}
	sockets_free(&sockets);
	return refuse("%s port %u is in use by %s: %s, or take other ports",
		      protocol_name(protocol), port, holder, way_out);
}

int
refuse_conflict(struct pool *pool, struct block block, const char *way_out)
{
	const struct entry *entry = NULL;
	struct view view = {0};
	struct port_probe probe = {0};
	struct port_cost cost = {0};
	uint32_t port;
	int r = 0;

	if (view_take(pool, &view) == 0)
		entry = view_find(&view, block.protocol, block.range);
	/* Probes as the acquire did: asking sock_diag for each port would take
	 * minutes. */
	if (!entry)
		r = port_probe_first(&sys_kernel, &probe, &cost, block.protocol,
				     block.range, &port);
	if (entry)
		r = refuse_reserved(block, entry, way_out);
	else if (r == 1)
		r = refuse_bound(block.protocol, port);
	else if (refuse_descriptors(r))
		r = STATUS_REFUSED;
	else
		r = refuse("%s ports from %u on were in use a moment ago: try "
			   "again",
			   protocol_name(block.protocol), block.range.start);
	view_free(&view);
	return r;
}
