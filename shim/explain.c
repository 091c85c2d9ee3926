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

void
explain_refusal(const struct slot *slot, uint16_t port)
{
	const struct sys_ops *sys = &sys_kernel;
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
	if (slot->kind == KIND_PERSISTENT) {
		text_string(&text, ", persistent): delete that reservation");
	} else {
		text_string(&text, ") by pid ");
		text_number(&text, slot->pid);
		text_string(&text, " (");
		text_command(&text, slot->command);
		text_string(&text,
			    "): stop it, or let it associate this socket");
	}
	text_string(&text, ", or take another port\n");
	SYS_CALL(sys, SYS_write, STDERR_FILENO, SYS_ARG_(line),
		 SYS_ARG_(text.length));
}
