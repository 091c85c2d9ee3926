/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/sockets.h"
#include "cli/view.h"
#include "core/inuse.h"

/* Why a block cannot be had: the reservation or the socket in its way. */
int
refuse_conflict(struct pool *pool, struct block block)
{
	const char *protocol = protocol_name(block.protocol);
	struct sockets sockets = {0};
	char range[16], other[16], holder[128] = "a process";
	const struct entry *entry;
	struct view view;
	uint32_t port;

	range_text(&block.range, range);
	if (view_take(pool, &view) == 0) {
		entry = view_find(&view, block.protocol, block.range);
		if (entry)
			return refuse(
				"%s ports %s overlap %s, held by %s: %s, "
				"or take other ports",
				protocol, range,
				range_text(&entry->range, other),
				entry_holder(entry, holder, sizeof(holder)),
				entry->kind == KIND_PERSISTENT ? "delete that"
							       : "stop it");
	}
	/* As the acquire found it: asking for each port would take minutes. */
	if (inuse_first(&sys_kernel, block.protocol, block.range, &port) == 1) {
		if (sockets_find(block.protocol, port, &sockets) == 0)
			sockets_find_holders(&sockets);
		if (sockets.count && sockets.bound->count)
			snprintf(holder, sizeof(holder), "pid %u (%s)",
				 sockets.bound->holders->pid,
				 sockets.bound->holders->command);
		sockets_free(&sockets);
		return refuse("%s port %u is in use by %s: stop it, or take "
			      "other ports",
			      protocol, port, holder);
	}
	return refuse("%s ports %s were in use a moment ago: try again",
		      protocol, range);
}
