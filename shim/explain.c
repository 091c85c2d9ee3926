/* SPDX-License-Identifier: MIT */
#include "shim/explain.h"

#include <errno.h>
#include <unistd.h>

#include "core/kernel/strbuf.h"
#include "core/kernel/sys.h"
#include "shim/config.h"
#include "shim/real.h"

#define LINE_SIZE 320

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
print(struct strbuf *text)
{
	strbuf_char(text, '\n');
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

static void
text_block(struct strbuf *text, const struct slot *slot)
{
	struct range block = slot_range(slot);

	strbuf_number(text, block.start);
	if (block.count == 1)
		return;
	strbuf_char(text, '-');
	strbuf_number(text, range_end(block) - 1);
}

static void
text_protocol(struct strbuf *text, const struct slot *slot)
{
	strbuf_string(text, slot->protocol == PROTOCOL_TCP ? "tcp" : "udp");
}

static struct strbuf
begin(char line[LINE_SIZE])
{
	struct strbuf text = strbuf_in(line, LINE_SIZE);

	strbuf_string(&text, "portres: ");
	return text;
}

SLOW_PATH static void
print_reserved(const struct slot *slot, uint16_t port, bool unjudged)
{
	char line[LINE_SIZE];
	struct strbuf text = begin(line);

	text_protocol(&text, slot);
	strbuf_string(&text, " port ");
	strbuf_number(&text, port);
	strbuf_string(&text, " is reserved (");
	text_block(&text, slot);
	if (slot->kind == KIND_PERSISTENT)
		strbuf_string(&text, ", persistent): start it by portres run");
	else
		text_owner(&text, slot, unjudged);
	strbuf_string(&text, ", or take another port");
	print(&text);
}

void
explain_reserved(const struct slot *slot, uint16_t port, bool unjudged)
{
	if (config_get()->debug)
		print_reserved(slot, port, unjudged);
}

SLOW_PATH static void
print_passing(uint16_t port)
{
	char line[LINE_SIZE];
	struct strbuf text = begin(line);

	strbuf_string(&text, "port ");
	strbuf_number(&text, port);
	strbuf_string(
		&text,
		" is being reserved by a process that does not go on: see "
		"portres doctor, or take another port");
	print(&text);
}

void
explain_passing(uint16_t port)
{
	if (config_get()->debug)
		print_passing(port);
}

static struct strbuf
begin_associated(char line[LINE_SIZE], const struct slot *slot)
{
	struct strbuf text = begin(line);

	strbuf_string(&text, "the socket is associated with ");
	text_protocol(&text, slot);
	strbuf_char(&text, ' ');
	text_block(&text, slot);
	return text;
}

SLOW_PATH static void
print_exhausted(const struct slot *slot)
{
	char line[LINE_SIZE];
	struct strbuf text = begin_associated(line, slot);

	strbuf_string(&text, ", of which no port is free: close one there, or "
			     "reserve more");
	print(&text);
}

void
explain_exhausted(const struct slot *slot)
{
	if (config_get()->debug)
		print_exhausted(slot);
}

SLOW_PATH static void
print_outside(const struct slot *slot, uint16_t port)
{
	char line[LINE_SIZE];
	struct strbuf text = begin_associated(line, slot);

	strbuf_string(&text, ", and port ");
	strbuf_number(&text, port);
	strbuf_string(&text, " is outside: bind it to 0 or to a port of those, "
			     "or take a socket that is not associated");
	print(&text);
}

void
explain_outside(const struct slot *slot, uint16_t port)
{
	if (config_get()->debug)
		print_outside(slot, port);
}

SLOW_PATH static void
print_words(const char *words)
{
	char line[LINE_SIZE];
	struct strbuf text = begin(line);

	strbuf_string(&text, words);
	print(&text);
}

void
explain_locked(int r)
{
	if (!config_get()->debug)
		return;
	if (r == -EBUSY)
		print_words("another process has the pool's lock and does not "
			    "go on: see portres doctor, or bind the associated "
			    "socket to a certain port of its block");
	else if (r == -EMFILE || r == -ENFILE)
		print_words("no descriptor is left to take the pool's lock "
			    "by: close one, or raise ulimit -n");
}

void
explain_out_of_reach(void)
{
	if (config_get()->debug)
		print_words("the pool's file cannot be opened any more, and "
			    "two sockets with SO_REUSEADDR or SO_REUSEPORT "
			    "could get one port: bind the associated socket "
			    "to a certain port of its block");
}

void
explain_none_left(void)
{
	if (config_get()->debug)
		print_words("no port that the system may choose is left, "
			    "because others are reserved: see portres list, or "
			    "widen net.ipv4.ip_local_port_range");
}

void
explain_unchecked(void)
{
	if (config_get()->debug)
		print_words("nobody can tell whether the port is reserved, and "
			    "PORTRES_STRICT is set: see portres doctor");
}
