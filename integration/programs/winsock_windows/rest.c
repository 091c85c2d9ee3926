/* SPDX-License-Identifier: MIT */
/* The less common of Microsoft's runtime, of which mingw-w64 has not all. */
#define STRSAFE_NO_DEPRECATE
#define _CRT_RAND_S
#include <windows.h>
#include <io.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strsafe.h>
#include <time.h>
#include "say.h"

static void
strings(void)
{
	char text[8] = "aBc";
	wchar_t wide[8] = L"aBc", *rest = NULL, line[] = L"a b";
	wchar_t *copy;

	SAY("_strupr_s", _strupr_s(text, sizeof(text)));
	SAY_TEXT("_strupr_s text", text);
	SAY("_strlwr_s", _strlwr_s(text, sizeof(text)));
	SAY_TEXT("_strlwr_s text", text);
	SAY("_strlwr_s no end", _strlwr_s(text, 3));
	SAY_WIDE("_wcsupr", _wcsupr(wide));
	SAY_WIDE("_wcslwr", _wcslwr(wide));
	SAY_TEXT("_strset", _strset(text, '-'));
	SAY("wcsncat_s", wcsncat_s(wide, 8, L"defg", 2));
	copy = _wcsdup(wide);
	SAY_WIDE("_wcsdup", copy);
	free(copy);
	wcstok_s(line, L" ", &rest);
	SAY_WIDE("wcstok_s", wcstok_s(NULL, L" ", &rest));
	SAY("strnlen_s", strnlen_s(NULL, 5) + wcsnlen_s(L"abc", 2));
	SAY("_NLSCMPERROR", _stricmp(NULL, "a") == _NLSCMPERROR);
}

static int
all_v(const char *from, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsscanf_s(from, format, args);
	va_end(args);
	return n;
}

static int
read_v(FILE *from, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = from ? vfscanf_s(from, format, args) : vscanf_s(format, args);
	va_end(args);
	return n;
}

static int
print_v(char *to, size_t size, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = _vscprintf(format, again);
	va_end(again);
	n = n * 100 + vsprintf_s(to, size, format, args);
	va_end(args);
	return n;
}

static void
lines(const char *name)
{
	FILE *file;
	char line[8];
	int number = 0;

	fopen_s(&file, name, "w");
	fputs("first\nfar too long\nsafe\nbytes\n12 word x\n3 4\nend", file);
	fclose(file);
	SAY("freopen_s", freopen_s(&file, name, "r", stdin));
	SAY("gets_s", gets_s(line, sizeof(line)) == line);
	SAY_TEXT("gets_s text", line);
	SAY("gets_s no room", gets_s(line, sizeof(line)) == NULL);
	SAY("StringCchGets", StringCchGetsA(line, sizeof(line)));
	SAY_TEXT("StringCchGets text", line);
	SAY("StringCbGets", StringCbGetsA(line, sizeof(line)));
	SAY_TEXT("StringCbGets text", line);
	SAY("scanf_s", scanf_s("%d", &number));
	SAY("fscanf_s", fscanf_s(stdin, "%s", line, (unsigned)sizeof(line)));
	SAY_TEXT("scanned", line);
	SAY("number", number);
	SAY("vsscanf_s", all_v("7 8", "%d%d", &number, &number));
	SAY("vsprintf_s", print_v(line, sizeof(line), "%d", 1234));
	gets_s(line, sizeof(line));
	SAY("vscanf_s", read_v(NULL, "%d", &number) * 10 + number);
	SAY("vfscanf_s", read_v(stdin, "%d", &number) * 10 + number);
	gets_s(line, sizeof(line));
	SAY("last line", gets_s(line, sizeof(line)) == line);
	SAY("end", gets_s(line, sizeof(line)) == NULL);
	SAY("end of file",
	    StringCchGetsA(line, sizeof(line)) == STRSAFE_E_END_OF_FILE);
	SAY("_filelength", _filelength(_fileno(stdin)));
}

static void
environment(void)
{
	char text[8], *value = NULL;
	unsigned int a = 0, b = 0;
	size_t size = 9;

	putenv((char *)"PORTRES_TEST_VALUE=five5");
	SAY("getenv_s", getenv_s(&size, text, 8, "PORTRES_TEST_VALUE"));
	SAY_TEXT("getenv_s text", text);
	SAY("getenv_s size", size);
	SAY("getenv_s no room", getenv_s(&size, text, 3, "PORTRES_TEST_VALUE"));
	SAY("getenv_s none", getenv_s(&size, text, 8, "PORTRES_TEST_NONE"));
	SAY("getenv_s none size", size);
	SAY("_dupenv_s", _dupenv_s(&value, &size, "PORTRES_TEST_VALUE"));
	SAY_TEXT("_dupenv_s text", value);
	free(value);
	SAY("rand_s", rand_s(&a) + rand_s(&b));
	SAY("rand_s differs", a != b);
}

static void
memory(void)
{
	char *block = (char *)HeapAlloc(GetProcessHeap(), 0, 100);
	HLOCAL local;
	FILETIME now, there;

	SAY("in place",
	    HeapReAlloc(GetProcessHeap(), HEAP_REALLOC_IN_PLACE_ONLY, block,
			10) == block);
	SAY("size", HeapSize(GetProcessHeap(), 0, block));
	SAY("not larger",
	    HeapReAlloc(GetProcessHeap(), HEAP_REALLOC_IN_PLACE_ONLY, block,
			1000000) == NULL);
	HeapFree(GetProcessHeap(), 0, block);
	SAY("HeapAlloc too much",
	    HeapAlloc(GetProcessHeap(), 0, (SIZE_T)-1) == NULL);
	local = LocalAlloc(LMEM_FIXED, 5);
	local = LocalReAlloc(local, 500, LMEM_MOVEABLE | LMEM_ZEROINIT);
	SAY("LocalSize", LocalSize(local));
	SAY("LocalLock", LocalLock(local) == local);
	LocalFree(local);
	GetSystemTimeAsFileTime(&now);
	SAY("FileTimeToLocalFileTime",
	    FileTimeToLocalFileTime(&now, &there) != 0);
	SAY("ERROR_INVALID_FLAGS",
	    MultiByteToWideChar(CP_UTF8, 0x100, "a", 1, NULL, 0) +
		    (int)GetLastError());
	SAY("no code page", MultiByteToWideChar(12345, 0, "a", 1, NULL, 0) +
				    (int)GetLastError());
	SAY("GlobalSize", GlobalSize(NULL));
}

int
main(int argc, char **argv)
{
	(void)argc;
	strings();
	environment();
	memory();
	lines(argv[1]);
	return 0;
}
