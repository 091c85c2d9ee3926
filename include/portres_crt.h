/* SPDX-License-Identifier: MIT */
/*
 * The differences between Microsoft's C runtime and glibc that a Winsock
 * program meets: all of them are in this header and in winsock/crt/.
 *
 * - Wide formats: %s and %c are wide, %hs and %S narrow, %ld is 32 bits, %I64d
 *   is 64. The wide printf family is renamed to ours, which know that.
 * - Narrow formats: %S is wide, and the same sizes of integers. printf and its
 *   family keep their names and call ours.
 * - _wtoi and its kin.
 * - What C has not: portres_string.h, portres_stdlib.h, portres_stdio.h.
 * - wmain needs no declaration: see winsock/crt/wmain.c.
 */
#ifndef PORTRES_CRT_H
#define PORTRES_CRT_H

#include "portres_words.h"

/* Before the renaming below, or these headers would declare our names. */
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>
#ifdef __cplusplus
extern "C++" {
#include <cstdio>
#include <cwchar>
}
#endif

/* #pragma comment(lib, ...). g++ obeys this from version 13 on. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#ifdef __cplusplus
/* "WSADATA data = { 0 };" is how Windows code clears a structure. In C it
 * draws no warning to begin with. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wmissing-braces"
#endif

/* The compiler checks formats by glibc's rules, which are not the program's. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"

#define PORTRES_CRT_API __attribute__((__visibility__("default")))

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_CRT_API int portres_wprintf(const wchar_t *format, ...);
PORTRES_CRT_API int portres_fwprintf(FILE *to, const wchar_t *format, ...);
PORTRES_CRT_API int portres_vwprintf(const wchar_t *format, va_list args);
PORTRES_CRT_API int portres_vfwprintf(FILE *to, const wchar_t *format,
				      va_list args);
PORTRES_CRT_API int portres_swprintf(wchar_t *to, size_t size,
				     const wchar_t *format, ...);
PORTRES_CRT_API int portres_vswprintf(wchar_t *to, size_t size,
				      const wchar_t *format, va_list args);
PORTRES_CRT_API int portres_vsnwprintf(wchar_t *to, size_t size,
				       const wchar_t *format, va_list args);

PORTRES_CRT_API int portres_printf(const char *format, ...);
PORTRES_CRT_API int portres_fprintf(FILE *to, const char *format, ...);
PORTRES_CRT_API int portres_sprintf(char *to, const char *format, ...);
PORTRES_CRT_API int portres_snprintf(char *to, size_t size, const char *format,
				     ...);
PORTRES_CRT_API int portres_vprintf(const char *format, va_list args);
PORTRES_CRT_API int portres_vfprintf(FILE *to, const char *format,
				     va_list args);
PORTRES_CRT_API int portres_vsprintf(char *to, const char *format,
				     va_list args);
PORTRES_CRT_API int portres_vsnprintf(char *to, size_t size, const char *format,
				      va_list args);

#ifdef PORTRES_ITSELF
#elif defined __USE_FORTIFY_LEVEL && __USE_FORTIFY_LEVEL > 0
/* FORTIFY has replaced them by functions of its own: only macros are left. */
#define printf portres_printf
#define fprintf portres_fprintf
#define sprintf portres_sprintf
#define snprintf portres_snprintf
#define vprintf portres_vprintf
#define vfprintf portres_vfprintf
#define vsprintf portres_vsprintf
#define vsnprintf portres_vsnprintf
#else
#ifdef __cplusplus
#define PORTRES_CRT_NOTHROW __THROW
#else
#define PORTRES_CRT_NOTHROW
#endif
extern int printf(const char *__restrict format, ...) __asm__("portres_printf");
extern int fprintf(FILE *__restrict to, const char *__restrict format,
		   ...) __asm__("portres_fprintf");
extern int sprintf(char *__restrict to, const char *__restrict format,
		   ...) PORTRES_CRT_NOTHROW __asm__("portres_sprintf");
extern int snprintf(char *__restrict to, size_t size,
		    const char *__restrict format, ...) PORTRES_CRT_NOTHROW
	__asm__("portres_snprintf");
extern int vprintf(const char *__restrict format,
		   va_list args) __asm__("portres_vprintf");
extern int vfprintf(FILE *__restrict to, const char *__restrict format,
		    va_list args) __asm__("portres_vfprintf");
extern int vsprintf(char *__restrict to, const char *__restrict format,
		    va_list args) PORTRES_CRT_NOTHROW
	__asm__("portres_vsprintf");
extern int vsnprintf(char *__restrict to, size_t size,
		     const char *__restrict format,
		     va_list args) PORTRES_CRT_NOTHROW
	__asm__("portres_vsnprintf");
#endif

/* Too large a number gives the nearest limit and ERANGE; NULL gives 0 and
 * EINVAL. */
PORTRES_CRT_API int _wtoi(const wchar_t *text);
PORTRES_CRT_API int _wtol(const wchar_t *text);
__extension__ PORTRES_CRT_API long long _wtoi64(const wchar_t *text);

#ifdef __cplusplus
}

/* std::wprintf reads std::portres_wprintf from here on. */
extern "C++" {
namespace std
{
using ::portres_fprintf;
using ::portres_fwprintf;
using ::portres_printf;
using ::portres_snprintf;
using ::portres_sprintf;
using ::portres_swprintf;
using ::portres_vfprintf;
using ::portres_vfwprintf;
using ::portres_vprintf;
using ::portres_vsnprintf;
using ::portres_vsprintf;
using ::portres_vswprintf;
using ::portres_vwprintf;
using ::portres_wprintf;
} /* namespace std */
}
#endif

/* Object-like, so that &wprintf and (wprintf)(...) are ours as well. */
#define wprintf portres_wprintf
#define fwprintf portres_fwprintf
#define vwprintf portres_vwprintf
#define vfwprintf portres_vfwprintf
#define swprintf portres_swprintf
#define vswprintf portres_vswprintf

#include "portres_stdio.h"
#include "portres_stdlib.h"
#include "portres_string.h"

#endif
