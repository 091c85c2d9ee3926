/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's <stdio.h> beyond C's, a part of portres_crt.h.
 * Formats are Microsoft's, as printf's. Sizes and counts are in characters.
 */
#ifndef PORTRES_STDIO_H
#define PORTRES_STDIO_H

#include "portres_string.h"

#include <stdarg.h>
#include <stdio.h>

#define _fileno fileno
#define _flushall() fflush(NULL)

#ifdef __cplusplus
extern "C" {
#endif

/* -1 when there is no room for all; a text that fills the buffer has no 0. */
PORTRES_API int _snprintf(char *buffer, size_t count, const char *format, ...)
	PORTRES_NAME(_snprintf);
PORTRES_API int _vsnprintf(char *buffer, size_t count, const char *format,
			   va_list args) PORTRES_NAME(_vsnprintf);
PORTRES_API int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format,
			   ...) PORTRES_NAME(_snwprintf);
PORTRES_API int _vsnwprintf(wchar_t *buffer, size_t count,
			    const wchar_t *format, va_list args)
	PORTRES_NAME(_vsnwprintf);

/* -1 and an empty string when there is no room for all: ERANGE. EINVAL. */
PORTRES_API int sprintf_s(char *buffer, size_t size, const char *format, ...)
	PORTRES_NAME(sprintf_s);
PORTRES_API int vsprintf_s(char *buffer, size_t size, const char *format,
			   va_list args) PORTRES_NAME(vsprintf_s);
PORTRES_API int swprintf_s(wchar_t *buffer, size_t size, const wchar_t *format,
			   ...) PORTRES_NAME(swprintf_s);
PORTRES_API int vswprintf_s(wchar_t *buffer, size_t size, const wchar_t *format,
			    va_list args) PORTRES_NAME(vswprintf_s);

/* Up to `count` characters, or as many as have room with _TRUNCATE, and a 0; -1
 * when that is not all. Without room for them an empty string: ERANGE. */
PORTRES_API int _snprintf_s(char *buffer, size_t size, size_t count,
			    const char *format, ...) PORTRES_NAME(_snprintf_s);
PORTRES_API int _vsnprintf_s(char *buffer, size_t size, size_t count,
			     const char *format, va_list args)
	PORTRES_NAME(_vsnprintf_s);
PORTRES_API int _snwprintf_s(wchar_t *buffer, size_t size, size_t count,
			     const wchar_t *format, ...)
	PORTRES_NAME(_snwprintf_s);
PORTRES_API int _vsnwprintf_s(wchar_t *buffer, size_t size, size_t count,
			      const wchar_t *format, va_list args)
	PORTRES_NAME(_vsnwprintf_s);

/* How long it would be, without the 0. */
PORTRES_API int _scprintf(const char *format, ...) PORTRES_NAME(_scprintf);
PORTRES_API int _vscprintf(const char *format, va_list args)
	PORTRES_NAME(_vscprintf);
PORTRES_API int _scwprintf(const wchar_t *format, ...) PORTRES_NAME(_scwprintf);
PORTRES_API int _vscwprintf(const wchar_t *format, va_list args)
	PORTRES_NAME(_vscwprintf);

PORTRES_API int printf_s(const char *format, ...) PORTRES_NAME(printf);
PORTRES_API int fprintf_s(FILE *to, const char *format, ...)
	PORTRES_NAME(fprintf);
PORTRES_API int vprintf_s(const char *format, va_list args)
	PORTRES_NAME(vprintf);
PORTRES_API int vfprintf_s(FILE *to, const char *format, va_list args)
	PORTRES_NAME(vfprintf);
PORTRES_API int wprintf_s(const wchar_t *format, ...) PORTRES_NAME(wprintf);
PORTRES_API int fwprintf_s(FILE *to, const wchar_t *format, ...)
	PORTRES_NAME(fwprintf);

/* Behind the pointer of each %s, %c and %[ its size, an unsigned int. A
 * string without room fails. %n and wide strings: EINVAL. */
PORTRES_API int scanf_s(const char *format, ...) PORTRES_NAME(scanf_s);
PORTRES_API int fscanf_s(FILE *from, const char *format, ...)
	PORTRES_NAME(fscanf_s);
PORTRES_API int sscanf_s(const char *from, const char *format, ...)
	PORTRES_NAME(sscanf_s);
PORTRES_API int vscanf_s(const char *format, va_list args)
	PORTRES_NAME(vscanf_s);
PORTRES_API int vfscanf_s(FILE *from, const char *format, va_list args)
	PORTRES_NAME(vfscanf_s);
PORTRES_API int vsscanf_s(const char *from, const char *format, va_list args)
	PORTRES_NAME(vsscanf_s);

/* 0 or errno; then *ret is NULL. */
PORTRES_API errno_t fopen_s(FILE **ret, const char *name, const char *mode)
	PORTRES_NAME(fopen_s);
PORTRES_API errno_t freopen_s(FILE **ret, const char *name, const char *mode,
			      FILE *file) PORTRES_NAME(freopen_s);
/* NULL at the end of the file, and for a line without room: ERANGE. */
PORTRES_API char *gets_s(char *buffer, size_t size) PORTRES_NAME(gets_s);

#ifdef __cplusplus
}

/* Arrays know their size. */
extern "C++" {
#define PORTRES_SIZED(name, vname, type)                                       \
	template <size_t n>                                                    \
	inline int vname(type(&buffer)[n], const type *format, va_list args)   \
	{                                                                      \
		return vname(buffer, n, format, args);                         \
	}                                                                      \
                                                                               \
	template <size_t n>                                                    \
	inline int name(type(&buffer)[n], const type *format, ...)             \
	{                                                                      \
		va_list args;                                                  \
		int r;                                                         \
                                                                               \
		va_start(args, format);                                        \
		r = vname(buffer, n, format, args);                            \
		va_end(args);                                                  \
		return r;                                                      \
	}
#define PORTRES_SIZED_COUNT(name, vname, type)                                 \
	template <size_t n>                                                    \
	inline int name(type(&buffer)[n], size_t count, const type *format,    \
			...)                                                   \
	{                                                                      \
		va_list args;                                                  \
		int r;                                                         \
                                                                               \
		va_start(args, format);                                        \
		r = vname(buffer, n, count, format, args);                     \
		va_end(args);                                                  \
		return r;                                                      \
	}

PORTRES_SIZED(sprintf_s, vsprintf_s, char)
PORTRES_SIZED(swprintf_s, vswprintf_s, wchar_t)
PORTRES_SIZED_COUNT(_snprintf_s, _vsnprintf_s, char)
PORTRES_SIZED_COUNT(_snwprintf_s, _vsnwprintf_s, wchar_t)

#undef PORTRES_SIZED
#undef PORTRES_SIZED_COUNT

template <size_t n>
inline char *
gets_s(char (&buffer)[n])
{
	return gets_s(buffer, n);
}
}
#endif

#endif
