/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/run.h"

uint32_t
run_port(const struct run *run, uint32_t number)
{
	for (size_t i = 0; i < run->count; i++) {
		struct range range = run->block[i].range;

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

/* A string of numbers with blanks between, and what `before` has. */
static char *
join(const uint64_t *number, size_t n, const char *before)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (size_t i = 0; to && i < n; i++)
		fprintf(to, "%s%" PRIu64, i ? " " : "", number[i]);
	if (to && before && *before)
		fprintf(to, " %s", before);
	if (!to || fclose(to) != 0)
		abort();
	return text;
}

void
run_environment(const struct run *run)
{
	static uint64_t port[PORT_COUNT];
	char *ports, *tokens, *first;
	size_t n = 0;

	while (n < PORT_COUNT && (port[n] = run_port(run, (uint32_t)n + 1)))
		n++;
	first = join(port, 1, NULL);
	ports = join(port, n, NULL);
	/* Inside another run its blocks are ours as well. */
	tokens = join(run->token, run->count, getenv("PORTRES_TOKENS"));
	setenv("PORTRES_PORT", first, 1);
	setenv("PORTRES_PORTS", ports, 1);
	setenv("PORTRES_TOKENS", tokens, 1);
	free(first);
	free(ports);
	free(tokens);
}
