/* SPDX-License-Identifier: MIT */
/* _itoa and its kin. Only base 10 knows negative numbers. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "portres_crt.h"

#define MOST 66 /* 64 digits, a sign and the 0 */

/* The text at the end of `room`, of MOST characters. */
static char *
digits(char *room, unsigned long long value, bool negative, int radix)
{
	char *p = room + MOST - 1;

	*p = '\0';
	do
		*--p = "0123456789abcdefghijklmnopqrstuvwxyz"
			[value % (unsigned int)radix];
	while (value /= (unsigned int)radix);
	if (negative)
		*--p = '-';
	return p;
}

static char *
of_signed(char *room, long long value, unsigned long long bits, int radix)
{
	if (radix != 10 || value >= 0)
		return digits(room, bits, false, radix);
	return digits(room, 0 - (unsigned long long)value, true, radix);
}

static bool
good_radix(int radix)
{
	if (radix >= 2 && radix <= 36)
		return true;
	errno = EINVAL;
	return false;
}

static char *
copy(char *to, const char *text)
{
	return strcpy(to, text);
}

static wchar_t *
widen(wchar_t *to, const char *text)
{
	size_t i = 0;

	do
		to[i] = text[i];
	while (text[i++]);
	return to;
}

static errno_t
copy_s(char *to, size_t size, const char *text)
{
	errno_t err = !to || size == 0 ? EINVAL : 0;

	if (to && size > 0)
		to[0] = '\0';
	if (err == 0 && strlen(text) >= size)
		err = ERANGE;
	if (err == 0)
		strcpy(to, text);
	else
		errno = err;
	return err;
}

/* The name's part, the type of the value, its bits, and how its text is made.
 */
#define FAMILY(name, type, bits)                                               \
	char *_##name##toa(type value, char *buffer, int radix)                \
	{                                                                      \
		char room[MOST];                                               \
                                                                               \
		if (!good_radix(radix))                                        \
			return NULL;                                           \
		return copy(buffer, of_signed(room, value, bits, radix));      \
	}                                                                      \
                                                                               \
	wchar_t *_##name##tow(type value, wchar_t *buffer, int radix)          \
	{                                                                      \
		char room[MOST];                                               \
                                                                               \
		if (!good_radix(radix))                                        \
			return NULL;                                           \
		return widen(buffer, of_signed(room, value, bits, radix));     \
	}                                                                      \
                                                                               \
	errno_t _##name##toa_s(type value, char *buffer, size_t size,          \
			       int radix)                                      \
	{                                                                      \
		char room[MOST];                                               \
                                                                               \
		if (!good_radix(radix))                                        \
			return EINVAL;                                         \
		return copy_s(buffer, size,                                    \
			      of_signed(room, value, bits, radix));            \
	}

FAMILY(i, int, (unsigned int)value)
FAMILY(l, int, (unsigned int)value)
FAMILY(ul, unsigned int, value)
FAMILY(i64, long long, (unsigned long long)value)

/* The largest of them has no signed type that holds it. */
char *
_ui64toa(unsigned long long value, char *buffer, int radix)
{
	char room[MOST];

	return good_radix(radix)
		       ? copy(buffer, digits(room, value, false, radix))
		       : NULL;
}

wchar_t *
_ui64tow(unsigned long long value, wchar_t *buffer, int radix)
{
	char room[MOST];

	return good_radix(radix)
		       ? widen(buffer, digits(room, value, false, radix))
		       : NULL;
}

errno_t
_ui64toa_s(unsigned long long value, char *buffer, size_t size, int radix)
{
	char room[MOST];

	return good_radix(radix)
		       ? copy_s(buffer, size, digits(room, value, false, radix))
		       : EINVAL;
}

long long
_atoi64(const char *text)
{
	if (text)
		return strtoll(text, NULL, 10);
	errno = EINVAL;
	return 0;
}

long long
_strtoi64(const char *text, char **ret_end, int base)
{
	return strtoll(text, ret_end, base);
}

unsigned long long
_strtoui64(const char *text, char **ret_end, int base)
{
	return strtoull(text, ret_end, base);
}

long long
_wcstoi64(const wchar_t *text, wchar_t **ret_end, int base)
{
	return wcstoll(text, ret_end, base);
}

unsigned long long
_wcstoui64(const wchar_t *text, wchar_t **ret_end, int base)
{
	return wcstoull(text, ret_end, base);
}
