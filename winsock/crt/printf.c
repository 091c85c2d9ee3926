/* SPDX-License-Identifier: MIT */
/*
 * The narrow printf family, with Microsoft's formats: they are turned into
 * glibc's, and glibc prints.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portres_crt.h"
#include "winsock/crt/format.h"

/* glibc's own are meant in this file. */
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf

#define STACK_FORMAT 256 /* characters; longer ones are allocated */

struct format {
	const char *text; /* glibc's; NULL without memory, or without any */
	char stack[STACK_FORMAT];
};

/* Bytes in wide characters are what format_translate() reads. */
static void
translate(char *to, wchar_t *room, const char *from, size_t length)
{
	wchar_t *translated = room + length + 1;
	size_t i;

	for (i = 0; i <= length; i++)
		room[i] = (unsigned char)from[i];
	format_translate(translated, room, true);
	for (i = 0; translated[i]; i++)
		to[i] = (char)translated[i];
	to[i] = '\0';
}

static void
format_begin(struct format *ret, const char *from)
{
	size_t length = from ? strlen(from) : 0;
	size_t longest = length * FORMAT_GROWTH + 1;
	char *to = ret->stack;
	wchar_t stack[STACK_FORMAT * 2];
	wchar_t *room = stack;

	ret->text = NULL;
	if (!from) {
		errno = EINVAL;
		return;
	}
	if (longest > STACK_FORMAT) {
		to = malloc(longest);
		room = malloc((length + 1 + longest) * sizeof(*room));
	}
	if (to && room) {
		translate(to, room, from, length);
		ret->text = to;
	} else if (to != ret->stack) {
		free(to);
	}
	if (room != stack)
		free(room);
}

static void
format_end(struct format *format)
{
	if (format->text != format->stack)
		free((char *)format->text);
}

int
portres_vfprintf(FILE *to, const char *format, va_list args)
{
	struct format translated;
	int n = -1;

	format_begin(&translated, format);
	if (translated.text)
		n = vfprintf(to, translated.text, args);
	format_end(&translated);
	return n;
}

int
portres_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct format translated;
	int n = -1;

	format_begin(&translated, format);
	if (translated.text)
		n = vsnprintf(to, size, translated.text, args);
	format_end(&translated);
	return n;
}

int
portres_vsprintf(char *to, const char *format, va_list args)
{
	return portres_vsnprintf(to, INT_MAX, format, args);
}

int
portres_vprintf(const char *format, va_list args)
{
	return portres_vfprintf(stdout, format, args);
}

#define PRINT(call)                                                            \
	do {                                                                   \
		va_list args;                                                  \
		int n;                                                         \
                                                                               \
		va_start(args, format);                                        \
		n = call;                                                      \
		va_end(args);                                                  \
		return n;                                                      \
	} while (0)

int
portres_printf(const char *format, ...)
{
	PRINT(portres_vfprintf(stdout, format, args));
}

int
portres_fprintf(FILE *to, const char *format, ...)
{
	PRINT(portres_vfprintf(to, format, args));
}

int
portres_sprintf(char *to, const char *format, ...)
{
	PRINT(portres_vsprintf(to, format, args));
}

int
portres_snprintf(char *to, size_t size, const char *format, ...)
{
	PRINT(portres_vsnprintf(to, size, format, args));
}
