/* SPDX-License-Identifier: MIT */
/*
 * Output for people and programs: tables, colours, JSON, times.
 *
 * A program's name may have any bytes: they reach a terminal without control
 * characters, and JSON as valid UTF-8.
 */
#ifndef PORTRES_CLI_OUTPUT_H
#define PORTRES_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Colour only for people: a terminal, and no NO_COLOR (no-color.org). */
enum colour { PLAIN, BOLD, GREEN, YELLOW, RED };
bool output_colourful(void);
void output_colour(enum colour colour);

/* All but printable ASCII becomes \xNN, as far as there is room. */
char *safe_text(const char *from, char *to, size_t size);

/*
 * A word of a command that somebody may type: in quotes where a shell would
 * part or read it. Its bytes stay, and those that safe_text() makes \xNN of are
 * such to a shell too, between $' and '.
 */
char *shell_word(const char *from, char *to, size_t size);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_string(FILE *to, const char *from);

/* Nanoseconds since 1970 as 2026-01-31T12:00:00Z. */
char *time_text(uint64_t ns, char to[32]);

/* The time since then: 12s, 5m, 3h, 2d. */
char *age_text(uint64_t ns, char to[16]);

/* "5000-5019", or "5000" for one port. */
struct range;
char *range_text(const struct range *range, char to[16]);

/*
 * A table of `columns` cells a row, the first row being the heading. The
 * cells are copied. A '>' in `align` puts the column to the right.
 */
struct table {
	size_t columns;
	const char *align;
	char **cells;
	size_t count, room;
};

void table_cell(struct table *table, const char *text);
void table_number(struct table *table, uint64_t number);
void table_print(struct table *table); /* and empties it */

#endif
