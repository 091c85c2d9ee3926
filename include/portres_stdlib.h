/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's <stdlib.h> and <time.h> beyond C's, a part of portres_crt.h. The
 * functions that return errno_t: see portres_string.h.
 */
#ifndef PORTRES_STDLIB_H
#define PORTRES_STDLIB_H

#include "portres_string.h"

#include <stdlib.h>
#include <time.h>

#define _countof(array) (sizeof(array) / sizeof((array)[0]))

#define _MAX_PATH 260
#define _MAX_FNAME 256
#define _MAX_EXT 256

#define __max(a, b) (((a) > (b)) ? (a) : (b))
#define __min(a, b) (((a) < (b)) ? (a) : (b))

/* One type with time_t, which the functions' pointers are to. */
typedef time_t __time64_t;
#define _time64 time
#define _localtime64_s localtime_s
#define _gmtime64_s gmtime_s
#define _mkgmtime timegm
#define _sleep Sleep
#define _popen popen
#define _pclose pclose

#ifdef __cplusplus
extern "C" {
#endif

/* The radix is from 2 to 36 (else NULL, EINVAL); 10 alone knows negative
 * numbers. Microsoft's long has 32 bits. */
PORTRES_API char *_itoa(int value, char *buffer, int radix) PORTRES_NAME(_itoa);
PORTRES_API char *_ltoa(int value, char *buffer, int radix) PORTRES_NAME(_ltoa);
PORTRES_API char *_ultoa(unsigned int value, char *buffer, int radix)
	PORTRES_NAME(_ultoa);
__extension__ PORTRES_API char *_i64toa(long long value, char *buffer,
					int radix) PORTRES_NAME(_i64toa);
__extension__ PORTRES_API char *_ui64toa(unsigned long long value, char *buffer,
					 int radix) PORTRES_NAME(_ui64toa);
PORTRES_API wchar_t *_itow(int value, wchar_t *buffer, int radix)
	PORTRES_NAME(_itow);
PORTRES_API wchar_t *_ltow(int value, wchar_t *buffer, int radix)
	PORTRES_NAME(_ltow);
PORTRES_API wchar_t *_ultow(unsigned int value, wchar_t *buffer, int radix)
	PORTRES_NAME(_ultow);
__extension__ PORTRES_API wchar_t *_i64tow(long long value, wchar_t *buffer,
					   int radix) PORTRES_NAME(_i64tow);
__extension__ PORTRES_API wchar_t *_ui64tow(unsigned long long value,
					    wchar_t *buffer, int radix)
	PORTRES_NAME(_ui64tow);
PORTRES_API errno_t _itoa_s(int value, char *buffer, size_t size, int radix)
	PORTRES_NAME(_itoa_s);
PORTRES_API errno_t _ltoa_s(int value, char *buffer, size_t size, int radix)
	PORTRES_NAME(_ltoa_s);
PORTRES_API errno_t _ultoa_s(unsigned int value, char *buffer, size_t size,
			     int radix) PORTRES_NAME(_ultoa_s);
__extension__ PORTRES_API errno_t _i64toa_s(long long value, char *buffer,
					    size_t size, int radix)
	PORTRES_NAME(_i64toa_s);
__extension__ PORTRES_API errno_t _ui64toa_s(unsigned long long value,
					     char *buffer, size_t size,
					     int radix)
	PORTRES_NAME(_ui64toa_s);
/* Older names of the same. */
PORTRES_API char *itoa(int value, char *buffer, int radix) PORTRES_NAME(_itoa);
PORTRES_API char *ltoa(int value, char *buffer, int radix) PORTRES_NAME(_ltoa);
PORTRES_API char *ultoa(unsigned int value, char *buffer, int radix)
	PORTRES_NAME(_ultoa);

__extension__ PORTRES_API long long _atoi64(const char *text)
	PORTRES_NAME(_atoi64);
__extension__ PORTRES_API long long _strtoi64(const char *text, char **ret_end,
					      int base) PORTRES_NAME(_strtoi64);
__extension__ PORTRES_API unsigned long long
_strtoui64(const char *text, char **ret_end, int base) PORTRES_NAME(_strtoui64);
__extension__ PORTRES_API long long _wcstoi64(const wchar_t *text,
					      wchar_t **ret_end, int base)
	PORTRES_NAME(_wcstoi64);
__extension__ PORTRES_API unsigned long long
_wcstoui64(const wchar_t *text, wchar_t **ret_end, int base)
	PORTRES_NAME(_wcstoui64);

/* *ret is the size that is needed, 0 without the variable. */
PORTRES_API errno_t getenv_s(size_t *ret, char *buffer, size_t size,
			     const char *name) PORTRES_NAME(getenv_s);
/* *ret is for free(); NULL without the variable. */
PORTRES_API errno_t _dupenv_s(char **ret, size_t *ret_size, const char *name)
	PORTRES_NAME(_dupenv_s);
PORTRES_API errno_t strerror_s(char *buffer, size_t size, int error)
	PORTRES_NAME(strerror_s);
/* From the kernel's source of random numbers. */
PORTRES_API errno_t rand_s(unsigned int *ret) PORTRES_NAME(rand_s);

/* Microsoft's order of arguments. A time before 1970 is EINVAL, and leaves -1
 * in every member. */
PORTRES_API errno_t localtime_s(struct tm *ret, const time_t *time)
	PORTRES_NAME(localtime_s);
PORTRES_API errno_t gmtime_s(struct tm *ret, const time_t *time)
	PORTRES_NAME(gmtime_s);
/* 26 bytes. */
PORTRES_API errno_t asctime_s(char *buffer, size_t size, const struct tm *tm)
	PORTRES_NAME(asctime_s);
PORTRES_API errno_t ctime_s(char *buffer, size_t size, const time_t *time)
	PORTRES_NAME(ctime_s);
/* hh:mm:ss and mm/dd/yy, local time; 9 bytes. */
PORTRES_API errno_t _strtime_s(char *buffer, size_t size)
	PORTRES_NAME(_strtime_s);
PORTRES_API errno_t _strdate_s(char *buffer, size_t size)
	PORTRES_NAME(_strdate_s);
PORTRES_API char *_strtime(char *buffer) PORTRES_NAME(_strtime);
PORTRES_API char *_strdate(char *buffer) PORTRES_NAME(_strdate);

#ifdef __cplusplus
}

extern "C++" {
template <size_t n>
inline errno_t
_itoa_s(int value, char (&buffer)[n], int radix)
{
	return _itoa_s(value, buffer, n, radix);
}

template <size_t n>
inline errno_t
strerror_s(char (&buffer)[n], int error)
{
	return strerror_s(buffer, n, error);
}

template <size_t n>
inline errno_t
asctime_s(char (&buffer)[n], const struct tm *tm)
{
	return asctime_s(buffer, n, tm);
}

template <size_t n>
inline errno_t
ctime_s(char (&buffer)[n], const time_t *time)
{
	return ctime_s(buffer, n, time);
}

template <size_t n>
inline errno_t
_strtime_s(char (&buffer)[n])
{
	return _strtime_s(buffer, n);
}

template <size_t n>
inline errno_t
_strdate_s(char (&buffer)[n])
{
	return _strdate_s(buffer, n);
}
}
#endif

#endif
