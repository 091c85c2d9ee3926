/* SPDX-License-Identifier: MIT */
/* Heaps, messages, characters, and what a thread keeps for itself. */
#include <windows.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "say.h"

static void
heaps(void)
{
	HANDLE heap = GetProcessHeap(), own = HeapCreate(0, 0, 0);
	char *block = (char *)HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
	LPVOID other;
	int sum = 0;

	for (int i = 0; i < 100; i++)
		sum += block[i];
	SAY("zeros", sum);
	SAY("HeapSize", HeapSize(heap, 0, block));
	strcpy(block, "kept");
	block = (char *)HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 5000);
	SAY_TEXT("HeapReAlloc", block);
	SAY("more zeros", block[4999]);
	SAY("HeapSize more", HeapSize(heap, 0, block));
	SAY("HeapFree", HeapFree(heap, 0, block) != 0);
	SAY("HeapFree NULL", HeapFree(heap, 0, NULL) != 0);
	HeapAlloc(own, 0, 10);
	other = HeapAlloc(own, 0, 10);
	HeapFree(own, 0, other);
	HeapAlloc(own, 0, 10);
	SAY("HeapDestroy", HeapDestroy(own) != 0);
	other = LocalAlloc(LPTR, 10);
	SAY("LPTR", ((char *)other)[9]);
	SAY("LocalFree", LocalFree(other) == NULL);
	other = GlobalAlloc(GPTR, sizeof(SYSTEMTIME));
	SAY("GPTR", ((SYSTEMTIME *)other)->wYear);
	SAY("GlobalFree", GlobalFree(other) == NULL);
}

static void
messages(void)
{
	char text[200], *made = NULL;
	WCHAR wide[200];
	DWORD n;

	n = FormatMessageA(
		FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
		NULL, 10061, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), text,
		sizeof(text), NULL);
	SAY("FormatMessage", n > 5 && n == strlen(text));
	SAY("ends its line", n > 2 && strcmp(text + n - 2, "\r\n") == 0);
	n = FormatMessageA(FORMAT_MESSAGE_ALLOCATE_BUFFER |
				   FORMAT_MESSAGE_FROM_SYSTEM |
				   FORMAT_MESSAGE_IGNORE_INSERTS,
			   NULL, 10061, 0, (LPSTR)&made, 0, NULL);
	SAY("allocated", n > 5 && n == strlen(made));
	LocalFree(made);
	n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
				   FORMAT_MESSAGE_IGNORE_INSERTS |
				   FORMAT_MESSAGE_MAX_WIDTH_MASK,
			   NULL, 5, 0, wide, 200, NULL);
	SAY("wide", n > 5 && n == wcslen(wide));
	SAY("without a line", n > 0 && wide[n - 1] != L'\n');
	n = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM |
				   FORMAT_MESSAGE_IGNORE_INSERTS,
			   NULL, 10061, 0, text, 5, NULL);
	SAY("message room", n);
	SAY("message room error", GetLastError());
	n = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM |
				   FORMAT_MESSAGE_IGNORE_INSERTS,
			   NULL, 0x1234567, 0, text, sizeof(text), NULL);
	SAY("no message", n);
	SAY("no message error", GetLastError());
	n = FormatMessageA(0, NULL, 5, 0, text, sizeof(text), NULL);
	SAY("no source", n);
	SAY("no source error", GetLastError());
}

#define STRING FORMAT_MESSAGE_FROM_STRING
#define ARRAY (STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY)

static DWORD
format(LPSTR to, DWORD size, DWORD flags, LPCSTR from, ...)
{
	va_list args;
	DWORD n;

	va_start(args, from);
	n = FormatMessageA(flags, from, 0, 0, to, size, &args);
	va_end(args);
	return n;
}

