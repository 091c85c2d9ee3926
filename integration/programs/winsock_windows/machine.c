/* SPDX-License-Identifier: MIT */
/* Small things of Windows: conversions, memory, wide names, older strings. */
#include <windows.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "say.h"

static void
conversions(void)
{
	CHECK(HandleToLong(LongToHandle(-5)) == -5);
	CHECK(HandleToULong(ULongToHandle(5)) == 5);
	CHECK(PtrToLong(LongToPtr(-7)) == -7);
	CHECK(PtrToUlong(UlongToPtr(7)) == 7);
	CHECK(PtrToInt(IntToPtr(-3)) == -3);
	CHECK(HRESULT_FROM_WIN32(5) == (HRESULT)0x80070005);
	CHECK(HRESULT_FROM_WIN32(0) == S_OK);
	CHECK(HRESULT_CODE((HRESULT)0x80070005) == 5);
	CHECK(HRESULT_FACILITY((HRESULT)0x80070005) == FACILITY_WIN32);
	CHECK(FIELD_OFFSET(SYSTEMTIME, wMonth) == 2);
	CHECK(RTL_FIELD_SIZE(SYSTEMTIME, wMonth) == 2);
}

static void
memory(int unused)
{
	char a[4] = "abc", b[4] = "abc";
	int local = 0;
	HGLOBAL block = GlobalAlloc(GHND, 10);
	HLOCAL other = LocalAlloc(LHND, 10);

	DBG_UNREFERENCED_PARAMETER(unused);
	DBG_UNREFERENCED_LOCAL_VARIABLE(local);
	CHECK(RTL_NUMBER_OF(a) == 4);
	CHECK(RtlEqualMemory(a, b, 4));
#ifdef EqualMemory /* not in all headers */
	CHECK(EqualMemory(a, b, 4));
#endif
	MoveMemory(a + 1, a, 2);
	CHECK(memcmp(a, "aab", 4) == 0);
	RtlMoveMemory(a, a + 1, 2);
	RtlCopyMemory(b, a, 2);
	CHECK(memcmp(b, "abc", 4) == 0);
	RtlFillMemory(a, 2, 'z');
	RtlZeroMemory(b, 4);
	CHECK(memcmp(a, "zzb", 4) == 0 && b[0] == 0 && b[3] == 0);
	CHECK(((char *)GlobalLock(block))[9] == 0);
	GlobalUnlock(block);
	block = GlobalReAlloc(block, 5000, GMEM_MOVEABLE | GMEM_ZEROINIT);
	CHECK(((char *)GlobalLock(block))[4999] == 0);
	GlobalUnlock(block);
	CHECK(GlobalSize(block) >= 5000 && GlobalFree(block) == NULL);
	CHECK(LocalLock(other) != NULL);
	LocalUnlock(other);
	CHECK(LocalFree(other) == NULL);
}

static int
narrow_list(char *to, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = wvsprintf(to, format, args);
	va_end(args);
	return n;
}

static int
wide_list(WCHAR *to, const WCHAR *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = wvsprintfW(to, format, args);
	va_end(args);
	return n;
}

static void
strings(void)
{
	char text[32];
	WCHAR wide[32];

	CHECK(strcmp(lstrcpy(text, "abc"), "abc") == 0);
	CHECK(wcscmp(lstrcpyW(wide, L"abc"), L"abc") == 0);
	CHECK(wcscmp(lstrcatW(wide, L"def"), L"abcdef") == 0);
	CHECK(lstrcmpiW(wide, L"ABCDEF") == 0 && lstrcmpiW(L"a", L"b") < 0);
	CHECK(wcscmp(lstrcpynW(wide, L"hello", 3), L"he") == 0);
	CHECK(narrow_list(text, "%d-%s", 12, "ab") == 5);
	CHECK(strcmp(text, "12-ab") == 0);
	CHECK(wide_list(wide, L"%d-%s", 12, L"ab") == 5);
	CHECK(wcscmp(wide, L"12-ab") == 0);
}

static VOID CALLBACK
routine(ULONG_PTR argument)
{
	*(int *)argument += 1;
}

static void
objects(void)
{
	HANDLE both[2];
	CRITICAL_SECTION section;
	int ran = 0;

	both[0] = CreateMutexW(NULL, FALSE, NULL);
	both[1] = CreateSemaphoreW(NULL, 1, 1, NULL);
	CHECK(WaitForMultipleObjectsEx(2, both, TRUE, 0, FALSE) ==
	      WAIT_OBJECT_0);
	CHECK(WaitForMultipleObjectsEx(1, both + 1, TRUE, 0, FALSE) ==
	      WAIT_TIMEOUT);
	QueueUserAPC(routine, GetCurrentThread(), (ULONG_PTR)&ran);
	CHECK(WaitForMultipleObjectsEx(1, both + 1, TRUE, 10000, TRUE) ==
	      WAIT_IO_COMPLETION);
	CHECK(ran == 1 && ReleaseMutex(both[0]));
	CHECK(CloseHandle(both[0]) && CloseHandle(both[1]));
	CHECK(InitializeCriticalSectionEx(&section, 4000, 0));
	CHECK(TryEnterCriticalSection(&section));
	LeaveCriticalSection(&section);
	DeleteCriticalSection(&section);
}

static void
names_and_times(void)
{
	WCHAR name[256], again[256];
	char narrow[256];
	DWORD size = 256, needed = 0;
	FILETIME early, late;

	CHECK(GetComputerNameW(name, &size) && size == wcslen(name));
	CHECK(!GetComputerNameW(again, &needed) &&
	      GetLastError() == ERROR_BUFFER_OVERFLOW);
	size = 256;
	GetComputerNameA(narrow, &size);
	wsprintfW(again, L"%S", narrow);
	CHECK(wcscmp(name, again) == 0);
	GetSystemTimeAsFileTime(&early);
	GetSystemTimePreciseAsFileTime(&late);
	CHECK(late.dwHighDateTime - early.dwHighDateTime <= 1);
}

int
main(int argc, char **argv)
{
	(void)argv;
	conversions();
	memory(argc);
	strings();
	objects();
	names_and_times();
	SAY("right", rights);
	return 0;
}
