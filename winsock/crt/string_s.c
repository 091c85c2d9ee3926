/* SPDX-License-Identifier: MIT */
/*
 * strcpy_s and its kin. Microsoft's runtime ends the program when an argument
 * is wrong, unless it has a handler for that; here they return what they
 * return with such a handler: EINVAL, or ERANGE without enough room, with an
 * empty string in the buffer.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "portres_crt.h"
#include "winsock/crt/text.h"

#define ALL (SIZE_MAX - 1) /* _TRUNCATE is SIZE_MAX */

static errno_t
fail(errno_t err)
{
	errno = err;
	return err;
}

static errno_t
empty(void *to, size_t width, errno_t err)
{
	text_end(to, 0, width);
	return fail(err);
}

static errno_t
put(void *to, size_t room, size_t at, const void *from, size_t most,
    size_t width)
{
	if (text_append(to, room, at, from, most, width))
		return 0;
	return most == _TRUNCATE ? STRUNCATE : empty(to, width, ERANGE);
}

static errno_t
copy(void *to, size_t room, const void *from, size_t most, size_t width)
{
	if (!to && room == 0 && most == 0)
		return 0;
	if (!to)
		return fail(EINVAL);
	if (room == 0)
		return fail(ERANGE);
	if (most == 0) {
		text_end(to, 0, width);
		return 0;
	}
	if (!from)
		return empty(to, width, EINVAL);
	return put(to, room, 0, from, most, width);
}

static errno_t
append(void *to, size_t room, const void *from, size_t most, size_t width)
{
	size_t at;

	if (!to && room == 0 && most == 0)
		return 0;
	if (!to || room == 0)
		return fail(EINVAL);
	at = text_length(to, room, width);
	if (at == room)
		return empty(to, width, EINVAL);
	if (most == 0)
		return 0;
	if (!from)
		return empty(to, width, EINVAL);
	return put(to, room, at, from, most, width);
}

errno_t
strcpy_s(char *dest, rsize_t room, const char *src)
{
	return copy(dest, room, src, ALL, sizeof(*dest));
}

errno_t
wcscpy_s(wchar_t *dest, rsize_t room, const wchar_t *src)
{
	return copy(dest, room, src, ALL, sizeof(*dest));
}

errno_t
strncpy_s(char *dest, rsize_t room, const char *src, rsize_t count)
{
	return copy(dest, room, src, count, sizeof(*dest));
}

errno_t
wcsncpy_s(wchar_t *dest, rsize_t room, const wchar_t *src, rsize_t count)
{
	return copy(dest, room, src, count, sizeof(*dest));
}

errno_t
strcat_s(char *dest, rsize_t room, const char *src)
{
	return append(dest, room, src, ALL, sizeof(*dest));
}

errno_t
wcscat_s(wchar_t *dest, rsize_t room, const wchar_t *src)
{
	return append(dest, room, src, ALL, sizeof(*dest));
}

errno_t
strncat_s(char *dest, rsize_t room, const char *src, rsize_t count)
{
	return append(dest, room, src, count, sizeof(*dest));
}

errno_t
wcsncat_s(wchar_t *dest, rsize_t room, const wchar_t *src, rsize_t count)
{
	return append(dest, room, src, count, sizeof(*dest));
}

size_t
strnlen_s(const char *text, size_t most)
{
	return text ? strnlen(text, most) : 0;
}

size_t
wcsnlen_s(const wchar_t *text, size_t most)
{
	return text ? wcsnlen(text, most) : 0;
}

char *
strtok_s(char *text, const char *delimiters, char **context)
{
	if (context && delimiters && (text || *context))
		return strtok_r(text, delimiters, context);
	errno = EINVAL;
	return NULL;
}

wchar_t *
wcstok_s(wchar_t *text, const wchar_t *delimiters, wchar_t **context)
{
	if (context && delimiters && (text || *context))
		return wcstok(text, delimiters, context);
	errno = EINVAL;
	return NULL;
}

errno_t
memcpy_s(void *dest, rsize_t room, const void *src, rsize_t count)
{
	if (count == 0)
		return 0;
	if (!dest)
		return fail(EINVAL);
	if (!src || room < count) {
		memset(dest, 0, room);
		return fail(src ? ERANGE : EINVAL);
	}
	memcpy(dest, src, count);
	return 0;
}

errno_t
memmove_s(void *dest, rsize_t room, const void *src, rsize_t count)
{
	if (count == 0)
		return 0;
	if (!dest || !src)
		return fail(EINVAL);
	if (room < count)
		return fail(ERANGE);
	memmove(dest, src, count);
	return 0;
}
