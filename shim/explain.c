/* SPDX-License-Identifier: MIT */
#include "shim/explain.h"

#include "core/text.h"

/* A process may call itself anything: nothing that a terminal would obey. */
static void
text_command(struct text *text, const char command[16])
{
	for (int i = 0; i < 16 && command[i]; i++)
		text_char(text, command[i] < ' ' || command[i] > '~'
					? '?'
					: command[i]);
}

static void
print(const struct text *text)
{
	SYS_CALL(&sys_kernel, SYS_write, STDERR_FILENO, SYS_ARG_(text->buffer),
		 SYS_ARG_(text->length));
}

static void
text_owner(struct text *text, const struct slot *slot, bool unjudged)
{
	text_string(text, ") by pid ");
	text_number(text, slot->pid);
	text_string(text, " (");
	text_command(text, slot->command);
	text_string(text, ")");
	if (unjudged)
		text_string(text, ", and nobody can tell whether that lives: "
				  "see portres doctor");
	else
		text_string(text, ": stop it, or let it associate this socket");
}

void
explain_refusal(const struct slot *slot, uint16_t port, bool unjudged)
{
	struct range block = slot_range(slot);
	char line[320];
	struct text text = text_in(line, sizeof(line));

	text_string(&text, "portres: ");
	text_string(&text, slot->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	text_string(&text, " port ");
	text_number(&text, port);
	text_string(&text, " is reserved (");
	text_number(&text, block.start);
	if (block.count > 1) {
		text_char(&text, '-');
		text_number(&text, range_end(block) - 1);
	}
	if (slot->kind == KIND_PERSISTENT)
		text_string(&text, ", persistent): delete that reservation");
	else
		text_owner(&text, slot, unjudged);
	text_string(&text, ", or take another port\n");
	print(&text);
}

void
explain_passing(uint16_t port)
{
	char line[160];
	struct text text = text_in(line, sizeof(line));

	text_string(&text, "portres: port ");
	text_number(&text, port);
	text_string(&text,
		    " is being reserved by a process that does not go on: see "
		    "portres doctor, or take another port\n");
	print(&text);
}
