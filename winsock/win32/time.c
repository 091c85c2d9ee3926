/* SPDX-License-Identifier: MIT */
/* Clocks, and the two ways in which Windows writes a moment. */
#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "windows.h"

#define TICKS 10000000	      /* of 100 ns in a second */
#define TO_1601 11644473600LL /* seconds from there to the year 1970 */
#define LAST_YEAR 30827

static LONGLONG
ticks_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (LONGLONG)now.tv_sec * TICKS + now.tv_nsec / 100;
}

BOOL WINAPI
QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount)
{
	lpPerformanceCount->QuadPart = ticks_of(CLOCK_MONOTONIC);
	return TRUE;
}

/* Not nanoseconds: programs multiply by a million before they divide. */
BOOL WINAPI
QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency)
{
	lpFrequency->QuadPart = TICKS;
	return TRUE;
}

/* The time that the machine slept counts, as on Windows. */
ULONGLONG WINAPI
GetTickCount64(void)
{
	return (ULONGLONG)ticks_of(CLOCK_BOOTTIME) / (TICKS / 1000);
}

DWORD WINAPI
GetTickCount(void)
{
	return (DWORD)GetTickCount64();
}

static void
put(SYSTEMTIME *to, const struct tm *tm, LONGLONG ticks)
{
	*to = (SYSTEMTIME){
		.wYear = (WORD)(tm->tm_year + 1900),
		.wMonth = (WORD)(tm->tm_mon + 1),
		.wDayOfWeek = (WORD)tm->tm_wday,
		.wDay = (WORD)tm->tm_mday,
		.wHour = (WORD)tm->tm_hour,
		.wMinute = (WORD)tm->tm_min,
		.wSecond = (WORD)tm->tm_sec,
		.wMilliseconds = (WORD)(ticks % TICKS / (TICKS / 1000)),
	};
}

static void
now(SYSTEMTIME *to, struct tm *(*split)(const time_t *, struct tm *))
{
	LONGLONG ticks = ticks_of(CLOCK_REALTIME);
	time_t seconds = (time_t)(ticks / TICKS);
	int before = errno;
	struct tm tm;

	split(&seconds, &tm);
	put(to, &tm, ticks);
	errno = before;
}

void WINAPI
GetLocalTime(LPSYSTEMTIME lpSystemTime)
{
	now(lpSystemTime, localtime_r);
}

void WINAPI
GetSystemTime(LPSYSTEMTIME lpSystemTime)
{
	now(lpSystemTime, gmtime_r);
}

static FILETIME
file_time(ULONGLONG ticks)
{
	return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

static ULONGLONG
ticks_in(const FILETIME *time)
{
	return (ULONGLONG)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

void WINAPI
GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
	LONGLONG ticks = ticks_of(CLOCK_REALTIME);

	*lpSystemTimeAsFileTime =
		file_time((ULONGLONG)(ticks + TO_1601 * TICKS));
}

static BOOL
invalid(void)
{
	SetLastError(ERROR_INVALID_PARAMETER);
	return FALSE;
}

BOOL WINAPI
FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime)
{
	ULONGLONG ticks = ticks_in(lpFileTime);
	time_t seconds = (time_t)(ticks / TICKS) - TO_1601;
	struct tm tm;

	if (ticks >> 63 || !gmtime_r(&seconds, &tm) ||
	    tm.tm_year + 1900 > LAST_YEAR)
		return invalid();
	put(lpSystemTime, &tm, (LONGLONG)ticks);
	return TRUE;
}

/* The day of the week is not looked at. */
BOOL WINAPI
SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime)
{
	struct tm tm = {
		.tm_year = lpSystemTime->wYear - 1900,
		.tm_mon = lpSystemTime->wMonth - 1,
		.tm_mday = lpSystemTime->wDay,
		.tm_hour = lpSystemTime->wHour,
		.tm_min = lpSystemTime->wMinute,
		.tm_sec = lpSystemTime->wSecond,
	};
	struct tm same = tm;
	time_t seconds;

	if (lpSystemTime->wYear < 1601 || lpSystemTime->wYear > LAST_YEAR ||
	    tm.tm_sec > 59 || lpSystemTime->wMilliseconds > 999)
		return invalid();
	/* It moves what no calendar has to where it would be. */
	seconds = timegm(&same);
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
	    same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min)
		return invalid();
	*lpFileTime = file_time((ULONGLONG)(seconds + TO_1601) * TICKS +
				lpSystemTime->wMilliseconds * (TICKS / 1000));
	return TRUE;
}

/* By today's distance to UTC, whatever the season of that day. */
BOOL WINAPI
FileTimeToLocalFileTime(const FILETIME *lpFileTime, LPFILETIME lpLocalFileTime)
{
	time_t seconds = time(NULL);
	int before = errno;
	struct tm tm;

	localtime_r(&seconds, &tm);
	errno = before;
	*lpLocalFileTime = file_time(ticks_in(lpFileTime) +
				     (ULONGLONG)(tm.tm_gmtoff * TICKS));
	return TRUE;
}
