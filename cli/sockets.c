/* SPDX-License-Identifier: MIT */
#include "cli/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/process.h"
#include "core/kernel/sockdiag.h"

/* Makes room for one more; the command is short and may die of no memory. */
static void *
grow(void *array, size_t count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array)
		abort();
	return array;
}

static const char *
state_name(unsigned state)
{
	static const char *const names[] = {
		[1] = "connected",  [2] = "connecting", [3] = "connecting",
		[4] = "closing",    [5] = "closing",	[6] = "TIME_WAIT",
		[7] = "bound",	    [8] = "closing",	[9] = "closing",
		[10] = "listening", [11] = "closing",	[12] = "connecting",
		[13] = "bound",
	};

	/* To the kernel an unconnected UDP socket is a closed one, 7. */
	return state < sizeof(names) / sizeof(*names) && names[state]
		       ? names[state]
		       : "bound";
}

struct search {
	enum protocol protocol;
	struct sockets *to;
};

static void
note_socket(void *context, const struct inet_diag_msg *message)
{
	struct search *search = context;
	struct sockets *to = search->to;
	struct bound bound = {
		.protocol = search->protocol,
		.port = ntohs(message->id.idiag_sport),
		.state = state_name(message->idiag_state),
		.user = message->idiag_uid,
		.inode = message->idiag_inode,
	};
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(message->idiag_family, message->id.idiag_src, address,
		  sizeof(address));
	snprintf(bound.address, sizeof(bound.address),
		 message->idiag_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address, bound.port);
	to->bound = grow(to->bound, to->count, sizeof(bound));
	to->bound[to->count++] = bound;
}

int
sockets_find(enum protocol protocol, struct range range, struct sockets *to)
{
	struct search search = {.protocol = protocol, .to = to};

	return sockdiag_each(&sys_kernel, protocol, range, note_socket,
			     &search);
}

static void
note_holder(void *context, uint32_t pid, int fd)
{
	struct sockets *sockets = context;
	uint64_t inode = process_socket(pid, fd);

	for (size_t i = 0; inode != 0 && i < sockets->count; i++) {
		struct bound *bound = &sockets->bound[i];
		struct holder *holder;

		if (bound->inode != inode)
			continue;
		/* The walk goes process by process: a dup of the socket comes
		 * next. */
		if (bound->count && bound->holders[bound->count - 1].pid == pid)
			continue;
		bound->holders =
			grow(bound->holders, bound->count, sizeof(*holder));
		holder = &bound->holders[bound->count++];
		holder->pid = pid;
		process_name(pid, holder->command);
	}
}

void
sockets_find_holders(struct sockets *sockets)
{
	if (sockets->count)
		process_each_fd(note_holder, sockets);
}

bool
bound_closes(const struct bound *bound)
{
	return strcmp(bound->state, "closing") == 0;
}

void
sockets_free(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		free(sockets->bound[i].holders);
	free(sockets->bound);
}
