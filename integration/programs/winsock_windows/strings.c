/* SPDX-License-Identifier: MIT */
/* Strings as programs write them that were told not to overflow. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tchar.h>
#define STRSAFE_NO_DEPRECATE
#include <strsafe.h>
#include "say.h"

static void
copies(void)
{
	char five[5], ten[10], *null = NULL;

	SAY("strcpy_s", strcpy_s(five, sizeof(five), "abcd"));
	SAY_TEXT("strcpy_s text", five);
	SAY("strcpy_s too long", strcpy_s(five, sizeof(five), "abcde"));
	SAY_TEXT("strcpy_s too long text", five);
	SAY("strcpy_s to NULL", strcpy_s(null, 5, "a"));
	strcpy(five, "x");
	SAY("strcpy_s of NULL", strcpy_s(five, sizeof(five), null));
	SAY_TEXT("strcpy_s of NULL text", five);
	SAY("strncpy_s", strncpy_s(ten, sizeof(ten), "abcdef", 3));
	SAY_TEXT("strncpy_s text", ten);
	SAY("strncpy_s long count", strncpy_s(ten, sizeof(ten), "abc", 99));
	SAY_TEXT("strncpy_s long count text", ten);
	SAY("strncpy_s no room", strncpy_s(five, 5, "abcdef", 5));
	SAY_TEXT("strncpy_s no room text", five);
	SAY("strncpy_s truncate", strncpy_s(five, 5, "abcdef", _TRUNCATE));
	SAY_TEXT("strncpy_s truncate text", five);
	SAY("strncpy_s truncate fits", strncpy_s(five, 5, "ab", _TRUNCATE));
	SAY("strcat_s", strcat_s(five, sizeof(five), "cd"));
	SAY_TEXT("strcat_s text", five);
	SAY("strcat_s no room", strcat_s(five, sizeof(five), "e"));
	SAY_TEXT("strcat_s no room text", five);
	memset(five, 'x', 5);
	SAY("strcat_s no end", strcat_s(five, sizeof(five), "e"));
	strcpy(five, "a");
	SAY("strncat_s", strncat_s(five, 5, "bcdef", 2));
	SAY_TEXT("strncat_s text", five);
	SAY("strncat_s truncate", strncat_s(five, 5, "def", _TRUNCATE));
	SAY_TEXT("strncat_s truncate text", five);
	memset(ten, 'x', 10);
	SAY("memcpy_s", memcpy_s(ten, 10, "abc", 4));
	SAY_TEXT("memcpy_s text", ten);
	SAY("memcpy_s no room", memcpy_s(ten, 3, "abc", 4));
	SAY("memcpy_s clears", ten[0] + ten[1] + ten[2]);
	SAY("memmove_s", memmove_s(ten + 1, 9, ten, 3));
	SAY("strnlen", strnlen("abc", 2));
}

static void
wide_copies(void)
{
	wchar_t five[5];

	SAY("wcscpy_s", wcscpy_s(five, 5, L"abcd"));
	SAY_WIDE("wcscpy_s text", five);
	SAY("wcscpy_s too long", wcscpy_s(five, 5, L"abcde"));
	SAY_WIDE("wcscpy_s too long text", five);
	SAY("wcsncpy_s", wcsncpy_s(five, 5, L"abcdef", _TRUNCATE));
	SAY_WIDE("wcsncpy_s text", five);
	five[2] = 0;
	SAY("wcscat_s", wcscat_s(five, 5, L"x"));
	SAY_WIDE("wcscat_s text", five);
	SAY("wcscat_s no room", wcscat_s(five, 5, L"yz"));
}

static void
comparisons(void)
{
	char text[] = "aBc-9";
	char *copy;

	SAY("_stricmp same", _stricmp("Close", "cLOSE"));
	SAY("_stricmp less", _stricmp("a", "B") < 0);
	SAY("stricmp more", stricmp("b", "A") > 0);
	SAY("_strnicmp", _strnicmp("GET /x", "get /y", 5));
	SAY("strnicmp", strnicmp("GET /x", "get /y", 6) < 0);
	SAY("_wcsicmp", _wcsicmp(L"Close", L"cLOSE"));
	SAY("_wcsnicmp", _wcsnicmp(L"GETx", L"gety", 3));
	SAY("_memicmp", _memicmp("a\0B", "A\0b", 3));
	SAY_TEXT("_strupr", _strupr(text));
	SAY_TEXT("_strlwr", _strlwr(text));
	SAY_TEXT("_strrev", _strrev(text));
	copy = _strdup(text);
	SAY_TEXT("_strdup", copy);
	free(copy);
	SAY("_tcsicmp", _tcsicmp(_T("A"), _T("a")));
	SAY("_tcslen", _tcslen(_T("abc")));
}

static void
tokens(void)
{
	char line[] = "GET  /index HTTP";
	char *rest = NULL, *word;
	char names[3][8] = {"one", "two", "three"};
	int i = 0;

	for (word = strtok_s(line, " ", &rest); word;
	     word = strtok_s(NULL, " ", &rest))
		SAY_TEXT(names[i++], word);
}

static void
safe(void)
{
	char five[5];
	WCHAR wide[5];
	size_t n = 9;

	SAY("StringCchCopy", StringCchCopyA(five, 5, "abcd"));
	SAY_TEXT("StringCchCopy text", five);
	SAY("StringCchCopy cut", StringCchCopyA(five, 5, "abcdefg") ==
					 STRSAFE_E_INSUFFICIENT_BUFFER);
	SAY_TEXT("StringCchCopy cut text", five);
	SAY("StringCchCopy no size",
	    StringCchCopyA(five, 0, "a") == STRSAFE_E_INVALID_PARAMETER);
	SAY("StringCchCopyN", StringCchCopyNA(five, 5, "xyz", 2));
	SAY_TEXT("StringCchCopyN text", five);
	SAY("StringCchCat", StringCchCatA(five, 5, "z"));
	SAY_TEXT("StringCchCat text", five);
	SAY("StringCchCat cut",
	    StringCchCatA(five, 5, "abc") == STRSAFE_E_INSUFFICIENT_BUFFER);
	SAY_TEXT("StringCchCat cut text", five);
	SAY("StringCchCatN", StringCchCatNA(five, 5, "", 1));
	SAY("StringCchPrintf", StringCchPrintfA(five, 5, "%d%s", 12, "ab"));
	SAY_TEXT("StringCchPrintf text", five);
	SAY("StringCchPrintf cut", StringCchPrintfA(five, 5, "%05d", 12) ==
					   STRSAFE_E_INSUFFICIENT_BUFFER);
	SAY_TEXT("StringCchPrintf cut text", five);
	SAY("StringCchLength", StringCchLengthA("abc", 5, &n));
	SAY("StringCchLength length", n);
	SAY("StringCchLength no end",
	    StringCchLengthA("abc", 3, &n) == STRSAFE_E_INVALID_PARAMETER);
	SAY("StringCbCopyW", StringCbCopyW(wide, sizeof(wide), L"abcd"));
	SAY_WIDE("StringCbCopyW text", wide);
	SAY("StringCbCopyW cut", StringCbCopyW(wide, sizeof(wide), L"abcde") ==
					 STRSAFE_E_INSUFFICIENT_BUFFER);
	SAY("StringCchPrintfW", StringCchPrintfW(wide, 5, L"%s%d", L"ab", 1));
	SAY_WIDE("StringCchPrintfW text", wide);
	SAY("StringCbLengthW", StringCbLengthW(wide, sizeof(wide), &n));
	SAY("StringCbLengthW length", n / sizeof(WCHAR));
	SAY("constants",
	    STRSAFE_E_INSUFFICIENT_BUFFER == (HRESULT)0x8007007a &&
		    STRSAFE_E_INVALID_PARAMETER == (HRESULT)0x80070057);
	SAY("FAILED", FAILED(STRSAFE_E_INVALID_PARAMETER) && SUCCEEDED(S_OK));
}

static void
windows_own(void)
{
	char text[16];
	WCHAR wide[16];

	SAY("lstrlen NULL", lstrlenA(NULL));
	SAY("lstrlen", lstrlenA("abc"));
	SAY("lstrlenW", lstrlenW(L"abcd"));
	lstrcpyA(text, "abc");
	lstrcatA(text, "def");
	SAY_TEXT("lstrcat", text);
	lstrcpynA(text, "abcdef", 4);
	SAY_TEXT("lstrcpyn", text);
	lstrcpyW(wide, L"wide");
	SAY("lstrcmpi", lstrcmpiA("ABC", "abc"));
	SAY("lstrcmp", lstrcmpA("a", "b") < 0);
	SAY("lstrcmpW", lstrcmpW(wide, L"wide"));
	SAY("wsprintf", wsprintfA(text, "%d-%s", 42, "x"));
	SAY_TEXT("wsprintf text", text);
	SAY("wsprintfW", wsprintfW(wide, L"%s", L"abc"));
	SAY_WIDE("wsprintfW text", wide);
}

int
main(void)
{
	copies();
	wide_copies();
	comparisons();
	tokens();
	safe();
	windows_own();
	return 0;
}
