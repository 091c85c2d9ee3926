/* SPDX-License-Identifier: MIT */
/*
 * Strings that do not overflow. Cch counts characters, Cb bytes; both count the
 * 0, but in the length that is returned, and in how many to copy at most.
 *
 * S_OK; STRSAFE_E_INSUFFICIENT_BUFFER: the string was cut and has its 0;
 * STRSAFE_E_INVALID_PARAMETER: a size of 0 or above STRSAFE_MAX_CCH, or a
 * string without its 0. The Ex functions are not carried.
 */
#ifndef PORTRES_STRSAFE_H
#define PORTRES_STRSAFE_H

#include "winerror.h"

#include <stdarg.h>

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007a)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

#ifdef __cplusplus
extern "C" {
#endif

PORTRES_API HRESULT StringCchCopyA(char *to, size_t n, const char *from)
	PORTRES_NAME(StringCchCopyA);
PORTRES_API HRESULT StringCchCopyNA(char *to, size_t n, const char *from,
				    size_t most) PORTRES_NAME(StringCchCopyNA);
PORTRES_API HRESULT StringCchCatA(char *to, size_t n, const char *from)
	PORTRES_NAME(StringCchCatA);
PORTRES_API HRESULT StringCchCatNA(char *to, size_t n, const char *from,
				   size_t most) PORTRES_NAME(StringCchCatNA);
PORTRES_API HRESULT StringCchLengthA(const char *text, size_t most,
				     size_t *ret_length)
	PORTRES_NAME(StringCchLengthA);
PORTRES_API HRESULT StringCchVPrintfA(char *to, size_t n, const char *format,
				      va_list args)
	PORTRES_NAME(StringCchVPrintfA);
PORTRES_API HRESULT StringCchPrintfA(char *to, size_t n, const char *format,
				     ...) PORTRES_NAME(StringCchPrintfA);
PORTRES_API HRESULT StringCchCopyW(wchar_t *to, size_t n, const wchar_t *from)
	PORTRES_NAME(StringCchCopyW);
PORTRES_API HRESULT StringCchCopyNW(wchar_t *to, size_t n, const wchar_t *from,
				    size_t most) PORTRES_NAME(StringCchCopyNW);
PORTRES_API HRESULT StringCchCatW(wchar_t *to, size_t n, const wchar_t *from)
	PORTRES_NAME(StringCchCatW);
PORTRES_API HRESULT StringCchCatNW(wchar_t *to, size_t n, const wchar_t *from,
				   size_t most) PORTRES_NAME(StringCchCatNW);
PORTRES_API HRESULT StringCchLengthW(const wchar_t *text, size_t most,
				     size_t *ret_length)
	PORTRES_NAME(StringCchLengthW);
PORTRES_API HRESULT StringCchVPrintfW(wchar_t *to, size_t n,
				      const wchar_t *format, va_list args)
	PORTRES_NAME(StringCchVPrintfW);
PORTRES_API HRESULT StringCchPrintfW(wchar_t *to, size_t n,
				     const wchar_t *format, ...)
	PORTRES_NAME(StringCchPrintfW);
PORTRES_API HRESULT StringCbCopyA(char *to, size_t n, const char *from)
	PORTRES_NAME(StringCbCopyA);
PORTRES_API HRESULT StringCbCopyNA(char *to, size_t n, const char *from,
				   size_t most) PORTRES_NAME(StringCbCopyNA);
PORTRES_API HRESULT StringCbCatA(char *to, size_t n, const char *from)
	PORTRES_NAME(StringCbCatA);
PORTRES_API HRESULT StringCbCatNA(char *to, size_t n, const char *from,
				  size_t most) PORTRES_NAME(StringCbCatNA);
PORTRES_API HRESULT StringCbLengthA(const char *text, size_t most,
				    size_t *ret_length)
	PORTRES_NAME(StringCbLengthA);
PORTRES_API HRESULT StringCbVPrintfA(char *to, size_t n, const char *format,
				     va_list args)
	PORTRES_NAME(StringCbVPrintfA);
PORTRES_API HRESULT StringCbPrintfA(char *to, size_t n, const char *format, ...)
	PORTRES_NAME(StringCbPrintfA);
PORTRES_API HRESULT StringCbCopyW(wchar_t *to, size_t n, const wchar_t *from)
	PORTRES_NAME(StringCbCopyW);
PORTRES_API HRESULT StringCbCopyNW(wchar_t *to, size_t n, const wchar_t *from,
				   size_t most) PORTRES_NAME(StringCbCopyNW);
PORTRES_API HRESULT StringCbCatW(wchar_t *to, size_t n, const wchar_t *from)
	PORTRES_NAME(StringCbCatW);
PORTRES_API HRESULT StringCbCatNW(wchar_t *to, size_t n, const wchar_t *from,
				  size_t most) PORTRES_NAME(StringCbCatNW);
PORTRES_API HRESULT StringCbLengthW(const wchar_t *text, size_t most,
				    size_t *ret_length)
	PORTRES_NAME(StringCbLengthW);
PORTRES_API HRESULT StringCbVPrintfW(wchar_t *to, size_t n,
				     const wchar_t *format, va_list args)
	PORTRES_NAME(StringCbVPrintfW);
PORTRES_API HRESULT StringCbPrintfW(wchar_t *to, size_t n,
				    const wchar_t *format, ...)
	PORTRES_NAME(StringCbPrintfW);
PORTRES_API HRESULT StringCchGetsA(char *to, size_t n)
	PORTRES_NAME(StringCchGetsA);
PORTRES_API HRESULT StringCbGetsA(char *to, size_t n)
	PORTRES_NAME(StringCbGetsA);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define StringCchCopy StringCchCopyW
#define StringCchCopyN StringCchCopyNW
#define StringCchCat StringCchCatW
#define StringCchCatN StringCchCatNW
#define StringCchLength StringCchLengthW
#define StringCchVPrintf StringCchVPrintfW
#define StringCchPrintf StringCchPrintfW
#define StringCbCopy StringCbCopyW
#define StringCbCopyN StringCbCopyNW
#define StringCbCat StringCbCatW
#define StringCbCatN StringCbCatNW
#define StringCbLength StringCbLengthW
#define StringCbVPrintf StringCbVPrintfW
#define StringCbPrintf StringCbPrintfW
#else
#define StringCchCopy StringCchCopyA
#define StringCchCopyN StringCchCopyNA
#define StringCchCat StringCchCatA
#define StringCchCatN StringCchCatNA
#define StringCchLength StringCchLengthA
#define StringCchVPrintf StringCchVPrintfA
#define StringCchPrintf StringCchPrintfA
#define StringCbCopy StringCbCopyA
#define StringCbCopyN StringCbCopyNA
#define StringCbCat StringCbCatA
#define StringCbCatN StringCbCatNA
#define StringCbLength StringCbLengthA
#define StringCbVPrintf StringCbVPrintfA
#define StringCbPrintf StringCbPrintfA
#define StringCchGets StringCchGetsA
#define StringCbGets StringCbGetsA
#endif

#endif
