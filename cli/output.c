/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/kernel/range.h"

bool
output_colourful(void)
{
	const char *no = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

void
output_colour(enum colour colour)
{
	static const char *const code[] = {
		[PLAIN] = "\033[0m",  [BOLD] = "\033[1m",
		[GREEN] = "\033[32m", [YELLOW] = "\033[33m",
		[RED] = "\033[1;31m",
	};

	if (output_colourful())
		fputs(code[colour], stdout);
}

char *
safe_text(const char *from, char *to, size_t size)
{
	size_t at = 0;

	for (; *from && at + 5 <= size; from++) {
		unsigned char c = (unsigned char)*from;

		if (c >= ' ' && c <= '~')
			to[at++] = (char)c;
		else
			at += (size_t)sprintf(to + at, "\\x%02x", c);
	}
	to[at] = '\0';
	return to;
}

static bool
has_unsafe(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return true;
	return false;
}

char *
shell_word(const char *from, char *to, size_t size)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789/._+-:,@%=";
	bool escapes = has_unsafe(from);
	const char *quote = escapes ? "\\'" : "'\\''";
	size_t at;

	if (*from && !from[strspn(from, plain)]) {
		snprintf(to, size, "%s", from);
		return to;
	}
	at = (size_t)sprintf(to, escapes ? "$'" : "'");
	for (; *from && at + 6 <= size; from++)
		if (*from == '\'')
			at += (size_t)sprintf(to + at, "%s", quote);
		else
			at += (size_t)sprintf(
				to + at, "%s%c",
				escapes && *from == '\\' ? "\\" : "", *from);
	strcpy(to + at, "'");
	return to;
}

/* The length of the UTF-8 sequence at `s`, 0 when it is none. */
static int
sequence(const unsigned char *s)
{
	unsigned long code;
	int more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : 1;

	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	code = *s & (0x3fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < (more == 3	? 0x10000u
		    : more == 2 ? 0x800u
				: 0x80u) ||
	    code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return more + 1;
}

void
json_string(FILE *to, const char *from)
{
	const unsigned char *s = (const unsigned char *)from;

	fputc('"', to);
	while (*s) {
		int n = *s < 0x80 ? 1 : sequence(s);

		if (n == 0)
			fputs("\\ufffd", to);
		else if (*s == '"' || *s == '\\')
			fprintf(to, "\\%c", *s);
		else if (*s < ' ' || *s == 0x7f)
			fprintf(to, "\\u%04x", *s);
		else
			fwrite(s, 1, (size_t)n, to);
		s += n ? n : 1;
	}
	fputc('"', to);
}

char *
time_text(uint64_t ns, char to[32])
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		strcpy(to, "1970-01-01T00:00:00Z");
	return to;
}

char *
age_text(uint64_t ns, char to[16])
{
	uint64_t now = (uint64_t)time(NULL), then = ns / 1000000000u;
	unsigned age = now > then ? (unsigned)(now - then) : 0;

	if (age < 60)
		snprintf(to, 16, "%us", age);
	else if (age < 3600)
		snprintf(to, 16, "%um", age / 60);
	else if (age < 86400)
		snprintf(to, 16, "%uh", age / 3600);
	else
		snprintf(to, 16, "%ud", age / 86400);
	return to;
}

char *
range_text(const struct range *range, char to[16])
{
	if (range->count == 1)
		snprintf(to, 16, "%u", range->start);
	else
		snprintf(to, 16, "%u-%u", range->start, range_end(*range) - 1);
	return to;
}

void
table_cell(struct table *table, const char *text)
{
	char *copy = strdup(text);

	if (table->count == table->room) {
		size_t room = table->room ? 2 * table->room : 64;

		table->cells = realloc(table->cells, room * sizeof(char *));
		table->room = room;
	}
	if (!copy || !table->cells)
		abort();
	table->cells[table->count++] = copy;
}

void
table_number(struct table *table, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	table_cell(table, digits);
}

static int
column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->count; i += table->columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return (int)width;
}

void
table_print(struct table *table)
{
	int width[16];

	for (size_t i = 0; i < table->columns; i++)
		width[i] = column_width(table, i);
	output_colour(BOLD);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		bool right = table->align[column] == '>';
		bool last = column + 1 == table->columns;

		/* No padding at the end of a line. */
		printf("%*s%s",
		       right  ? width[column]
		       : last ? 0
			      : -width[column],
		       table->cells[i], last ? "" : "  ");
		if (last && i < table->columns)
			output_colour(PLAIN);
		if (last)
			putchar('\n');
		free(table->cells[i]);
	}
	free(table->cells);
	table->cells = NULL;
	table->count = table->room = 0;
}
