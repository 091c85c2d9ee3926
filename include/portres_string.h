/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's <string.h> beyond C's, a part of portres_crt.h.
 *
 * Sizes are in characters, the 0 counted; counts without it. The functions that
 * return errno_t return 0; EINVAL for an argument that is wrong and ERANGE
 * without enough room, with an empty string in the buffer; and STRUNCATE when a
 * count of _TRUNCATE cut the string. There is no handler for invalid
 * parameters.
 */
#ifndef PORTRES_STRING_H
#define PORTRES_STRING_H

#include "portres_words.h"

#include <stddef.h>

typedef int errno_t;
typedef size_t rsize_t;

#define _TRUNCATE ((size_t)-1)
#define STRUNCATE 80
#define _NLSCMPERROR 2147483647 /* of comparisons with NULL */

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API errno_t strcpy_s(char *dest, rsize_t size, const char *src)
	PORTRES_NAME(strcpy_s);
PORTRES_API errno_t wcscpy_s(wchar_t *dest, rsize_t size, const wchar_t *src)
	PORTRES_NAME(wcscpy_s);
PORTRES_API errno_t strncpy_s(char *dest, rsize_t size, const char *src,
			      rsize_t count) PORTRES_NAME(strncpy_s);
PORTRES_API errno_t wcsncpy_s(wchar_t *dest, rsize_t size, const wchar_t *src,
			      rsize_t count) PORTRES_NAME(wcsncpy_s);
PORTRES_API errno_t strcat_s(char *dest, rsize_t size, const char *src)
	PORTRES_NAME(strcat_s);
PORTRES_API errno_t wcscat_s(wchar_t *dest, rsize_t size, const wchar_t *src)
	PORTRES_NAME(wcscat_s);
PORTRES_API errno_t strncat_s(char *dest, rsize_t size, const char *src,
			      rsize_t count) PORTRES_NAME(strncat_s);
PORTRES_API errno_t wcsncat_s(wchar_t *dest, rsize_t size, const wchar_t *src,
			      rsize_t count) PORTRES_NAME(wcsncat_s);
/* NULL has length 0. */
PORTRES_API size_t strnlen_s(const char *text, size_t most)
	PORTRES_NAME(strnlen_s);
PORTRES_API size_t wcsnlen_s(const wchar_t *text, size_t most)
	PORTRES_NAME(wcsnlen_s);
PORTRES_API char *strtok_s(char *text, const char *delimiters, char **context)
	PORTRES_NAME(strtok_s);
PORTRES_API wchar_t *wcstok_s(wchar_t *text, const wchar_t *delimiters,
			      wchar_t **context) PORTRES_NAME(wcstok_s);

/* In bytes. memcpy_s clears the target on error, memmove_s does not. */
PORTRES_API errno_t memcpy_s(void *dest, rsize_t size, const void *src,
			     rsize_t count) PORTRES_NAME(memcpy_s);
PORTRES_API errno_t memmove_s(void *dest, rsize_t size, const void *src,
			      rsize_t count) PORTRES_NAME(memmove_s);

PORTRES_API int _stricmp(const char *a, const char *b) PORTRES_NAME(_stricmp);
PORTRES_API int _strnicmp(const char *a, const char *b, size_t n)
	PORTRES_NAME(_strnicmp);
PORTRES_API int _wcsicmp(const wchar_t *a, const wchar_t *b)
	PORTRES_NAME(_wcsicmp);
PORTRES_API int _wcsnicmp(const wchar_t *a, const wchar_t *b, size_t n)
	PORTRES_NAME(_wcsnicmp);
PORTRES_API int _memicmp(const void *a, const void *b, size_t n)
	PORTRES_NAME(_memicmp);
PORTRES_API char *_strdup(const char *text) PORTRES_NAME(_strdup);
PORTRES_API wchar_t *_wcsdup(const wchar_t *text) PORTRES_NAME(_wcsdup);
PORTRES_API char *_strlwr(char *text) PORTRES_NAME(_strlwr);
PORTRES_API char *_strupr(char *text) PORTRES_NAME(_strupr);
PORTRES_API wchar_t *_wcslwr(wchar_t *text) PORTRES_NAME(_wcslwr);
PORTRES_API wchar_t *_wcsupr(wchar_t *text) PORTRES_NAME(_wcsupr);
PORTRES_API errno_t _strlwr_s(char *text, size_t size) PORTRES_NAME(_strlwr_s);
PORTRES_API errno_t _strupr_s(char *text, size_t size) PORTRES_NAME(_strupr_s);
PORTRES_API char *_strrev(char *text) PORTRES_NAME(_strrev);
PORTRES_API char *_strset(char *text, int c) PORTRES_NAME(_strset);

/* Older names of the same. */
PORTRES_API int stricmp(const char *a, const char *b) PORTRES_NAME(_stricmp);
PORTRES_API int _strcmpi(const char *a, const char *b) PORTRES_NAME(_stricmp);
PORTRES_API int strcmpi(const char *a, const char *b) PORTRES_NAME(_stricmp);
PORTRES_API int strnicmp(const char *a, const char *b, size_t n)
	PORTRES_NAME(_strnicmp);
PORTRES_API int wcsicmp(const wchar_t *a, const wchar_t *b)
	PORTRES_NAME(_wcsicmp);
PORTRES_API int wcsnicmp(const wchar_t *a, const wchar_t *b, size_t n)
	PORTRES_NAME(_wcsnicmp);
PORTRES_API int memicmp(const void *a, const void *b, size_t n)
	PORTRES_NAME(_memicmp);
PORTRES_API char *strlwr(char *text) PORTRES_NAME(_strlwr);
PORTRES_API char *strupr(char *text) PORTRES_NAME(_strupr);
PORTRES_API char *strrev(char *text) PORTRES_NAME(_strrev);

#ifdef __cplusplus
}

/* Arrays know their size. */
extern "C++" {
#define PORTRES_SIZED(name, type)                                              \
	template <size_t n>                                                    \
	inline errno_t name(type(&dest)[n], const type *src)                   \
	{                                                                      \
		return name(dest, n, src);                                     \
	}
#define PORTRES_SIZED_COUNT(name, type)                                        \
	template <size_t n>                                                    \
	inline errno_t name(type(&dest)[n], const type *src, size_t count)     \
	{                                                                      \
		return name(dest, n, src, count);                              \
	}

PORTRES_SIZED(strcpy_s, char)
PORTRES_SIZED(wcscpy_s, wchar_t)
PORTRES_SIZED(strcat_s, char)
PORTRES_SIZED(wcscat_s, wchar_t)
PORTRES_SIZED_COUNT(strncpy_s, char)
PORTRES_SIZED_COUNT(wcsncpy_s, wchar_t)
PORTRES_SIZED_COUNT(strncat_s, char)
PORTRES_SIZED_COUNT(wcsncat_s, wchar_t)

#undef PORTRES_SIZED
#undef PORTRES_SIZED_COUNT

template <size_t n>
inline errno_t
_strlwr_s(char (&text)[n])
{
	return _strlwr_s(text, n);
}

template <size_t n>
inline errno_t
_strupr_s(char (&text)[n])
{
	return _strupr_s(text, n);
}
}
#endif

#endif
