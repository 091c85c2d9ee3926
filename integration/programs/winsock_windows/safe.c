/* SPDX-License-Identifier: MIT */
/* All of strsafe.h: by characters and by bytes, narrow and wide. */
#define STRSAFE_NO_DEPRECATE
#include <windows.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strsafe.h>
#include "check.h"
#include "say.h"

#define CUT STRSAFE_E_INSUFFICIENT_BUFFER
#define WRONG STRSAFE_E_INVALID_PARAMETER
#define W(n) ((n) * sizeof(WCHAR))

static char text[8];
static WCHAR wide[8];
static size_t n;

/* The answer, and the text that is left. */
#define IS(call, answer, left)                                                 \
	check(#call, (call) == (answer) && strcmp(text, left) == 0)
#define IS_WIDE(call, answer, left)                                            \
	check(#call, (call) == (answer) && wcscmp(wide, left) == 0)

static void
characters(void)
{
	IS(StringCchCopy(text, 8, "abc"), S_OK, "abc");
	IS(StringCchCat(text, 5, "def"), CUT, "abcd");
	IS(StringCchCopyN(text, 8, "abcdef", 2), S_OK, "ab");
	IS(StringCchCatN(text, 8, "xyz", 1), S_OK, "abx");
	IS(StringCchPrintf(text, 4, "%d", 12345), CUT, "123");
	CHECK(StringCchLength(text, 8, &n) == S_OK && n == 3);
	CHECK(StringCchLength(text, 3, &n) == WRONG && n == 0);
	CHECK(StringCchLength(text, (size_t)STRSAFE_MAX_CCH + 1, &n) == WRONG);
	CHECK(StringCchCopyA(text, 0, "a") == WRONG);
	IS_WIDE(StringCchCopyW(wide, 4, L"abcdef"), CUT, L"abc");
	IS_WIDE(StringCchCatW(wide, 8, L"de"), S_OK, L"abcde");
	IS_WIDE(StringCchCopyNW(wide, 8, L"abcdef", 2), S_OK, L"ab");
	IS_WIDE(StringCchCatNW(wide, 8, L"xyz", 1), S_OK, L"abx");
	IS_WIDE(StringCchPrintfW(wide, 8, L"%s", L"abc"), S_OK, L"abc");
	CHECK(StringCchLengthW(wide, 8, &n) == S_OK && n == 3);
}

/* Odd bytes hold no character. */
static void
bytes(void)
{
	IS(StringCbCopy(text, 4, "abcdef"), CUT, "abc");
	IS(StringCbCat(text, 8, "d"), S_OK, "abcd");
	IS(StringCbCopyN(text, 8, "abcdef", 2), S_OK, "ab");
	IS(StringCbCatN(text, 8, "xyz", 1), S_OK, "abx");
	IS(StringCbPrintf(text, 4, "%d", 12345), CUT, "123");
	CHECK(StringCbLength(text, 8, &n) == S_OK && n == 3);
	IS_WIDE(StringCbCopyW(wide, W(4), L"abcdef"), CUT, L"abc");
	IS_WIDE(StringCbCopyW(wide, W(3) + 1, L"abcdef"), CUT, L"ab");
	IS_WIDE(StringCbCatW(wide, W(8), L"de"), S_OK, L"abde");
	IS_WIDE(StringCbCopyNW(wide, W(8), L"abcdef", W(2)), S_OK, L"ab");
	IS_WIDE(StringCbCatNW(wide, W(8), L"xyz", W(1)), S_OK, L"abx");
	IS_WIDE(StringCbPrintfW(wide, W(4), L"%d", 12345), CUT, L"123");
	CHECK(StringCbLengthW(wide, W(8), &n) == S_OK && n == W(3));
	CHECK(StringCbCopyW(wide, W(1) - 1, L"a") == WRONG);
}

/* The four that take a va_list. */
#define WITH_LIST(name, function, type, size)                                  \
	static HRESULT name(const type *format, ...)                           \
	{                                                                      \
		va_list args;                                                  \
		HRESULT r;                                                     \
                                                                               \
		va_start(args, format);                                        \
		r = function(sizeof(type) == 1 ? (type *)(void *)text          \
					       : (type *)(void *)wide,         \
			     size, format, args);                              \
		va_end(args);                                                  \
		return r;                                                      \
	}

WITH_LIST(list, StringCchVPrintf, char, 8)
WITH_LIST(list_wide, StringCchVPrintfW, WCHAR, 8)
WITH_LIST(list_bytes, StringCbVPrintf, char, 4)
WITH_LIST(list_wide_bytes, StringCbVPrintfW, WCHAR, W(4))

int
main(void)
{
	characters();
	bytes();
	IS(list("%d-%s", 12, "ab"), S_OK, "12-ab");
	IS(list_bytes("%d-%s", 12, "ab"), CUT, "12-");
	IS_WIDE(list_wide(L"%d-%s", 12, L"ab"), S_OK, L"12-ab");
	IS_WIDE(list_wide_bytes(L"%d-%s", 12, L"ab"), CUT, L"12-");
	SAY("right", rights);
	return 0;
}
