/* SPDX-License-Identifier: MIT */
/*
 * sprintf_s, _snprintf and their kin, which differ in what they do without
 * enough room, on the printf family that knows Microsoft's formats.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "portres_crt.h"
#include "winsock/crt/print.h"
#include "winsock/crt/text.h"

/* No 0 when there is no room for it, and -1 when there is none for all. */
static int
print_cut(void *to, size_t count, const void *format, va_list args,
	  size_t width)
{
	va_list again;
	void *all;
	int n;

	va_copy(again, args);
	n = print_text(to, count, format, args, width);
	if (!to && count == 0) {
		va_end(again);
		return n;
	}
	if (n >= 0 && (size_t)n >= count && count > 0) {
		/* The last character stands where the 0 is now. */
		all = malloc(((size_t)n + 1) * width);
		if (all)
			print_text(all, (size_t)n + 1, format, again, width);
		if (all)
			text_move(to, all, count, width);
		free(all);
	}
	va_end(again);
	return n >= 0 && (size_t)n <= count ? n : -1;
}

static int
fail(int err)
{
	errno = err;
	return -1;
}

/* All of it, or an empty string and ERANGE. */
static int
print_s(void *to, size_t size, const void *format, va_list args, size_t width)
{
	int n;

	if (!to || size == 0 || !format)
		return fail(EINVAL);
	n = print_text(to, size, format, args, width);
	if (n >= 0 && (size_t)n < size)
		return n;
	text_end(to, 0, width);
	return n < 0 ? n : fail(ERANGE);
}

/* Up to `count` characters and a 0; -1 when that is not all, which is an error
 * only if they have no room. */
static int
print_cut_s(void *to, size_t size, size_t count, const void *format,
	    va_list args, size_t width)
{
	int n;

	if (!to && size == 0 && count == 0 && format)
		return 0;
	if (!to || size == 0 || !format)
		return fail(EINVAL);
	n = print_text(to, size, format, args, width);
	if (n < 0)
		return n;
	if ((size_t)n < size && (count == _TRUNCATE || (size_t)n <= count))
		return n;
	if (count == _TRUNCATE)
		return -1;
	if (count < size) {
		text_end(to, count, width);
		return -1;
	}
	text_end(to, 0, width);
	return fail(ERANGE);
}

int
portres_swprintf(wchar_t *to, size_t size, const wchar_t *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = portres_vswprintf(to, size, format, args);
	va_end(args);
	return n;
}

int
portres_vswprintf(wchar_t *to, size_t size, const wchar_t *format, va_list args)
{
	int n = portres_vsnwprintf(to, size, format, args);

	return n >= 0 && (size_t)n >= size ? -1 : n;
}

/* A name with its arguments in the call, and the same with a va_list. */
#define PAIR(name, vname, type, parameters, call)                              \
	int vname(parameters(type), const type *format, va_list args)          \
	{                                                                      \
		const size_t width = sizeof(type);                             \
                                                                               \
		return call;                                                   \
	}                                                                      \
                                                                               \
	int name(parameters(type), const type *format, ...)                    \
	{                                                                      \
		const size_t width = sizeof(type);                             \
		va_list args;                                                  \
		int n;                                                         \
                                                                               \
		va_start(args, format);                                        \
		n = call;                                                      \
		va_end(args);                                                  \
		return n;                                                      \
	}

#define SIZE(type) type *to, size_t size
#define SIZE_COUNT(type) type *to, size_t size, size_t count

PAIR(_snprintf, _vsnprintf, char, SIZE,
     print_cut(to, size, format, args, width))
PAIR(_snwprintf, _vsnwprintf, wchar_t, SIZE,
     print_cut(to, size, format, args, width))
PAIR(sprintf_s, vsprintf_s, char, SIZE, print_s(to, size, format, args, width))
PAIR(swprintf_s, vswprintf_s, wchar_t, SIZE,
     print_s(to, size, format, args, width))
PAIR(_snprintf_s, _vsnprintf_s, char, SIZE_COUNT,
     print_cut_s(to, size, count, format, args, width))
PAIR(_snwprintf_s, _vsnwprintf_s, wchar_t, SIZE_COUNT,
     print_cut_s(to, size, count, format, args, width))

int
_vscprintf(const char *format, va_list args)
{
	return portres_vsnprintf(NULL, 0, format, args);
}

int
_vscwprintf(const wchar_t *format, va_list args)
{
	return portres_vsnwprintf(NULL, 0, format, args);
}

int
_scprintf(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = _vscprintf(format, args);
	va_end(args);
	return n;
}

int
_scwprintf(const wchar_t *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = _vscwprintf(format, args);
	va_end(args);
	return n;
}
