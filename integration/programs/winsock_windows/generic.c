/* SPDX-License-Identifier: MIT */
/* tchar.h: the same text for narrow and wide characters. */
#include <windows.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tchar.h>
#include "check.h"
#include "say.h"

#define SAME(a, b) (_tcscmp((a), (b)) == 0)

static TCHAR text[16];

static void
strings(void)
{
	TCHAR line[] = _T("a b"), *rest = NULL, *copy;

	CHECK(SAME(_tcscpy(text, _T("abc")), _TEXT("abc")));
	CHECK(SAME(_tcscat(text, _T("abc")), _T("abcabc")));
	CHECK(_tcslen(text) == 6 && _tcsnlen(text, 4) == 4);
	CHECK(_tcschr(text, _T('b')) == text + 1);
	CHECK(_tcsrchr(text, _T('b')) == text + 4);
	CHECK(_tcsstr(text, _T("ca")) == text + 2);
	CHECK(_tcsspn(text, _T("ab")) == 2 && _tcscspn(text, _T("c")) == 2);
	CHECK(_tcspbrk(text, _T("xc")) == text + 2);
	CHECK(_tcsncmp(text, _T("abx"), 2) == 0);
	CHECK(_tcsicmp(_T("aB"), _T("Ab")) == 0);
	CHECK(_tcsnicmp(_T("aBx"), _T("Aby"), 2) == 0);
	text[15] = _T('x');
	CHECK(SAME(_tcsncpy(text, _T("xy"), 16), _T("xy")) && !text[15]);
	CHECK(SAME(_tcsncat(text, _T("abc"), 1), _T("xya")));
	CHECK(SAME(_tcsupr(text), _T("XYA")) && SAME(_tcslwr(text), _T("xya")));
	copy = _tcsdup(text);
	CHECK(SAME(copy, text) && copy != text);
	free(copy);
	CHECK(_tcscpy_s(text, 4, _T("abcd")) == ERANGE && !text[0]);
	CHECK(_tcsncpy_s(text, 16, _T("abcd"), 2) == 0);
	CHECK(_tcscat_s(text, 16, _T("cd")) == 0 && SAME(text, _T("abcd")));
	CHECK(_tcsncat_s(text, 16, _T("efg"), 1) == 0);
	CHECK(SAME(text, _T("abcde")));
	CHECK(SAME(_tcstok_s(line, _T(" "), &rest), _T("a")));
	CHECK(SAME(_tcstok_s(NULL, _T(" "), &rest), _T("b")));
}

static void
numbers(void)
{
	CHECK(_tcstol(_T("-12x"), NULL, 10) == -12);
	CHECK(_tcstoul(_T("ff"), NULL, 16) == 255);
	CHECK(_tcstod(_T("1.5"), NULL) == 1.5);
	CHECK(_tcstoi64(_T("-5000000000"), NULL, 10) == -5000000000ll);
	CHECK(_tcstoui64(_T("ffffffffffffffff"), NULL, 16) ==
	      0xffffffffffffffffull);
	CHECK(_ttoi(_T("12")) == 12 && _tstoi(_T("-12")) == -12);
	CHECK(_ttol(_T("12")) == 12);
	CHECK(_ttoi64(_T("5000000000")) == 5000000000ll);
	CHECK(_tstoi64(_T("5000000000")) == 5000000000ll);
	CHECK(SAME(_itot(-12, text, 10), _T("-12")));
	CHECK(SAME(_i64tot(5000000000ll, text, 10), _T("5000000000")));
	CHECK(_istalpha(_T('a')) && !_istalpha(_T('1')));
	CHECK(_istdigit(_T('1')) && !_istdigit(_T('a')));
	CHECK(_istalnum(_T('1')) && !_istalnum(_T('-')));
	CHECK(_istspace(_T(' ')) && !_istspace(_T('a')));
	CHECK(_istprint(_T('a')) && !_istprint(_T('\n')));
	CHECK(_istupper(_T('A')) && !_istupper(_T('a')));
	CHECK(_istlower(_T('a')) && !_istlower(_T('A')));
	CHECK(_totupper(_T('a')) == _T('A') && _totlower(_T('A')) == _T('a'));
}

static int
list(int which, const TCHAR *format, ...)
{
	va_list args;
	int n = 0;

	va_start(args, format);
	if (which == 0)
		n = _vtprintf(format, args);
	else if (which == 1)
		n = _vftprintf(stdout, format, args);
	else if (which == 2)
		n = _vsntprintf(text, 4, format, args);
	else if (which == 3)
		n = _vsntprintf_s(text, 4, _TRUNCATE, format, args);
	else
		n = _vstprintf_s(text, 16, format, args);
	va_end(args);
	return n;
}

/* Those that print are rows themselves. */
static void
printing(void)
{
	CHECK(_stprintf_s(text, 16, _T("%s%d"), _T("ab"), 12) == 4);
	CHECK(SAME(text, _T("ab12")));
	CHECK(_sntprintf(text, 16, _T("%s"), _T("abc")) == 3);
	CHECK(_sntprintf(text, 2, _T("%s"), _T("abc")) == -1);
	CHECK(_sntprintf_s(text, 3, _TRUNCATE, _T("%s"), _T("abc")) == -1);
	CHECK(SAME(text, _T("ab")));
	CHECK(_sctprintf(_T("%s"), _T("abcd")) == 4);
	CHECK(list(2, _T("%d"), 12345) == -1);
	CHECK(list(3, _T("%d"), 12345) == -1 && SAME(text, _T("123")));
	CHECK(list(4, _T("%d"), 12345) == 5 && SAME(text, _T("12345")));
	CHECK(_tprintf(_T("_tprintf [%s]\n"), _T("a")) == 13);
	_tprintf_s(_T("_tprintf_s [%s]\n"), _T("b"));
	_ftprintf(stdout, _T("_ftprintf [%s]\n"), _T("c"));
	_ftprintf_s(stdout, _T("_ftprintf_s [%s]\n"), _T("d"));
	list(0, _T("_vtprintf [%s]\n"), _T("e"));
	list(1, _T("_vftprintf [%s]\n"), _T("f"));
}

static void
streams(const char *name)
{
	FILE *file;

	fopen_s(&file, name, "w");
	CHECK(_fputtc(_T('a'), file) == _T('a'));
	CHECK(_fputts(_T("bc\nd"), file) >= 0);
	fclose(file);
	fopen_s(&file, name, "r");
	CHECK(_fgettc(file) == _T('a'));
	CHECK(_fgetts(text, 16, file) == text && SAME(text, _T("bc\n")));
	fclose(file);
	freopen_s(&file, name, "r", stdin);
	CHECK(_gettchar() == _T('a'));
	_tprintf(_T("_puttchar ["));
	_puttchar(_T('z'));
	_tprintf(_T("]\n"));
}

int
main(int argc, char **argv)
{
	(void)argc;
	strings();
	numbers();
	printing();
	streams(argv[1]);
	SAY("right", rights);
	return 0;
}
