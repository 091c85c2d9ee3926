/* SPDX-License-Identifier: MIT */
/* Functions of Microsoft's <string.h> that C has not, by the locale's letters.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

#include "portres_crt.h"

/* False, and EINVAL: a comparison with NULL then is _NLSCMPERROR. */
static bool
both(const void *a, const void *b)
{
	if (a && b)
		return true;
	errno = EINVAL;
	return false;
}

int
_stricmp(const char *a, const char *b)
{
	return both(a, b) ? strcasecmp(a, b) : _NLSCMPERROR;
}

int
_strnicmp(const char *a, const char *b, size_t n)
{
	return both(a, b) ? strncasecmp(a, b, n) : _NLSCMPERROR;
}

int
_wcsicmp(const wchar_t *a, const wchar_t *b)
{
	return both(a, b) ? wcscasecmp(a, b) : _NLSCMPERROR;
}

int
_wcsnicmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	return both(a, b) ? wcsncasecmp(a, b, n) : _NLSCMPERROR;
}

int
_memicmp(const void *a, const void *b, size_t n)
{
	const unsigned char *left = a;
	const unsigned char *right = b;
	int difference = 0;

	if (n > 0 && !both(a, b))
		return _NLSCMPERROR;
	for (size_t i = 0; i < n && difference == 0; i++)
		difference = tolower(left[i]) - tolower(right[i]);
	return difference;
}

char *
_strdup(const char *text)
{
	return text ? strdup(text) : NULL;
}

wchar_t *
_wcsdup(const wchar_t *text)
{
	return text ? wcsdup(text) : NULL;
}

char *
_strlwr(char *text)
{
	for (char *p = text; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

char *
_strupr(char *text)
{
	for (char *p = text; p && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

wchar_t *
_wcslwr(wchar_t *text)
{
	for (wchar_t *p = text; p && *p; p++)
		*p = (wchar_t)towlower((wint_t)*p);
	return text;
}

wchar_t *
_wcsupr(wchar_t *text)
{
	for (wchar_t *p = text; p && *p; p++)
		*p = (wchar_t)towupper((wint_t)*p);
	return text;
}

/* Does the string end before the buffer does? EINVAL otherwise. */
static errno_t
ends(const char *text, size_t room)
{
	if (text && strnlen(text, room) < room)
		return 0;
	errno = EINVAL;
	return EINVAL;
}

errno_t
_strlwr_s(char *text, size_t room)
{
	errno_t err = ends(text, room);

	if (err == 0)
		_strlwr(text);
	return err;
}

errno_t
_strupr_s(char *text, size_t room)
{
	errno_t err = ends(text, room);

	if (err == 0)
		_strupr(text);
	return err;
}

char *
_strrev(char *text)
{
	size_t n = text ? strlen(text) : 0;

	for (size_t i = 0; i < n / 2; i++) {
		char c = text[i];

		text[i] = text[n - 1 - i];
		text[n - 1 - i] = c;
	}
	return text;
}

char *
_strset(char *text, int c)
{
	for (char *p = text; p && *p; p++)
		*p = (char)c;
	return text;
}
