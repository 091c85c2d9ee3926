/* SPDX-License-Identifier: MIT */
#include "shim/refusal.h"

#include <netinet/in.h>
#include <string.h>

#include "core/kernel/strbuf.h"
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

/* A process may have any name: no control characters reach a terminal. */
static void
text_command(struct strbuf *text, const char command[16])
{
	for (int i = 0; i < 16 && command[i]; i++)
		strbuf_char(text, command[i] < ' ' || command[i] > '~'
					  ? '?'
					  : command[i]);
}

static void
print(const struct strbuf *text)
{
	SYS_CALL(&sys_kernel, SYS_write, STDERR_FILENO, SYS_ARG_(text->buffer),
		 SYS_ARG_(text->length));
}

static void
text_owner(struct strbuf *text, const struct slot *slot, bool unjudged)
{
	strbuf_string(text, ") by pid ");
	strbuf_number(text, slot->pid);
	strbuf_string(text, " (");
	text_command(text, slot->command);
	strbuf_string(text, ")");
	if (unjudged)
		strbuf_string(text, ", and nobody can tell whether that lives: "
				    "see portres doctor");
	else
		strbuf_string(text,
			      ": stop it, or let it associate this socket");
}

void
explain_refusal(const struct slot *slot, uint16_t port, bool unjudged)
{
	struct range block = slot_range(slot);
	char line[320];
	struct strbuf text = strbuf_in(line, sizeof(line));

	strbuf_string(&text, "portres: ");
	strbuf_string(&text, slot->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	strbuf_string(&text, " port ");
	strbuf_number(&text, port);
	strbuf_string(&text, " is reserved (");
	strbuf_number(&text, block.start);
	if (block.count > 1) {
		strbuf_char(&text, '-');
		strbuf_number(&text, range_end(block) - 1);
	}
	if (slot->kind == KIND_PERSISTENT)
		strbuf_string(&text, ", persistent): start it by portres run");
	else
		text_owner(&text, slot, unjudged);
	strbuf_string(&text, ", or take another port\n");
	print(&text);
}

void
explain_passing(uint16_t port)
{
	char line[160];
	struct strbuf text = strbuf_in(line, sizeof(line));

	strbuf_string(&text, "portres: port ");
	strbuf_number(&text, port);
	strbuf_string(
		&text,
		" is being reserved by a process that does not go on: see "
		"portres doctor, or take another port\n");
	print(&text);
}
