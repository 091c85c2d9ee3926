/* SPDX-License-Identifier: MIT */
/* UTF-8 to wide characters and back, without the locale. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "windows.h"

#define REPLACEMENT 0xfffd
#define MOST_BYTES 4

/* Is it a character that may be written? Halves of UTF-16's pairs are none. */
static bool
is_character(unsigned int c)
{
	return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
}

/* Returns how many bytes of the n were read; *ret is REPLACEMENT, and *ret_good
 * false, when they are no character. */
static size_t
decode(const unsigned char *from, size_t n, wchar_t *ret, bool *ret_good)
{
	static const unsigned int least[] = {0, 0x80, 0x800, 0x10000};
	size_t more = from[0] < 0x80	? 0
		      : from[0] < 0xc2	? MOST_BYTES
		      : from[0] < 0xe0	? 1
		      : from[0] < 0xf0	? 2
		      : from[0] <= 0xf4 ? 3
					: MOST_BYTES;
	unsigned int c = from[0];
	size_t i;

	*ret = REPLACEMENT;
	*ret_good = false;
	if (more == MOST_BYTES)
		return 1;
	if (more > 0)
		c &= 0x3fu >> more;
	for (i = 1; i <= more; i++) {
		if (i == n || (from[i] & 0xc0) != 0x80)
			return i;
		c = c << 6 | (from[i] & 0x3fu);
	}
	if (c < least[more] || !is_character(c))
		return 1;
	*ret = (wchar_t)c;
	*ret_good = true;
	return i;
}

static size_t
encode(unsigned char *to, unsigned int c)
{
	if (c < 0x80) {
		to[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (unsigned char)(0xc0 | c >> 6);
		to[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (unsigned char)(0xe0 | c >> 12);
		to[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | c >> 18);
	to[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

static int
fail(DWORD code)
{
	SetLastError(code);
	return 0;
}

/* 0 or the error. */
static DWORD
look(UINT page, DWORD flags, DWORD known, const void *from, int n,
     const void *to, int room)
{
	if (page != CP_ACP && page != CP_OEMCP && page != CP_THREAD_ACP &&
	    page != CP_UTF8)
		return ERROR_INVALID_PARAMETER;
	if (!from || n == 0 || n < -1 || room < 0 || (room && !to) ||
	    from == to)
		return ERROR_INVALID_PARAMETER;
	return flags & ~known ? ERROR_INVALID_FLAGS : 0;
}

int WINAPI
MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCSTR lpMultiByteStr,
		    int cbMultiByte, LPWSTR lpWideCharStr, int cchWideChar)
{
	const unsigned char *from = (const unsigned char *)lpMultiByteStr;
	DWORD code = look(CodePage, dwFlags,
			  MB_ERR_INVALID_CHARS |
				  (CodePage == CP_UTF8 ? 0 : MB_PRECOMPOSED),
			  from, cbMultiByte, lpWideCharStr, cchWideChar);
	size_t left;
	int made = 0;

	if (code)
		return fail(code);
	left = cbMultiByte < 0 ? strlen(lpMultiByteStr) + 1
			       : (size_t)cbMultiByte;
	while (left > 0) {
		wchar_t c;
		bool good;
		size_t n = decode(from, left, &c, &good);

		if (!good && dwFlags & MB_ERR_INVALID_CHARS)
			return fail(ERROR_NO_UNICODE_TRANSLATION);
		if (cchWideChar && made == cchWideChar)
			return fail(ERROR_INSUFFICIENT_BUFFER);
		if (cchWideChar)
			lpWideCharStr[made] = c;
		made++;
		from += n;
		left -= n;
	}
	return made;
}

int WINAPI
WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWSTR lpWideCharStr,
		    int cchWideChar, LPSTR lpMultiByteStr, int cbMultiByte,
		    LPCSTR lpDefaultChar, BOOL *lpUsedDefaultChar)
{
	DWORD code =
		look(CodePage, dwFlags, WC_ERR_INVALID_CHARS, lpWideCharStr,
		     cchWideChar, lpMultiByteStr, cbMultiByte);
	size_t n;
	int made = 0;

	/* Every character has its bytes: a default is for other pages. */
	if (code == 0 && CodePage == CP_UTF8 &&
	    (lpDefaultChar || lpUsedDefaultChar))
		code = ERROR_INVALID_PARAMETER;
	if (code)
		return fail(code);
	if (lpUsedDefaultChar)
		*lpUsedDefaultChar = FALSE;
	n = cchWideChar < 0 ? wcslen(lpWideCharStr) + 1 : (size_t)cchWideChar;
	for (size_t i = 0; i < n; i++) {
		unsigned int c = (unsigned int)lpWideCharStr[i];
		unsigned char bytes[MOST_BYTES];
		int size;

		if (!is_character(c) && dwFlags & WC_ERR_INVALID_CHARS)
			return fail(ERROR_NO_UNICODE_TRANSLATION);
		size = (int)encode(bytes, is_character(c) ? c : REPLACEMENT);
		if (cbMultiByte && size > cbMultiByte - made)
			return fail(ERROR_INSUFFICIENT_BUFFER);
		if (cbMultiByte)
			memcpy(lpMultiByteStr + made, bytes, (size_t)size);
		made += size;
	}
	return made;
}
