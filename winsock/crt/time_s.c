/* SPDX-License-Identifier: MIT */
/* The `_s` functions of <time.h>. Times before 1970 are wrong for them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "portres_crt.h"

#define CTIME_SIZE 26 /* "Thu Jan 01 00:00:00 1970\n" */
#define DAY_AT 8
#define CLOCK_SIZE 9 /* "00:00:00" and "01/01/70" */

static errno_t
fail(errno_t err)
{
	errno = err;
	return err;
}

static errno_t
split(struct tm *ret, const time_t *time,
      struct tm *(*how)(const time_t *, struct tm *))
{
	if (ret)
		memset(ret, -1, sizeof(*ret));
	if (!ret || !time || *time < 0)
		return fail(EINVAL);
	return how(time, ret) ? 0 : fail(EINVAL);
}

errno_t
localtime_s(struct tm *ret, const time_t *time)
{
	return split(ret, time, localtime_r);
}

errno_t
gmtime_s(struct tm *ret, const time_t *time)
{
	return split(ret, time, gmtime_r);
}

errno_t
asctime_s(char *to, size_t size, const struct tm *tm)
{
	char text[64];

	if (to && size > 0)
		to[0] = '\0';
	if (!to || size < CTIME_SIZE || !tm || !asctime_r(tm, text))
		return fail(EINVAL);
	if (text[DAY_AT] == ' ')
		text[DAY_AT] = '0'; /* Microsoft's day has two digits */
	return strcpy_s(to, size, text);
}

errno_t
ctime_s(char *to, size_t size, const time_t *time)
{
	struct tm tm;

	if (to && size > 0)
		to[0] = '\0';
	return localtime_s(&tm, time) ? EINVAL : asctime_s(to, size, &tm);
}

static errno_t
now(char *to, size_t size, const char *format)
{
	time_t seconds = time(NULL);
	struct tm tm;

	if (!to || size == 0)
		return fail(EINVAL);
	to[0] = '\0';
	if (size < CLOCK_SIZE)
		return fail(ERANGE);
	localtime_r(&seconds, &tm);
	strftime(to, size, format, &tm);
	return 0;
}

errno_t
_strtime_s(char *to, size_t size)
{
	return now(to, size, "%H:%M:%S");
}

errno_t
_strdate_s(char *to, size_t size)
{
	return now(to, size, "%m/%d/%y");
}

char *
_strtime(char *to)
{
	_strtime_s(to, CLOCK_SIZE);
	return to;
}

char *
_strdate(char *to)
{
	_strdate_s(to, CLOCK_SIZE);
	return to;
}
