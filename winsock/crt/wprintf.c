/* SPDX-License-Identifier: MIT */
/*
 * The wide printf family, as Microsoft's runtime has it.
 *
 * There a stream is never "wide": wprintf and printf may be mixed on it. In
 * glibc the first call decides, and the other kind fails from then on without
 * a word. So the line is made in memory and goes out as bytes, unless somebody
 * else, std::wcout for one, has made the stream wide already.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "portres_crt.h"
#include "winsock/crt/format.h"

/* glibc's own are meant in this file. */
#undef wprintf
#undef fwprintf
#undef vwprintf
#undef vfwprintf

#define STACK_FORMAT 512 /* wide characters; longer ones are allocated */
#define CHUNK 512

/* What the locale cannot express becomes '?': one odd character in a file
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
print(FILE *to, const wchar_t *format, va_list args)
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
	wchar_t stack[STACK_FORMAT];
	wchar_t *translated = stack;
	int before = errno;
	size_t room;
	int n = -1;

	if (!format) {
		errno = EINVAL;
		return -1;
	}
	room = wcslen(format) * FORMAT_GROWTH + 1;
	if (room > STACK_FORMAT)
		translated = malloc(room * sizeof(*translated));
	if (translated) {
		format_translate(translated, format, false);
		n = print(to, translated, args);
	}
	if (translated != stack)
		free(translated);
	/* A '?' has left EILSEQ behind, for a later WSAGetLastError() to find:
	 * on Windows printing an error does not change it. */
	if (n >= 0)
		errno = before;
	return n;
}

int
portres_vwprintf(const wchar_t *format, va_list args)
{
	return portres_vfwprintf(stdout, format, args);
}

int
portres_fwprintf(FILE *to, const wchar_t *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = portres_vfwprintf(to, format, args);
	va_end(args);
	return n;
}

int
portres_wprintf(const wchar_t *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = portres_vfwprintf(stdout, format, args);
	va_end(args);
	return n;
}
