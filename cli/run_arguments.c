/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/run.h"

/* The kernel refuses a string of 128 KiB, name included. */
#define LIST_SIZE_MAX 65536

uint32_t
run_port(const struct run *run, uint32_t number)
{
	for (size_t i = 0; i < run->count; i++) {
		struct range range = run->block[i].range;

		if (run->twin[i])
			continue;
		if (number <= range.count)
			return range.start + number - 1;
		number -= range.count;
	}
	return 0;
}

/* "{12}" at the beginning of `text`: its port and its end; 0 otherwise. */
static uint32_t
placeholder(const struct run *run, const char *text, const char **ret_end)
{
	uint32_t number = 0;
	const char *p = text + 1;

	if (*text != '{' || *p < '1' || *p > '9')
		return 0;
	for (; *p >= '0' && *p <= '9' && number < PORT_COUNT; p++)
		number = number * 10 + (uint32_t)(*p - '0');
	if (*p != '}')
		return 0;
	*ret_end = p + 1;
	return run_port(run, number);
}

char *
run_replace(const struct run *run, const char *argument)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	while (*argument) {
		const char *end;
		uint32_t port = placeholder(run, argument, &end);

		if (port)
			fprintf(to, "%u", port);
		else
			fputc(*argument, to);
		argument = port ? end : argument + 1;
	}
	if (fclose(to) != 0)
		abort();
	return text;
}

/* A list that grows word by word, with blanks between. */
struct words {
	FILE *to;
	char *text;
	size_t size;
	const char *separator;
};

static void
words_begin(struct words *words)
{
	*words = (struct words){.separator = ""};
	words->to = open_memstream(&words->text, &words->size);
	if (!words->to)
		abort();
}

static void __attribute__((format(printf, 2, 3)))
words_add(struct words *words, const char *format, ...)
{
	va_list arguments;

	fputs(words->separator, words->to);
	words->separator = " ";
	va_start(arguments, format);
	vfprintf(words->to, format, arguments);
	va_end(arguments);
}

/* Sets the variable; or unsets it if it would be too long, and returns
 * false. */
static bool
words_export(struct words *words, const char *name)
{
	bool fits;

	if (fclose(words->to) != 0)
		abort();
	fits = words->size < LIST_SIZE_MAX;
	if (fits)
		setenv(name, words->text, 1);
	else
		unsetenv(name);
	free(words->text);
	return fits;
}

static void
export_ports(const struct run *run)
{
	struct words words;

	words_begin(&words);
	for (size_t i = 0; i < run->count; i++) {
		struct range range = run->block[i].range;

		if (run->twin[i])
			continue;
		for (uint32_t j = 0; j < range.count; j++)
			words_add(&words, "%u", range.start + j);
	}
	words_export(&words, "PORTRES_PORTS");
}

static void
export_ranges(const struct run *run)
{
	struct words words;

	words_begin(&words);
	for (size_t i = 0; i < run->count; i++)
		words_add(&words, "%s:%u+%u",
			  protocol_name(run->block[i].protocol),
			  run->block[i].range.start, run->block[i].range.count);
	words_export(&words, "PORTRES_RANGES");
}

static bool
export_tokens(const struct run *run)
{
	const char *before = getenv("PORTRES_TOKENS");
	struct words words;

	words_begin(&words);
	for (size_t i = 0; i < run->count; i++)
		words_add(&words, "%" PRIu64, run->token[i]);
	/* Under another run the blocks of that one are ours as well. */
	if (before && *before)
		words_add(&words, "%s", before);
	return words_export(&words, "PORTRES_TOKENS");
}

int
run_environment(const struct run *run)
{
	char first[16];

	snprintf(first, sizeof(first), "%u", run_port(run, 1));
	setenv("PORTRES_PORT", first, 1);
	export_ports(run);
	export_ranges(run);
	if (export_tokens(run))
		return 0;
	refuse("PORTRES_TOKENS has more blocks of the runs around this one "
	       "than a variable holds: start it outside of them");
	return STATUS_NO_PORTS;
}
