/* SPDX-License-Identifier: MIT */
/* Microsoft's runtime: the other widths, the older names, and descriptors. */
#include <windows.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "check.h"
#include "say.h"

#define SAME(a, b) (strcmp((a), (b)) == 0)
#define SAME_WIDE(a, b) (wcscmp((a), (b)) == 0)

static char text[32];
static wchar_t wide[32];

static void
strings(void)
{
	strcpy(text, "aBc");
	CHECK(_strcmpi(text, "AbC") == 0 && strcmpi(text, "AbD") < 0);
	CHECK(memicmp(text, "AbX", 2) == 0 && memicmp(text, "AbX", 3) < 0);
	CHECK(SAME(strlwr(text), "abc") && SAME(strupr(text), "ABC"));
	CHECK(SAME(strrev(text), "CBA"));
	CHECK(wcsicmp(L"aB", L"Ab") == 0 && wcsnicmp(L"aBx", L"Aby", 2) == 0);
}

static void
numbers(void)
{
	CHECK(_i64toa_s(-5, text, 32, 10) == 0 && SAME(text, "-5"));
	CHECK(_i64toa_s(-500, text, 4, 10) == ERANGE && !text[0]);
	CHECK(_ui64toa_s(255, text, 32, 16) == 0 && SAME(text, "ff"));
	CHECK(_ui64toa_s(1, text, 32, 37) == EINVAL);
	CHECK(_ltoa_s(-7, text, 32, 10) == 0 && SAME(text, "-7"));
	CHECK(_ultoa_s(7, text, 32, 2) == 0 && SAME(text, "111"));
	CHECK(SAME(ltoa(-7, text, 10), "-7") && SAME(ultoa(7, text, 2), "111"));
	CHECK(SAME_WIDE(_ltow(-9, wide, 10), L"-9"));
	CHECK(SAME_WIDE(_ultow(9, wide, 2), L"1001"));
	CHECK(SAME_WIDE(_i64tow(-5000000000ll, wide, 10), L"-5000000000"));
	CHECK(SAME_WIDE(_ui64tow(255, wide, 16), L"ff"));
	CHECK(_wcstoi64(L"-5000000000", NULL, 10) == -5000000000ll);
	CHECK(_wcstoui64(L"ff", NULL, 16) == 255);
}

static void
times(void)
{
	__time64_t day = 86400;
	struct tm tm;

	CHECK(_gmtime64_s(&tm, &day) == 0 && tm.tm_mday == 2);
	CHECK(_mkgmtime(&tm) == day);
	CHECK(_localtime64_s(&tm, &day) == 0 && tm.tm_year == 70);
	CHECK(_time64(NULL) > day);
	CHECK(_strdate_s(text, 9) == 0 && text[2] == '/' && text[5] == '/');
	CHECK(_strdate_s(text, 8) == ERANGE && !text[0]);
	CHECK(_strtime_s(text, 9) == 0 && text[2] == ':' && text[5] == ':');
	CHECK(_strtime_s(text, 8) == ERANGE && !text[0]);
	_sleep(1);
}

/* The first is a row by itself. */
enum {
	VPRINTF_S,
	VFPRINTF_S,
	VSNPRINTF,
	VSCPRINTF,
};

static int
list(int which, const char *format, ...)
{
	va_list args;
	int n = 0;

	va_start(args, format);
	if (which == VPRINTF_S)
		n = vprintf_s(format, args);
	else if (which == VFPRINTF_S)
		n = vfprintf_s(stdout, format, args);
	else if (which == VSNPRINTF)
		n = _vsnprintf(text, 4, format, args);
	else
		n = _vscprintf(format, args);
	va_end(args);
	return n;
}

enum {
	VSWPRINTF,
	VSWPRINTF_S,
	VSNWPRINTF,
	VSNWPRINTF_S,
	VSCWPRINTF,
};

