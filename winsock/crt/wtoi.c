/* SPDX-License-Identifier: MIT */
/* Numbers from wide strings, with Microsoft's answers for what is none. */
#include <errno.h>
#include <limits.h>
#include <wchar.h>

#include "portres_crt.h"

int
_wtoi(const wchar_t *text)
{
	long long value = _wtoi64(text);

	if (value >= INT_MIN && value <= INT_MAX)
		return (int)value;
	errno = ERANGE;
	return value < 0 ? INT_MIN : INT_MAX;
}

/* Windows' long has 32 bits. */
int
_wtol(const wchar_t *text)
{
	return _wtoi(text);
}

long long
_wtoi64(const wchar_t *text)
{
	if (!text) {
		errno = EINVAL;
		return 0;
	}
	return wcstoll(text, NULL, 10);
}