static void
inserts(void)
{
	DWORD_PTR pages[] = {4,
			     2,
			     (DWORD_PTR) "Bill",
			     (DWORD_PTR) "Bob",
			     6,
			     (DWORD_PTR) "Bill"};
	DWORD_PTR wides[] = {(DWORD_PTR)L"wide", (DWORD_PTR) "narrow", 7};
	char text[100], *made = NULL;
	WCHAR wide[100];

	SAY("two", format(text, sizeof(text), STRING, "%2 %1", "a", "b"));
	SAY_TEXT("two text", text);
	FormatMessageA(ARRAY, "%1!*.*s! %4 %5!*s!", 0, 0, text, sizeof(text),
		       (va_list *)pages);
	SAY_TEXT("Microsoft's own", text);
	format(text, sizeof(text), STRING, "%1!4d!|%1!04X!|%2!u!|%3!c!", 200,
	       4000000000u, 'c');
	SAY_TEXT("numbers", text);
	format(text, sizeof(text), STRING, "%1!ls! %1!S!", L"wide");
	SAY_TEXT("wide insert", text);
	format(text, sizeof(text), STRING, "%%%.%!% %0 not this");
	SAY_TEXT("escapes", text);
	SAY("lines", format(text, sizeof(text), STRING, "a%nb\nc\r\nd"));
	SAY("are Windows'", strcmp(text, "a\r\nb\r\nc\r\nd"));
	format(text, sizeof(text), STRING | FORMAT_MESSAGE_MAX_WIDTH_MASK,
	       "a\nb%nc");
	SAY("but for a width", strcmp(text, "a b\r\nc"));
	FormatMessageA(STRING | FORMAT_MESSAGE_IGNORE_INSERTS, "%1 %2!*.*s!%99",
		       0, 0, text, sizeof(text), NULL);
	SAY_TEXT("ignored", text);
	SAY("no arguments",
	    FormatMessageA(STRING, "%1", 0, 0, text, sizeof(text), NULL));
	SAY("no arguments error", GetLastError());
	SAY("no string",
	    FormatMessageA(STRING, NULL, 0, 0, text, sizeof(text), NULL));
	SAY("no string error", GetLastError());
	SAY("string room", format(text, 3, STRING, "%1", "abc"));
	SAY("string room error", GetLastError());
	SAY("made",
	    format((LPSTR)&made, 0, STRING | FORMAT_MESSAGE_ALLOCATE_BUFFER,
		   "%1%1", "ab"));
	SAY_TEXT("made text", made);
	LocalFree(made);
	SAY("W", FormatMessageW(ARRAY, L"%1 %2!S! \x20ac %3!d!", 0, 0, wide,
				100, (va_list *)wides));
	SAY("W text", wcscmp(wide, L"wide narrow \x20ac 7"));
}

static void
characters(void)
{
	const char *narrow = "a\xc3\xa9\xe2\x82\xac"; /* a, e acute, euro */
	WCHAR wide[8];
	char back[16];

	SAY("room needed",
	    MultiByteToWideChar(CP_UTF8, 0, narrow, -1, NULL, 0));
	SAY("to wide", MultiByteToWideChar(CP_UTF8, 0, narrow, -1, wide, 8));
	SAY("e acute", wide[1]);
	SAY("euro", wide[2]);
	SAY("some bytes", MultiByteToWideChar(CP_UTF8, 0, narrow, 3, wide, 8));
	SAY("back", WideCharToMultiByte(CP_UTF8, 0, L"\x20ac", -1, back,
					sizeof(back), NULL, NULL));
	SAY("back is", (unsigned char)back[0] * 256 + (unsigned char)back[1]);
	SAY("no room", MultiByteToWideChar(CP_UTF8, 0, narrow, -1, wide, 2));
	SAY("no room error", GetLastError());
	SAY("invalid", MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS,
					   "a\xff", -1, wide, 8));
	SAY("invalid error", GetLastError());
	SAY("replaced", MultiByteToWideChar(CP_UTF8, 0, "\xff", -1, wide, 8));
	SAY("replaced by", wide[0]);
	SAY("nothing", MultiByteToWideChar(CP_UTF8, 0, narrow, 0, wide, 8));
	SAY("nothing error", GetLastError());
	SAY("ANSI", MultiByteToWideChar(CP_ACP, 0, "abc", -1, wide, 8));
}

static DWORD slot;

static DWORD WINAPI
other_thread(LPVOID answer)
{
	*(int *)answer = TlsGetValue(slot) == NULL;
	TlsSetValue(slot, answer);
	return 0;
}

static void
own(void)
{
	HANDLE thread;
	int none = 0;

	slot = TlsAlloc();
	SAY("TlsAlloc", slot != TLS_OUT_OF_INDEXES);
	SAY("TlsSetValue", TlsSetValue(slot, &slot) != 0);
	thread = CreateThread(NULL, 0, other_thread, &none, 0, NULL);
	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
	SAY("nothing there", none);
	SetLastError(5);
	SAY("kept here", TlsGetValue(slot) == &slot);
	SAY("no error", GetLastError());
	SAY("TlsFree", TlsFree(slot) != 0);
}

int
main(void)
{
	heaps();
	messages();
	inserts();
	characters();
	own();
	return 0;
}
