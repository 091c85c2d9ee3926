/* SPDX-License-Identifier: MIT */
/* Printing to buffers, reading back, numbers as text, files. */
#include <windows.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "say.h"

static int
log_line(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = _vsnprintf_s(to, size, _TRUNCATE, format, args);
	va_end(args);
	return n;
}

static void
prints(void)
{
	char five[5], ten[10];
	wchar_t wide[5];

	SAY("sprintf_s", sprintf_s(five, sizeof(five), "%d", 1234));
	SAY_TEXT("sprintf_s text", five);
	SAY("sprintf_s no room",
	    sprintf_s(five, sizeof(five), "%d", 12345) < 1);
	SAY_TEXT("sprintf_s no room text", five);
	SAY("sprintf_s 64", sprintf_s(ten, sizeof(ten), "%I64d", 5ll));
	memset(ten, 'x', sizeof(ten));
	SAY("_snprintf", _snprintf(ten, 5, "%s", "abc"));
	SAY_TEXT("_snprintf text", ten);
	memset(ten, 'x', sizeof(ten));
	ten[9] = 0;
	SAY("_snprintf full", _snprintf(ten, 5, "%s", "abcde"));
	SAY_TEXT("_snprintf full text", ten);
	SAY("_snprintf cut", _snprintf(ten, 4, "%s", "ABCDEFG"));
	SAY_TEXT("_snprintf cut text", ten);
	SAY("_snprintf_s truncate",
	    _snprintf_s(five, 5, _TRUNCATE, "%s", "abcdefg"));
	SAY_TEXT("_snprintf_s truncate text", five);
	SAY("_snprintf_s count", _snprintf_s(five, 5, 2, "%s", "abcdefg"));
	SAY_TEXT("_snprintf_s count text", five);
	SAY("_snprintf_s fits", _snprintf_s(five, 5, 4, "%s", "wxyz"));
	SAY("_vsnprintf_s", log_line(five, 5, "%s=%d", "a", 12));
	SAY("_vsnprintf_s cut", log_line(five, 5, "%s=%d", "a", 123));
	SAY_TEXT("_vsnprintf_s cut text", five);
	SAY("swprintf_s", swprintf_s(wide, 5, L"%s%d", L"ab", 12));
	SAY_WIDE("swprintf_s text", wide);
	SAY("_snwprintf", _snwprintf(wide, 4, L"%s", L"abcdef"));
	wide[4] = 0;
	SAY_WIDE("_snwprintf text", wide);
	SAY("_scprintf", _scprintf("%s %d", "abc", 12345));
}

static void
numbers(void)
{
	char text[70];
	wchar_t wide[70];

	SAY_TEXT("_itoa", _itoa(-1234, text, 10));
	SAY_TEXT("_itoa 16", _itoa(-1, text, 16));
	SAY_TEXT("_itoa 2", _itoa(10, text, 2));
	SAY_TEXT("_itoa 36", _itoa(35, text, 36));
	SAY_TEXT("_itoa least", _itoa((-2147483647) - 1, text, 10));
	SAY_TEXT("itoa", itoa(8080, text, 10));
	SAY_TEXT("_ltoa", _ltoa(-5, text, 10));
	SAY_TEXT("_ultoa", _ultoa(4294967295u, text, 10));
	SAY_TEXT("_i64toa", _i64toa(-5000000000ll, text, 10));
	SAY_TEXT("_ui64toa", _ui64toa(18446744073709551615ull, text, 16));
	SAY_WIDE("_itow", _itow(77, wide, 10));
	SAY("_itoa_s", _itoa_s(123, text, 4, 10));
	SAY("_itoa_s no room", _itoa_s(123, text, 3, 10));
	SAY_TEXT("_itoa_s no room text", text);
	SAY("_atoi64", _atoi64("-5000000000"));
	SAY("_strtoi64", _strtoi64("7fffffffffffffff", NULL, 16) > 0);
	SAY("_strtoui64", _strtoui64("10", NULL, 0));
	SAY("_countof", _countof(text));
	SAY("min max", __min(3, 4) * 10 + __max(3, 4));
}

static void
scans(void)
{
	char word[8] = "before", other[3] = "x", letters[3], c = 0;
	int port = 0, more = 0;

	SAY("sscanf_s", sscanf_s("127 8080", "%d %d", &port, &more));
	SAY("sscanf_s port", more);
	SAY("sscanf_s text", sscanf_s("host:80", "%[^:]:%d", word,
				      (unsigned)sizeof(word), &port));
	SAY_TEXT("sscanf_s word", word);
	SAY("sscanf_s number", port);
	SAY("sscanf_s long",
	    sscanf_s("abcd 5", "%s %d", other, (unsigned)sizeof(other), &port));
	SAY_TEXT("sscanf_s long text", other);
	SAY("sscanf_s char", sscanf_s("q", "%c", &c, 1));
	SAY("sscanf_s char is", c);
	SAY("sscanf_s width",
	    sscanf_s("abcd", "%2s%2c", other, (unsigned)sizeof(other), letters,
		     (unsigned)sizeof(letters)));
	SAY("sscanf_s letters", letters[0] * 256 + letters[1]);
	SAY("sscanf_s none", sscanf_s("x", "%d", &port));
	SAY("sscanf_s end", sscanf_s("", "%d", &port));
	SAY("sscanf_s skip", sscanf_s("1,2", "%*d,%d", &port));
	SAY("sscanf_s skipped", port);
	SAY("sscanf_s 64", sscanf_s("5", "%I64d", (__int64 *)(void *)word));
}

static void
files(const char *name)
{
	char line[32];
	FILE *file = NULL;

	SAY("fopen_s", fopen_s(&file, name, "w+"));
	fprintf(file, "%d %s\n", 5, "five");
	rewind(file);
	SAY("fgets", fgets(line, sizeof(line), file) != NULL);
	SAY_TEXT("line", strtok(line, "\n"));
	fclose(file);
	SAY("fopen_s none", fopen_s(&file, "no/such/file", "r"));
	SAY("fopen_s none is NULL", file == NULL);
	remove(name);
	SAY("strerror_s", strerror_s(line, sizeof(line), EINVAL));
	SAY("strerror_s length", strlen(line) > 3);
}

int
main(int argc, char **argv)
{
	(void)argc;
	prints();
	numbers();
	scans();
	files(argv[1]);
	return 0;
}
