/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"

/* Added to getopt_long()'s values of long options, so that its `optopt` tells
 * "-t" from "--tcp=5". */
#define LONG_OPTION 256

/* A message quotes text from outside: no line breaks, no escapes; and of any
 * length, because the way out comes last. */
static void
complain(const char *format, va_list arguments)
{
	char *line, *safe;
	size_t size;

	if (vasprintf(&line, format, arguments) < 0)
		abort();
	size = 4 * strlen(line) + 5;
	safe = malloc(size);
	if (!safe)
		abort();
	fprintf(stderr, "portres: %s", safe_text(line, safe, size));
	free(safe);
	free(line);
}

int
refuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return STATUS_REFUSED;
}

void
caution(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int
misused(const struct command *self, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see portres %s%s--help\n", self ? self->name : "",
		self ? " " : "");
	return STATUS_USAGE;
}

int
print_help(const struct command *self)
{
	printf("usage: portres %s", self->help);
	return finish(STATUS_OK);
}

int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return refuse("cannot write the output: %m");
}

static bool
accepts(const char *accepted, int option)
{
	int group = option == 't' || option == 'u' ? 'p' : option;

	return strchr(accepted, group) != NULL;
}

/*
 * The word that getopt_long() has just read. It moves operands behind the
 * options, so the word is not the one at the `optind` before; and it goes past
 * an unknown short option only at the end of a word.
 */
static const char *
option_word(char **argv, int option)
{
	const char *last = argv[optind - 1];

	if (option == '?' && optopt && optopt < LONG_OPTION &&
	    (last[0] != '-' || last[1] != (char)optopt || last[2]))
		return argv[optind];
	return last;
}

int
options_read(const struct command *self, int argc, char **argv,
	     const char *accepted, int operands, struct options *ret)
{
	static const struct option known[] = {
		{"help", no_argument, NULL, LONG_OPTION + 'h'},
		{"json", no_argument, NULL, LONG_OPTION + 'j'},
		{"tcp", no_argument, NULL, LONG_OPTION + 't'},
		{"udp", no_argument, NULL, LONG_OPTION + 'u'},
		{0},
	};

	opterr = 0;
	*ret = (struct options){0};
	for (;;) {
		int option = getopt_long(argc, argv, "h", known, NULL);
		const char *word = option_word(argv, option);

		if (option == -1)
			break;
		if (option > LONG_OPTION)
			option -= LONG_OPTION;
		if (option == 'h')
			return print_help(self);
		if (option == '?' && operands > 0 && word[1] >= '0' &&
		    word[1] <= '9')
			return misused(self,
				       "no number '%s': a number has no sign",
				       word);
		if (option == '?' || !accepts(accepted, option))
			return misused(self, "%s does not know the option %s",
				       self->name, word);
		ret->json |= option == 'j';
		ret->protocol[PROTOCOL_TCP] |= option == 't';
		ret->protocol[PROTOCOL_UDP] |= option == 'u';
	}
	if (!ret->protocol[PROTOCOL_TCP] && !ret->protocol[PROTOCOL_UDP])
		ret->protocol[PROTOCOL_TCP] = ret->protocol[PROTOCOL_UDP] =
			true;
	if (argc - optind > operands)
		return misused(self, "one operand too many: %s",
			       argv[optind + operands]);
	return -1;
}

/* Digits only: no sign, no blanks, no overflow. */
static bool
read_number(const char *text, uint32_t *ret)
{
	uint32_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > 999999)
			return false;
		number = number * 10 + (uint32_t)(*text - '0');
	}
	*ret = number;
	return true;
}

int
read_protocol(const struct command *self, const char *text, enum protocol *ret)
{
	for (int i = 0; i < PROTOCOL_COUNT; i++)
		if (strcmp(text, protocol_name((enum protocol)i)) == 0) {
			*ret = (enum protocol)i;
			return 0;
		}
	return misused(self, "no protocol '%s': say tcp or udp", text);
}

int
read_port(const struct command *self, const char *text, uint32_t *ret)
{
	uint32_t port;

	if (!read_number(text, &port) || port == 0 || port >= PORT_COUNT)
		return misused(self,
			       "no port '%s': say a number from 1 to 65535",
			       text);
	*ret = port;
	return 0;
}

int
read_first(const struct command *self, const char *text, uint32_t *ret)
{
	uint32_t port = 0;

	if (strcmp(text, "0") != 0 &&
	    (!read_number(text, &port) || port == 0 || port >= PORT_COUNT))
		return misused(self,
			       "no first port '%s': say a number from 1 to "
			       "65535, or 0 for any",
			       text);
	*ret = port;
	return 0;
}

int
read_multiple(const struct command *self, const char *text, uint32_t *ret)
{
	if (read_number(text, ret) && *ret != 0 && *ret < PORT_COUNT)
		return 0;
	return misused(self,
		       "no multiple '%s' for --align: say a number from 1 to "
		       "65535",
		       text);
}

int
read_before(const struct command *self,
	    int (*read)(const struct command *, const char *, uint32_t *),
	    const char *text, const char *end, uint32_t *ret)
{
	char *port = strndup(text, (size_t)(end - text));
	int r = port ? read(self, port, ret) : refuse("no memory is left");

	free(port);
	return r;
}

int
read_count(const struct command *self, const char *text, struct range *range)
{
	uint32_t count;

	if (!read_number(text, &count) || count == 0)
		return misused(self,
			       "no number of ports '%s': say one from 1 on",
			       text);
	if (range->start + count > PORT_COUNT || count == PORT_COUNT)
		return misused(self,
			       "%u ports from %u on go past 65535: at most %u",
			       count, range->start,
			       PORT_COUNT - (range->start ? range->start : 1));
	range->count = count;
	return 0;
}

int
read_seconds(const struct command *self, const char *text, uint32_t *ret)
{
	if (read_number(text, ret))
		return 0;
	return misused(self, "no number of seconds '%s': say one from 0 on",
		       text);
}

int
read_block(const struct command *self, bool any, char **operands,
	   struct block *ret)
{
	struct block block = {0};
	int r = read_protocol(self, operands[0], &block.protocol);

	if (r == 0)
		r = (any ? read_first : read_port)(self, operands[1],
						   &block.range.start);
	if (r != 0)
		return r;
	r = read_count(self, operands[2], &block.range);
	if (r == 0)
		*ret = block;
	return r;
}
