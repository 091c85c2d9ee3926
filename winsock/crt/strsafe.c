/* SPDX-License-Identifier: MIT */
/* StringCch*: what has no room is cut off, and the answer says so. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "strsafe.h"
#include "winsock/crt/print.h"
#include "winsock/crt/text.h"

static bool
good_room(size_t room)
{
	return room > 0 && room <= STRSAFE_MAX_CCH;
}

static HRESULT
put(void *to, size_t room, size_t at, const void *from, size_t most,
    size_t width)
{
	return text_append(to, room, at, from, most, width)
		       ? S_OK
		       : STRSAFE_E_INSUFFICIENT_BUFFER;
}

static HRESULT
copy(void *to, size_t room, const void *from, size_t most, size_t width)
{
	if (!good_room(room))
		return STRSAFE_E_INVALID_PARAMETER;
	if (most <= STRSAFE_MAX_CCH)
		return put(to, room, 0, from, most, width);
	text_end(to, 0, width);
	return STRSAFE_E_INVALID_PARAMETER;
}

static HRESULT
append(void *to, size_t room, const void *from, size_t most, size_t width)
{
	size_t at;

	if (!good_room(room) || most > STRSAFE_MAX_CCH)
		return STRSAFE_E_INVALID_PARAMETER;
	at = text_length(to, room, width);
	if (at == room)
		return STRSAFE_E_INVALID_PARAMETER;
	return put(to, room, at, from, most, width);
}

static HRESULT
length(const void *text, size_t most, size_t *ret_length, size_t width)
{
	size_t n = 0;
	bool good = text && most <= STRSAFE_MAX_CCH;

	if (good)
		n = text_length(text, most, width);
	if (n == most)
		good = false;
	if (ret_length)
		*ret_length = good ? n : 0;
	return good ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

static HRESULT
print(void *to, size_t room, const void *format, va_list args, size_t width)
{
	int n;

	if (!good_room(room))
		return STRSAFE_E_INVALID_PARAMETER;
	n = print_text(to, room, format, args, width);
	if (n >= 0 && (size_t)n < room)
		return S_OK;
	if (n < 0)
		text_end(to, 0, width);
	return STRSAFE_E_INSUFFICIENT_BUFFER;
}

/* Each for both kinds of characters, by characters and by bytes. */
#define FAMILY(letter, unit, type, size)                                       \
	HRESULT StringC##unit##Copy##letter(type *to, size_t n,                \
					    const type *from)                  \
	{                                                                      \
		return copy(to, n / (size), from, STRSAFE_MAX_CCH,             \
			    sizeof(type));                                     \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##CopyN##letter(type *to, size_t n,               \
					     const type *from, size_t most)    \
	{                                                                      \
		return copy(to, n / (size), from, most / (size),               \
			    sizeof(type));                                     \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##Cat##letter(type *to, size_t n,                 \
					   const type *from)                   \
	{                                                                      \
		return append(to, n / (size), from, STRSAFE_MAX_CCH,           \
			      sizeof(type));                                   \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##CatN##letter(type *to, size_t n,                \
					    const type *from, size_t most)     \
	{                                                                      \
		return append(to, n / (size), from, most / (size),             \
			      sizeof(type));                                   \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##Length##letter(const type *text, size_t most,   \
					      size_t *ret_length)              \
	{                                                                      \
		HRESULT r =                                                    \
			length(text, most / (size), ret_length, sizeof(type)); \
                                                                               \
		if (ret_length)                                                \
			*ret_length *= (size);                                 \
		return r;                                                      \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##VPrintf##letter(                                \
		type *to, size_t n, const type *format, va_list args)          \
	{                                                                      \
		return print(to, n / (size), format, args, sizeof(type));      \
	}                                                                      \
                                                                               \
	HRESULT StringC##unit##Printf##letter(type *to, size_t n,              \
					      const type *format, ...)         \
	{                                                                      \
		va_list args;                                                  \
		HRESULT r;                                                     \
                                                                               \
		va_start(args, format);                                        \
		r = print(to, n / (size), format, args, sizeof(type));         \
		va_end(args);                                                  \
		return r;                                                      \
	}

FAMILY(A, ch, char, 1)
FAMILY(W, ch, wchar_t, 1)
FAMILY(A, b, char, 1)
FAMILY(W, b, wchar_t, sizeof(wchar_t))

/* A line of stdin without its end. */
HRESULT
StringCchGetsA(char *to, size_t n)
{
	size_t at = 0;
	int c = 0;

	if (!good_room(n))
		return STRSAFE_E_INVALID_PARAMETER;
	while (at < n - 1 && (c = getchar()) != EOF && c != '\n')
		to[at++] = (char)c;
	to[at] = '\0';
	if (c == EOF && at == 0)
		return STRSAFE_E_END_OF_FILE;
	return c == '\n' || c == EOF ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT
StringCbGetsA(char *to, size_t n)
{
	return StringCchGetsA(to, n);
}