static int
list_wide(int which, const wchar_t *format, ...)
{
	va_list args;
	int n = 0;

	va_start(args, format);
	if (which == VSWPRINTF)
		n = vswprintf(wide, 32, format, args);
	else if (which == VSWPRINTF_S)
		n = vswprintf_s(wide, 32, format, args);
	else if (which == VSNWPRINTF)
		n = _vsnwprintf(wide, 4, format, args);
	else if (which == VSNWPRINTF_S)
		n = _vsnwprintf_s(wide, 4, _TRUNCATE, format, args);
	else
		n = _vscwprintf(format, args);
	va_end(args);
	return n;
}

static void
printing(void)
{
	memset(text, 'x', 8);
	CHECK(list(VSNPRINTF, "%s", "abcd") == 4 &&
	      memcmp(text, "abcdx", 5) == 0);
	CHECK(list(VSNPRINTF, "%s", "abcde") == -1);
	CHECK(list(VSCPRINTF, "%s", "abcde") == 5);
	CHECK(swprintf(wide, 32, L"%d", 12) == 2 && SAME_WIDE(wide, L"12"));
	CHECK(list_wide(VSWPRINTF, L"%d", 34) == 2 && SAME_WIDE(wide, L"34"));
	CHECK(list_wide(VSWPRINTF_S, L"%d", 56) == 2 && SAME_WIDE(wide, L"56"));
	CHECK(list_wide(VSNWPRINTF, L"%d", 12345) == -1);
	CHECK(list_wide(VSNWPRINTF_S, L"%d", 12345) == -1);
	CHECK(SAME_WIDE(wide, L"123"));
	CHECK(list_wide(VSCWPRINTF, L"%d", 12345) == 5);
	CHECK(_scwprintf(L"%d", 12345) == 5);
	CHECK(_snwprintf_s(wide, 4, 2, L"%d", 12345) == -1);
	CHECK(SAME_WIDE(wide, L"12"));
	printf_s("printf_s [%d]\n", 1);
	fprintf_s(stdout, "fprintf_s [%d]\n", 2);
	list(VPRINTF_S, "vprintf_s [%d]\n", 3);
	list(VFPRINTF_S, "vfprintf_s [%d]\n", 4);
	CHECK(_flushall() >= 0);
}

/* Last: after these a stream of Windows' takes wide characters alone. */
static void
wide_printing(void)
{
	wprintf_s(L"wprintf_s [%s]\n", L"wide");
	fwprintf_s(stdout, L"fwprintf_s [%s]\n", L"wide");
}

static void
descriptors(const char *name)
{
	FILE *file;
	int fd, other;

	fopen_s(&file, name, "w+");
	fd = _fileno(file);
	CHECK(_setmode(fd, _O_BINARY) != -1 && _setmode(999, _O_BINARY) == -1);
	CHECK(_write(fd, "abcdef", 6) == 6 && _lseek(fd, 1, SEEK_SET) == 1);
	CHECK(_read(fd, text, 2) == 2 && memcmp(text, "bc", 2) == 0);
	CHECK(_lseeki64(fd, 0, SEEK_CUR) == 3);
	CHECK(_isatty(fd) == 0);
	other = _dup(fd);
	CHECK(other > fd && _lseek(other, 0, SEEK_CUR) == 3);
	CHECK(_dup2(fd, other) != -1 && _close(other) == 0);
	CHECK(_close(other) == -1 && errno == EBADF);
	fclose(file);
	CHECK(_access(name, 0) == 0 && _unlink(name) == 0);
	CHECK(_access(name, 0) == -1 && errno == ENOENT);
}

static void
commands(void)
{
	FILE *from = _popen("echo 5", "r");

	CHECK(fgets(text, sizeof(text), from) == text && text[0] == '5');
	CHECK(_pclose(from) == 0);
}

int
main(int argc, char **argv)
{
	(void)argc;
	strings();
	numbers();
	times();
	printing();
	descriptors(argv[1]);
	commands();
	SAY("right", rights);
	wide_printing();
	return 0;
}
