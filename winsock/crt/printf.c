/* SPDX-License-Identifier: MIT */
/*
 * The printf families, narrow and wide, with Microsoft's formats: they are
 * turned into glibc's, and glibc prints.
 *
 * There a stream is never "wide": wprintf and printf may be mixed on it. In
 * glibc the first call decides, and the other kind fails from then on without
 * a word. So a wide line is made in memory and goes out as bytes, unless
 * somebody else, std::wcout for one, has made the stream wide already.
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
#undef wprintf
#undef fwprintf
#undef vwprintf
#undef vfwprintf
#undef swprintf
#undef vswprintf

#define STACK_FORMAT 512 /* characters; longer ones are allocated */
#define CHUNK 512

/* A format that is being translated; both texts end up in one block. */
struct format {
	wchar_t *wide;	    /* glibc's; NULL without memory, or without any */
	const char *narrow; /* the same in bytes, of a narrow one */
	wchar_t stack[STACK_FORMAT];
};

/* Room for a format of that length, and for what `before` characters of the
 * caller's need in front of it. */
static bool
make_room(struct format *ret, const void *from, size_t length, size_t before)
{
	size_t room = before + length * FORMAT_GROWTH + 1;

	ret->wide = NULL;
	if (!from)
		errno = EINVAL;
	else if (room <= STACK_FORMAT)
		ret->wide = ret->stack;
	else
		ret->wide = malloc(room * sizeof(*ret->wide));
	return ret->wide != NULL;
}

static bool
wide_begin(struct format *ret, const wchar_t *from)
{
	if (!make_room(ret, from, from ? wcslen(from) : 0, 0))
		return false;
	format_translate(ret->wide, from, false);
	return true;
}

/*
 * Bytes in wide characters are what format_translate() reads. Its answer goes
 * back to bytes in its own place: a byte is never behind its wide character.
 */
static bool
narrow_begin(struct format *ret, const char *from)
{
	size_t length = from ? strlen(from) : 0;
	wchar_t *made;
	char *to;

	if (!make_room(ret, from, length, length + 1))
		return false;
	for (size_t i = 0; i <= length; i++)
		ret->wide[i] = (unsigned char)from[i];
	made = ret->wide + length + 1;
	format_translate(made, ret->wide, true);
	ret->narrow = to = (char *)made;
	do
		*to = (char)*made++;
	while (*to++);
	return true;
}

static void
format_end(struct format *format)
{
	if (format->wide != format->stack)
		free(format->wide);
}

int
portres_vfprintf(FILE *to, const char *format, va_list args)
{
	struct format translated;
	int n = -1;

	if (narrow_begin(&translated, format))
		n = vfprintf(to, translated.narrow, args);
	format_end(&translated);
	return n;
}

int
portres_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct format translated;
	int n = -1;

	if (narrow_begin(&translated, format))
		n = vsnprintf(to, size, translated.narrow, args);
	format_end(&translated);
	return n;
}

/* A character that the locale lacks becomes '?': one odd character in a file
 * name must not cost the program its output. */
static size_t
encode(char *to, wchar_t c, mbstate_t *state)
{
	size_t n = wcrtomb(to, c, state);

	if (n != (size_t)-1)
		return n;
	memset(state, 0, sizeof(*state));
	*to = '?';
	return 1;
}

static bool
put_narrow(FILE *to, const wchar_t *text, size_t length)
{
	char chunk[CHUNK];
	size_t used = 0;
	mbstate_t state;
	bool ok = true;

	memset(&state, 0, sizeof(state));
	flockfile(to);
	for (size_t i = 0; i < length && ok; i++) {
		used += encode(chunk + used, text[i], &state);
		if (used > sizeof(chunk) - MB_LEN_MAX || i == length - 1) {
			ok = fwrite(chunk, 1, used, to) == used;
			used = 0;
		}
	}
	funlockfile(to);
	return ok;
}

/* The format is glibc's by now. */
static int
print_wide(FILE *to, const wchar_t *format, va_list args)
{
	wchar_t *text = NULL;
	size_t length = 0;
	FILE *memory;
	int n;

	if (fwide(to, 0) > 0)
		return vfwprintf(to, format, args);

	memory = open_wmemstream(&text, &length);
	if (!memory)
		return -1;
	n = vfwprintf(memory, format, args);
	/* Part of a line is printed as vfwprintf itself would. */
	if (fclose(memory) != 0 || !put_narrow(to, text, length))
		n = -1;
	free(text);
	return n;
}

int
portres_vfwprintf(FILE *to, const wchar_t *format, va_list args)
{
	struct format translated;
	int before = errno;
	int n = -1;

	if (wide_begin(&translated, format))
		n = print_wide(to, translated.wide, args);
	format_end(&translated);
	/* A '?' has left EILSEQ behind, for a later WSAGetLastError() to find:
	 * on Windows printing an error does not change it. */
	if (n >= 0)
		errno = before;
	return n;
}

/* vsnprintf for wide characters, which C has not: the whole length is
 * returned, whatever the room. */
int
portres_vsnwprintf(wchar_t *to, size_t size, const wchar_t *format,
		   va_list args)
{
	struct format translated;
	wchar_t *text = NULL;
	size_t length = 0;
	FILE *memory = NULL;
	int before = errno;
	int n = -1;

	if (wide_begin(&translated, format))
		memory = open_wmemstream(&text, &length);
	if (memory) {
		n = vfwprintf(memory, translated.wide, args);
		if (fclose(memory) != 0)
			n = -1;
	}
	if (n >= 0 && size > 0) {
		size_t kept = length < size ? length : size - 1;

		wmemcpy(to, text, kept);
		to[kept] = L'\0';
	}
	free(text);
	format_end(&translated);
	if (n >= 0)
		errno = before;
	return n;
}

int
portres_vprintf(const char *format, va_list args)
{
	return portres_vfprintf(stdout, format, args);
}

int
portres_vsprintf(char *to, const char *format, va_list args)
{
	return portres_vsnprintf(to, INT_MAX, format, args);
}

int
portres_vwprintf(const wchar_t *format, va_list args)
{
	return portres_vfwprintf(stdout, format, args);
}

/* Each again, with its arguments in the call. */
#define PRINT(name, parameters, call)                                          \
	int name parameters                                                    \
	{                                                                      \
		va_list args;                                                  \
		int n;                                                         \
                                                                               \
		va_start(args, format);                                        \
		n = call;                                                      \
		va_end(args);                                                  \
		return n;                                                      \
	}

PRINT(portres_printf, (const char *format, ...),
      portres_vfprintf(stdout, format, args))
PRINT(portres_fprintf, (FILE * to, const char *format, ...),
      portres_vfprintf(to, format, args))
PRINT(portres_sprintf, (char *to, const char *format, ...),
      portres_vsprintf(to, format, args))
PRINT(portres_snprintf, (char *to, size_t size, const char *format, ...),
      portres_vsnprintf(to, size, format, args))
PRINT(portres_wprintf, (const wchar_t *format, ...),
      portres_vfwprintf(stdout, format, args))
PRINT(portres_fwprintf, (FILE * to, const wchar_t *format, ...),
      portres_vfwprintf(to, format, args))
