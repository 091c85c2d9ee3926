/* SPDX-License-Identifier: MIT */
/* Clocks and dates, and the process and the machine. */
#include <windows.h>
#include <errno.h>
#include <process.h>
#include <stdio.h>
#include <time.h>
#include "say.h"

static void
dates(void)
{
	time_t moment = 86400 * 365 + 3661, wrong = -1;
	struct tm tm;
	char text[64], small[9];

	SAY("gmtime_s", gmtime_s(&tm, &moment));
	SAY("year", tm.tm_year);
	SAY("hour", tm.tm_hour);
	SAY("second", tm.tm_sec);
	SAY("localtime_s", localtime_s(&tm, &moment));
	SAY("local minute", tm.tm_min);
	SAY("localtime_s wrong", localtime_s(&tm, &wrong));
	SAY("wrong leaves", tm.tm_year);
	gmtime_s(&tm, &moment);
	SAY("asctime_s", asctime_s(text, sizeof(text), &tm));
	SAY("asctime_s length", strlen(text));
	text[24] = 0;
	SAY_TEXT("asctime_s text", text);
	SAY("asctime_s small", asctime_s(text, 25, &tm));
	SAY("ctime_s", ctime_s(text, sizeof(text), &moment));
	SAY("ctime_s length", strlen(text));
	_strtime(small);
	SAY("_strtime", small[2] == ':' && small[5] == ':' && !small[8]);
	_strdate(small);
	SAY("_strdate", small[2] == '/' && small[5] == '/' && !small[8]);
}

static void
windows_dates(void)
{
	SYSTEMTIME now, epoch, back;
	FILETIME file = {0xd53e8000, 0x019db1de}; /* 1970-01-01 */
	FILETIME same, current;
	ULARGE_INTEGER value;
	time_t seconds;

	SAY("FileTimeToSystemTime", FileTimeToSystemTime(&file, &epoch) != 0);
	SAY("epoch", epoch.wYear * 10000 + epoch.wMonth * 100 + epoch.wDay);
	SAY("epoch weekday", epoch.wDayOfWeek);
	epoch.wMilliseconds = 7;
	SAY("SystemTimeToFileTime", SystemTimeToFileTime(&epoch, &same) != 0);
	value.LowPart = same.dwLowDateTime;
	value.HighPart = same.dwHighDateTime;
	SAY("7 ms later", value.QuadPart - 116444736000000000ull);
	epoch.wMonth = 2;
	epoch.wDay = 30;
	SAY("30 February", SystemTimeToFileTime(&epoch, &same));
	SAY("its error", GetLastError());
	GetSystemTimeAsFileTime(&current);
	value.LowPart = current.dwLowDateTime;
	value.HighPart = current.dwHighDateTime;
	seconds = time(NULL);
	/* time() is up to a tick late. */
	SAY("now", (__int64)(value.QuadPart / 10000000 - 11644473600ull) -
				   (__int64)seconds <=
			   1);
	GetSystemTime(&now);
	FileTimeToSystemTime(&current, &back);
	SAY("same hour or next", now.wHour - back.wHour <= 1);
	GetLocalTime(&now);
	SAY("local", now.wYear > 2020 && now.wMonth >= 1 && now.wMonth <= 12 &&
			     now.wDay >= 1 && now.wMilliseconds < 1000);
}

static void
clocks(void)
{
	LARGE_INTEGER frequency, first, second;
	DWORD ticks = GetTickCount();
	ULONGLONG long_ticks = GetTickCount64();

	SAY("frequency", QueryPerformanceFrequency(&frequency) != 0);
	SAY("frequency is", frequency.QuadPart > 0);
	QueryPerformanceCounter(&first);
	Sleep(30);
	QueryPerformanceCounter(&second);
	SAY("slept 30",
	    (second.QuadPart - first.QuadPart) * 1000 / frequency.QuadPart >=
		    29);
	SAY("ticks", GetTickCount() - ticks >= 15);
	SAY("long ticks", GetTickCount64() - long_ticks >= 15);
	SAY("both", (DWORD)long_ticks - ticks < 1000);
}

static void
machine(void)
{
	SYSTEM_INFO info;
	char name[MAX_COMPUTERNAME_LENGTH + 100];
	DWORD size = sizeof(name);

	GetSystemInfo(&info);
	SAY("processors", info.dwNumberOfProcessors >= 1);
	SAY("page", info.dwPageSize >= 4096);
	SAY("GetComputerName", GetComputerNameA(name, &size) != 0);
	SAY("its length", size == (DWORD)lstrlenA(name));
	size = 1;
	SAY("no room", GetComputerNameA(name, &size));
	SAY("no room error", GetLastError());
	SAY("SetConsoleOutputCP",
	    SetConsoleOutputCP(CP_UTF8) && SetConsoleCP(65001));
	SAY("GetConsoleCP", GetConsoleCP() == GetConsoleOutputCP());
	SAY("no code page", SetConsoleCP(12345));
	SAY("its error", GetLastError());
	SAY("pid", GetCurrentProcessId() == (DWORD)_getpid());
}

int
main(void)
{
	dates();
	windows_dates();
	clocks();
	machine();
	fflush(stdout);
	ExitProcess(7);
	return 0;
}
