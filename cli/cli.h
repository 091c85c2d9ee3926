/* SPDX-License-Identifier: MIT */
/*
 * The command `portres`: declarations that its subcommands share.
 *
 * Exit status: 0 done, 1 refused or something is wrong, 2 the command line
 * makes no sense. An error is one line on stderr: the cause, then the way out.
 */
#ifndef PORTRES_CLI_CLI_H
#define PORTRES_CLI_CLI_H

#include <stdbool.h>

#include "core/kernel/range.h"
#include "core/pool/store.h"

enum { STATUS_OK, STATUS_REFUSED, STATUS_USAGE };

struct command {
	const char *name;
	const char *summary;
	const char *help; /* after "usage: portres "; ends with a newline */
	int (*main)(const struct command *self, int argc, char **argv);
	bool hidden; /* of no use to people */
};

extern const struct command command_list;
extern const struct command command_who;
extern const struct command command_persistent;
extern const struct command command_run;
extern const struct command command_guard;
extern const struct command command_doctor;
extern const struct command command_self_check;

/* The options that subcommands share. */
struct options {
	bool json;
	bool protocol[PROTOCOL_COUNT]; /* all, when none was named */
};

/*
 * Reads options; `accepted` holds 'j' for --json and 'p' for --tcp and --udp.
 * Returns -1 when the command goes on, with argv[optind] the first operand and
 * `operands` at most of them; otherwise the exit status, after the messages.
 */
int options_read(const struct command *self, int argc, char **argv,
		 const char *accepted, int operands, struct options *ret);

/* Prints "portres: …" on stderr and returns STATUS_REFUSED. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints such a line about a thing that was done nevertheless. */
void caution(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As refuse(), with the way to the help, and STATUS_USAGE. */
int misused(const struct command *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int print_help(const struct command *self);

/* The status; STATUS_REFUSED if stdout cannot be written: a full disk must not
 * pass for an empty list. */
int finish(int status);

/* Read an operand; return 0, or STATUS_USAGE after a message. */
int read_protocol(const struct command *self, const char *text,
		  enum protocol *ret);
/* 1 to 65535. */
int read_port(const struct command *self, const char *text, uint32_t *ret);
/* 0, or such a port. */
int read_first(const struct command *self, const char *text, uint32_t *ret);
/* Has one of them read a text that goes on at `end`. */
int read_before(const struct command *self,
		int (*read)(const struct command *, const char *, uint32_t *),
		const char *text, const char *end, uint32_t *ret);
int read_multiple(const struct command *self, const char *text, uint32_t *ret);
int read_seconds(const struct command *self, const char *text, uint32_t *ret);
/* The count of a range that has its start, or 0 for any. */
int read_count(const struct command *self, const char *text,
	       struct range *range);
/* With `any` the first port may be 0. */
int read_block(const struct command *self, bool any, char **operands,
	       struct block *ret);

static inline const char *
protocol_name(enum protocol protocol)
{
	return protocol == PROTOCOL_TCP ? "tcp" : "udp";
}

/* Prints the reservation or the bound socket that is in the way of a block.
 * `way_out` is that from a persistent one. */
struct pool;
int refuse_conflict(struct pool *pool, struct block block, const char *way_out);

#endif
