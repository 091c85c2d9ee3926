/* SPDX-License-Identifier: MIT */
#include "shim/explain.h"

#include "core/kernel/strbuf.h"

/* A process may call itself anything: nothing that a terminal would obey. */
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
		strbuf_string(&text, ", persistent): delete that reservation");
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
