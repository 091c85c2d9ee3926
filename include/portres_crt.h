/* SPDX-License-Identifier: MIT */
/*
 * Where Microsoft's C runtime and glibc disagree: everything that a Winsock
 * program meets of it is in this header and in shim/winsock/crt/.
 *
 * - Wide formats: %s and %c are wide, %hs and %S narrow, %ld is 32 bits, %I64d
 *   is 64. The wide printf family is renamed to ours, which know that.
 * - _wtoi and its kin.
 * - wmain needs no declaration: see shim/winsock/crt/wmain.c.
 */
#ifndef PORTRES_CRT_H
#define PORTRES_CRT_H

/* Before the renaming below, or these headers would declare our names. */
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>
#ifdef __cplusplus
extern "C++" {
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

#define PORTRES_CRT_API __attribute__((__visibility__("default")))

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_CRT_API int portres_wprintf(const wchar_t *format, ...);
PORTRES_CRT_API int portres_fwprintf(FILE *to, const wchar_t *format, ...);
PORTRES_CRT_API int portres_vwprintf(const wchar_t *format, va_list args);
PORTRES_CRT_API int portres_vfwprintf(FILE *to, const wchar_t *format,
				      va_list args);

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
using ::portres_fwprintf;
using ::portres_vfwprintf;
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

#endif
